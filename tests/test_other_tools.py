"""The rules of other tools in the fault benchmark: each rule fires on its fault and not on a healthy training."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from benchmarks.faults.others import rules_of
from benchmarks.faults.others_rules import TOOLS
from benchmarks.faults.recorder import RECORD, Recorder

Record = dict[str, Any]
LOSS = (2.0, 1.2, 0.8, 0.5, 0.35, 0.25, 0.2, 0.15)
ACCURACY = (0.3, 0.5, 0.65, 0.75, 0.82, 0.88, 0.9, 0.92)


def _kernel() -> Record:
    return {
        "gradient_norm": 0.5, "gradient_mean": 0.01, "gradient_zero": 0.1, "gradient_p5": -0.01, "gradient_p95": 0.01,
        "variance": 0.05, "finite": True, "size": 100, "update": 1e-3,
    }  # fmt: skip


def _layer(name: str) -> Record:
    return {
        "name": name, "mean": 0.4, "variance": 1.0, "finite": True, "zero": 0.5, "inactive": 0.1, "pinned_tanh": 0.0,
        "pinned_sigmoid": 0.0,
    }  # fmt: skip


def _snapshot(logs: dict[str, float]) -> Record:
    answers = {"sum": 1.0, "finite": True, "wrong": [0.1, 0.1], "kinds": [5, 5]}
    return {
        "kernels": [_kernel(), _kernel()],
        "layers": [_layer("conv"), _layer("head")],
        "answers": [answers],
        "rate": 1e-3,
        "logs": logs,
    }


def _record() -> Record:
    """The record of a healthy training of eight epochs."""
    layers = [
        {"name": "conv", "kind": "Conv2D", "activation": "relu", "rate": None, "kernel": True},
        {"name": "head", "kind": "Dense", "activation": "softmax", "rate": None, "kernel": True},
    ]
    logs = [
        {"loss": a, "val_loss": 1.02 * a, "accuracy": b, "val_accuracy": b - 0.01}
        for a, b in zip(LOSS, ACCURACY, strict=True)
    ]
    image = {"shape": [8, 8, 1], "mean": 0.1, "least": -1.0, "most": 1.0, "dtype": "float32"}
    return {
        "snapshots": [_snapshot({}), *(_snapshot(log) for log in logs)],
        "model": {
            "layers": layers,
            "loss": {"name": "categorical_crossentropy", "logits": False, "text": True},
            "outputs": [[4]],
        },
        "inputs": [image],
        "targets": [{"counts": [50, 50, 50, 50]}],
        "steps": list(np.linspace(2.2, 1.0, 10)),
    }


def _curve(name: str, *values: float) -> Callable[[Record], None]:
    def change(record: Record) -> None:
        for snapshot, value in zip(record["snapshots"][1:], values, strict=True):
            snapshot["logs"][name] = value

    return change


def _at_all_snapshots(part: str, key: str, value: Any, row: int = 0) -> Callable[[Record], None]:
    def change(record: Record) -> None:
        for snapshot in record["snapshots"]:
            snapshot[part][row][key] = value

    return change


def _set(*path: Any) -> Callable[[Record], None]:
    *steps, key, value = path

    def change(record: Record) -> None:
        target: Any = record
        for step in steps:
            target = target[step]
        target[key] = value

    return change


def _all_of(*changes: Callable[[Record], None]) -> Callable[[Record], None]:
    def change(record: Record) -> None:
        for one in changes:
            one(record)

    return change


STUCK = (1.386,) * 8
NO_PROGRESS = [_curve(n, *STUCK) for n in ("loss", "val_loss")]
NO_PROGRESS += [_curve(n, *(0.25,) * 8) for n in ("accuracy", "val_accuracy")]
CASES = [
    ("SageMaker Debugger", "DeadRelu", _at_all_snapshots("layers", "inactive", 0.6)),
    ("SageMaker Debugger", "ExplodingTensor", _at_all_snapshots("kernels", "finite", False)),
    ("SageMaker Debugger", "PoorWeightInitialization", _at_all_snapshots("kernels", "variance", 5.0)),
    (
        "SageMaker Debugger",
        "SaturatedActivation",
        _all_of(_set("model", "layers", 0, "activation", "tanh"), _at_all_snapshots("layers", "pinned_tanh", 0.6)),
    ),
    ("SageMaker Debugger", "VanishingGradient", _at_all_snapshots("kernels", "gradient_mean", 1e-8)),
    ("SageMaker Debugger", "WeightUpdateRatio", _at_all_snapshots("kernels", "update", 20.0)),
    ("SageMaker Debugger", "LossNotDecreasing", _curve("loss", *STUCK)),
    ("SageMaker Debugger", "Overfit", _curve("val_loss", *(1.3 * a for a in LOSS))),
    ("SageMaker Debugger", "ClassImbalance", _set("targets", 0, "counts", [100, 5])),
    ("SageMaker Debugger", "CheckInputImages", _set("inputs", 0, "mean", 0.5)),
    ("AUTOTRAINER", "vanish", _all_of(_at_all_snapshots("kernels", "gradient_norm", 1e-5), *NO_PROGRESS)),
    ("AUTOTRAINER", "activation", _all_of(_set("model", "layers", 1, "activation", "relu"), *NO_PROGRESS)),
    ("AUTOTRAINER", "data", _at_all_snapshots("layers", "mean", 20.0)),
    ("BTTackler", "exploding gradient", _at_all_snapshots("kernels", "gradient_mean", float("nan"))),
    ("BTTackler", "vanishing gradient", _at_all_snapshots("kernels", "gradient_mean", 0.0)),
    (
        "BTTackler",
        "dying ReLU",
        _all_of(*(_at_all_snapshots("kernels", "gradient_zero", 0.9, row) for row in (0, 1))),
    ),
    ("BTTackler", "no more gain", _curve("val_loss", 1.0, 0.8, 0.6, 0.5, 0.6, 0.7, 0.8, 0.9)),
    ("UMLAUT", "input not normalized", _set("inputs", 0, "most", 255.0)),
    ("UMLAUT", "missing activation", _set("model", "layers", 0, "activation", "linear")),
    ("UMLAUT", "learning rate high", _set("snapshots", 3, "rate", 0.5)),
    ("UMLAUT", "dropout above one half", _set("model", "layers", 0, "rate", 0.9)),
    ("UMLAUT", "overfitting", _curve("val_loss", 1.0, 0.8, 0.6, 0.5, 0.6, 0.7, 0.8, 0.9)),
]


@pytest.mark.parametrize(("tool", "rule", "change"), CASES)
def test_each_rule_fires_on_its_fault(tool: str, rule: str, change: Callable[[Record], None]) -> None:
    record = _record()
    assert rule not in set(rules_of(tool, copy.deepcopy(record)))
    change(record)
    assert rule in set(rules_of(tool, record))


def test_rules_that_fire_on_a_healthy_training() -> None:
    fired = {tool: set(rules_of(tool, _record())) for tool in TOOLS}
    assert fired == {
        "SageMaker Debugger": set(),
        "AUTOTRAINER": set(),
        "BTTackler": set(),
        # UMLAUT reports these for every network whose last layer has a softmax as an argument.
        "UMLAUT": {"activation at the last layer", "no softmax before the loss"},
    }


@pytest.mark.parametrize("hidden", [0, 1])
def test_every_layer_is_recorded_even_if_there_is_only_one(hidden: int, tmp_path: Path) -> None:
    x, y = np.ones((8, 3), np.float32), np.ones((8, 1), np.float32)
    names = [*["hidden"][:hidden], "output"]
    model = keras.Sequential([keras.Input((3,)), *(keras.layers.Dense(1, name=name) for name in names)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0, callbacks=[Recorder(tmp_path, x, y, validation=False)])
    snapshots = json.loads((tmp_path / RECORD).read_text())["snapshots"]
    assert [[layer["name"] for layer in snapshot["layers"]] for snapshot in snapshots] == [names, names]
