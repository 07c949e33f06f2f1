"""A history that is read while it grows says the same as a plain dictionary of everything that was added."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.history import History
from tb_cnndiag.payloads import LayerColumns, LayerInfo, RunInfo, Scalars
from tb_cnndiag.summaries.codec import Measurement

TABLES = {"a": ("conv", "dense"), "b": ("dense", "new", "conv")}


def _info(table: str) -> RunInfo:
    layers = (LayerInfo(path, "Conv2D", "conv", 4, 9, (3, 3, 1, 4), (None,)) for path in TABLES[table])
    return RunInfo(table, tuple(layers), "model")


class _Plain:
    """By step: the value of each layer by its path, and of the model."""

    def __init__(self) -> None:
        self.table = ""
        self.layers: dict[int, dict[str, float]] = {}
        self.model: dict[int, float] = {}

    def restart(self, step: int) -> None:
        for kept in (self.layers, self.model):
            for at in [at for at in kept if at >= step]:
                del kept[at]

    def check(self, history: History) -> None:
        series = history.series("health", "rms")
        assert list(series.steps) == sorted(self.layers)
        expected = [
            [self.layers[step].get(path, np.nan) for path in TABLES[self.table]] for step in sorted(self.layers)
        ]
        np.testing.assert_array_equal(
            series.values, np.array(expected, np.float32).reshape(-1, len(TABLES[self.table]))
        )
        steps, values = history.scalars("curve", "loss")
        assert list(steps) == sorted(self.model)
        np.testing.assert_array_equal(values, [self.model[step] for step in sorted(self.model)])


@pytest.mark.parametrize("seed", range(8))
def test_series_grow_with_the_log(seed: int) -> None:
    rng = np.random.default_rng(seed)
    history, plain, step = History(), _Plain(), 0
    for snapshot in range(60):
        if snapshot == 0 or rng.random() < 0.1:
            plain.table = str(rng.choice(list(TABLES)))
            history.add(Measurement("run_info", step, snapshot, _info(plain.table), table=plain.table))
        values = rng.normal(size=len(TABLES[plain.table])).astype(np.float32)
        history.add(Measurement("health", step, snapshot, LayerColumns({"rms": values}), table=plain.table))
        plain.layers[step] = dict(zip(TABLES[plain.table], values, strict=True))
        if rng.random() < 0.8:
            loss = float(rng.normal())
            history.add(Measurement("curve", step, snapshot, Scalars({"loss": loss}), table=plain.table))
            plain.model[step] = loss
        if rng.random() < 0.5:
            plain.check(history)
        if step and rng.random() < 0.1:
            step = int(rng.integers(0, step))  # training is restarted from a checkpoint
            plain.restart(step)
        elif rng.random() < 0.8:  # or one more message about this step
            step += int(rng.integers(1, 5))


def test_what_was_read_stays_as_it_was() -> None:
    history = History.of([Measurement("run_info", 0, 0, _info("a"), table="a")])
    read = []
    for step in range(20):
        columns = LayerColumns({"rms": np.array([step, -step], np.float32)})
        history.add(Measurement("health", step, step, columns, table="a"))
        read.append(history.series("health", "rms"))
    for length, series in enumerate(read, start=1):
        np.testing.assert_array_equal(series.values[:, 0], np.arange(length))
        assert not series.values.flags.writeable
