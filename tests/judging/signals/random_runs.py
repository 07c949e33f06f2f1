"""Small random runs: values that are missing, snapshots that lack a diagnostic, and trainings that were restarted."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.judging.signals.base import Signal, Signals
from tb_cnndiag.payloads import LayerColumns, LayerInfo, Probe, RunInfo, Scalars
from tb_cnndiag.summaries.codec import Measurement

PUNISHED = json.dumps({"activity_regularizer": {"class_name": "L1", "config": {"l1": 0.1}}})
LAYERS = (
    LayerInfo("a", "Conv2D", "conv", 8, 27, (3, 3, 3, 8), activation="relu", normalization_class="BatchNormalization"),
    LayerInfo("b", "Conv2D", "conv", 8, 72, (3, 3, 8, 8), activation="tanh", inputs=(0,)),
    LayerInfo("c", "Dense", "dense", 16, 128, (128, 16), activation="relu", inputs=(1,)),
    LayerInfo("d", "Dense", "dense", 16, 16, (16, 16), activation="relu", inputs=(2,), config=PUNISHED),
    LayerInfo("e", "Dense", "dense", 8, 16, (16, 8), activation="relu", inputs=(3,), trainable=False),
    LayerInfo("out", "Dense", "dense", 4, 8, (8, 4), activation="softmax", inputs=(4,), output=True),
)
INFO = RunInfo(
    "t",
    tuple(replace(layer, initializer="he_normal") for layer in LAYERS),
    "cnn",
    optimizer=json.dumps({"class_name": "SGD", "config": {"learning_rate": 0.1}}),
    loss='"sparse_categorical_crossentropy"',
    probe=Probe("given", 64, (16,) * 4),
)
PERIOD = 10
"""Steps of an epoch."""

Column: TypeAlias = dict[int, list[float]]
Expected: TypeAlias = Mapping[int, Sequence[float]] | str


@dataclass
class Run:
    """What was recorded: for each column the values of the layers, for each scalar its value, by step."""

    info: RunInfo = INFO
    columns: dict[str, Column] = field(default_factory=dict)
    scalars: dict[str, dict[int, float]] = field(default_factory=dict)
    lost: list[Measurement] = field(default_factory=list)

    def history(self) -> History:
        """The history of these measurements, and of those that a restart has made void."""
        found: list[Measurement] = []
        by: dict[tuple[int, str], dict[str, Sequence[float]]] = {}
        for name, column in self.columns.items():
            diagnostic, short = name.split(".")
            for step, values in column.items():
                by.setdefault((step, diagnostic), {})[short] = values
        for (step, diagnostic), values_of in by.items():
            payload = LayerColumns({name: np.asarray(values, np.float32) for name, values in values_of.items()})
            found.append(_measured(diagnostic, step, payload))
        for step in sorted({step for scalar in self.scalars.values() for step in scalar}):
            numbers = {name: scalar[step] for name, scalar in self.scalars.items() if step in scalar}
            found.append(_measured("training_curve", step, Scalars(numbers)))
        found.sort(key=lambda each: each.step)
        before = [each for each in found if self.lost and each.step < self.lost[0].step]
        after = found[len(before) :]
        # A training is restarted at a step that it had passed.
        lost = [
            each for each in self.lost if after and each.step >= after[0].step and self.lost[-1].step > after[0].step
        ]
        return History.of([Measurement("run_info", 0, 0, self.info, table="t"), *before, *lost, *after])

    def signals(self) -> Signals:
        """Its signals."""
        return Signals(self.history())

    def latest(self, name: str, step: int, row: int) -> float:
        """The latest value of a layer, at this step or before; NaN if there is none."""
        known = [values[row] for at, values in self.columns[name].items() if at <= step and not math.isnan(values[row])]
        return known[-1] if known else math.nan


def _measured(diagnostic: str, step: int, payload: LayerColumns | Scalars) -> Measurement:
    return Measurement(diagnostic, step, step // PERIOD, payload, epoch=step // PERIOD, table="t")


def random_run(
    rng: np.random.Generator,
    columns: Mapping[str, Callable[[np.random.Generator], float]],
    scalars: Mapping[str, Callable[[np.random.Generator], float]] | None = None,
    *,
    info: RunInfo = INFO,
    missing: float = 0.25,
) -> Run:
    """A run of 1 to 8 epochs. Each column lacks some snapshots and some values; every third run was restarted."""
    steps = [PERIOD * epoch for epoch in range(int(rng.integers(1, 9)))]
    run = Run(info)
    for name, draw in columns.items():
        kept = [step for step in steps if rng.random() > missing] or steps[-1:]
        run.columns[name] = {
            step: [math.nan if rng.random() < missing else float(np.float32(draw(rng))) for _ in info.layers]
            for step in kept
        }
    for name, number in (scalars or {}).items():
        run.scalars[name] = {step: number(rng) for step in steps}
    if len(steps) > 2 and rng.random() < 1 / 3:
        start = int(rng.integers(1, len(steps)))
        for step in steps[start:]:
            for name, draw in columns.items():
                diagnostic, short = name.split(".")
                lost = LayerColumns({short: np.asarray([draw(rng) for _ in info.layers], np.float32)})
                run.lost.append(_measured(diagnostic, step, lost))
            if scalars:
                run.lost.append(_measured("training_curve", step, Scalars(dict.fromkeys(scalars, 99.0))))
    return run


def runs(
    columns: Mapping[str, Callable[[np.random.Generator], float]],
    scalars: Mapping[str, Callable[[np.random.Generator], float]] | None = None,
    *,
    count: int = 12,
    info: RunInfo = INFO,
    missing: float = 0.25,
) -> Iterator[Run]:
    """That many runs, always the same ones."""
    for seed in range(count):
        yield random_run(np.random.default_rng(seed), columns, scalars, info=info, missing=missing)


def check(signal: Signal, run: Run, expected: Expected) -> None:
    """A signal has these values by step (one number, or one per layer), or is unknown for this reason."""
    track = run.signals()(signal)
    if isinstance(expected, str):
        assert (len(track), track.reason) == (0, expected)
        return
    assert track.steps.tolist() == list(expected), (signal.name, expected)
    np.testing.assert_allclose(track.values, np.asarray(list(expected.values())), rtol=1e-6, err_msg=signal.name)


def over(values: Column, rows: Sequence[int], function: Callable[[list[float]], float]) -> Expected:
    """A function of the known values of some layers, at each snapshot that has some."""
    known = {step: [row[at] for at in rows if math.isfinite(row[at])] for step, row in values.items()}
    if not any(known.values()):
        return "not measured in a trainable layer"
    return {step: [function(found)] for step, found in known.items() if found}


def measured(run: Run, name: str) -> bool:
    """Whether a column has any value."""
    return any(not math.isnan(value) for row in run.columns[name].values() for value in row)


def largest_so_far(series: Mapping[int, Sequence[float]]) -> dict[int, list[float]]:
    """The largest value of each step or before."""
    return {step: [max(series[at][0] for at in series if at <= step)] for step in series}
