"""Handmade histories, and the findings in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.payloads import LayerColumns, LayerInfo, Probe, RunInfo, Scalars
from tb_cnndiag.summaries.codec import Measurement

LAYERS = (
    LayerInfo("conv1", "Conv2D", "conv", 8, 27, activation="relu", seen_at="conv1", output_shape=(8, 8, 8)),
    LayerInfo(
        "conv2", "Conv2D", "conv", 8, 72, activation="relu", seen_at="conv2", inputs=(0,), output_shape=(6, 6, 8)
    ),
    LayerInfo("fc", "Dense", "dense", 16, 288, activation="relu", seen_at="fc", inputs=(1,), output_shape=(16,)),
    LayerInfo("head", "Dense", "dense", 4, 16, activation="softmax", seen_at="head", inputs=(2,), output=True),
)


SGD = json.dumps({"class_name": "SGD", "config": {"learning_rate": 0.1}})


INFO = RunInfo(
    "t", LAYERS, "cnn", optimizer=SGD, loss='"sparse_categorical_crossentropy"', probe=Probe("given", 64, (16,) * 4)
)


PRIOR_LOSS = 1.386  # ln 4


NAN = float("nan")


def history(
    columns: Mapping[str, Sequence[Sequence[float]]],
    *,
    info: RunInfo = INFO,
    scalars: Mapping[str, Sequence[float]] | None = None,
    payloads: Sequence[tuple[str, str, Any]] = (),
) -> History:
    """Snapshots at steps 0, 10, …; ``columns`` maps ``diagnostic.column`` to one row of layers per snapshot."""
    snapshots = max([len(rows) for rows in columns.values()] + [len(v) for v in (scalars or {}).values()])
    found = [Measurement("run_info", 0, 0, info, table="t")]
    for snapshot in range(snapshots):
        by_diagnostic: dict[str, dict[str, Any]] = {}
        for name, rows in columns.items():
            diagnostic, column = name.split(".")
            by_diagnostic.setdefault(diagnostic, {})[column] = np.asarray(rows[snapshot], np.float32)
        found += [
            Measurement(diagnostic, 10 * snapshot, snapshot, LayerColumns(values), epoch=snapshot, table="t")
            for diagnostic, values in by_diagnostic.items()
        ]
        if scalars:
            numbers = Scalars({name: values[snapshot] for name, values in scalars.items()})
            found.append(Measurement("training_curve", 10 * snapshot, snapshot, numbers, epoch=snapshot, table="t"))
        found += [
            Measurement(d, 10 * snapshot, snapshot, payload, layer=layer, epoch=snapshot, table="t")
            for d, layer, payload in payloads
        ]
    merged = History()
    for measurement in found:
        merged.add(measurement)
    return merged


def found(fault: str, run: History) -> list[Finding]:
    return [finding for finding in judge(run) if finding.fault == fault]


def training(loss: Sequence[float], step: float | Sequence[float], **columns: Any) -> History:
    """A training with this loss and this update-to-weight ratio in every layer."""
    steps = [step] * len(loss) if isinstance(step, int | float) else list(step)
    rows = {"update_ratio.update_ratio": [[s] * 4 for s in steps]} | columns
    return history(rows, scalars={"loss": list(loss)})


PARTS = (
    LayerInfo("generator/project", "Dense", "dense", units=64, output_shape=(64,), kernel_shape=(8, 64)),
    LayerInfo(
        "generator/image", "Conv2D", "conv", units=1, output_shape=(12, 12, 1), kernel_shape=(3, 3, 16, 1), output=True
    ),
    LayerInfo("discriminator/down", "Conv2D", "conv", units=8, output_shape=(6, 6, 8), kernel_shape=(4, 4, 1, 8)),
    LayerInfo("discriminator/real", "Dense", "dense", units=1, output_shape=(1,), kernel_shape=(9, 1), output=True),
)
GAN = replace(INFO, layers=PARTS, model="generator, discriminator")


def gan(
    diversity: Sequence[float], loss: Sequence[float], gradient: Sequence[float] | None = None, name: str = "d_loss"
) -> History:
    """Diversity of generated images (that of real ones is 0.5), loss of the discriminator, generator gradient."""
    rows = {
        "model_output.diversity": [[NAN, made, NAN, 0.1] for made in diversity],
        "model_input.diversity": [[1.0, NAN, 0.5, NAN] for _ in diversity],
        "gradient_flow.gradient_norm": [[norm, norm, 1.0, 1.0] for norm in gradient or [1.0] * len(diversity)],
    }
    return history(rows, info=GAN, scalars={name: list(loss), "g_loss": [1.0] * len(loss)})


def conv(path: str, *inputs: int, units: int = 16, window: int = 3, **options: Any) -> LayerInfo:
    shape = (window, window, 16, units)
    known: dict[str, Any] = {
        "role": "conv",
        "activation": "linear",
        "output_shape": (8, 8, units),
        "linear_behind": True,
    } | options
    return LayerInfo(path, "Conv2D", units=units, fan_in=144, kernel_shape=shape, inputs=inputs, **known)
