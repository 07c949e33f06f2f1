"""Time to judge a history of many layers and snapshots: ``python -m benchmarks.judging_time``.

The history is made: a chain of normalized convolutions whose columns vary at random around healthy values. Reading the
log is not part of the time, making the series of the history is. While training goes on, each snapshot is judged with
those before it, whose series are known: this is the second line.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import verdict
from tb_cnndiag.payloads import LayerColumns, LayerInfo, Probe, RunInfo, Scalars
from tb_cnndiag.summaries.codec import Measurement

COLUMNS = {
    "weight_health": {"rms": 0.1, "gain": 1.4, "non_finite": 0.0, "zero_share": 0.0, "constant_ratio": 0.0},
    "gradient_flow": {"gradient_norm": 0.1, "relative_gradient": 0.1, "non_finite_ratio": 0.0},
    "update_ratio": {"update_ratio": 3e-3},
    "dead_units": {"dead_ratio": 0.05, "nearly_dead_ratio": 0.1, "dormant_ratio": 0.1, "magnitude": 1.0},
    "saturation": {"pinned_ratio": 0.0},
    "filter_similarity": {"mean_similarity": 0.1, "twin_ratio": 0.0},
    "batch_statistics": {"mean_shift": 0.1, "variance_ratio": 1.1},
    "activation_density": {"non_finite_share": 0.0},
}


def made(layers: int, snapshots: int) -> History:
    """A run of so many layers and snapshots."""
    rng = np.random.default_rng(0)
    table = tuple(
        LayerInfo(
            f"conv{row}", "Conv2D", "conv", 32, 288, (3, 3, 32, 32), (8, 8, 32), activation="relu",
            normalization_class="BatchNormalization", normalization=f"bn{row}", inputs=(row - 1,) if row else (),
            output=row == layers - 1, initializer="he_normal",
        )
        for row in range(layers)
    )  # fmt: skip
    sgd = json.dumps({"class_name": "SGD", "config": {"learning_rate": 0.1}})
    info = RunInfo("t", table, "cnn", loss='"sparse_categorical_crossentropy"', optimizer=sgd, batch_size=32)
    info = RunInfo(**{**info.__dict__, "probe": Probe("given", 320, (10,) * 32)})
    history = History.of([Measurement("run_info", 0, 0, info, table="t")])
    for snapshot in range(snapshots):
        step = 100 * snapshot
        for diagnostic, columns in COLUMNS.items():
            values = {
                name: (value * rng.uniform(0.9, 1.1, layers)).astype(np.float32) for name, value in columns.items()
            }
            history.add(Measurement(diagnostic, step, snapshot, LayerColumns(values), epoch=snapshot, table="t"))
        logs = Scalars({"loss": 3.4 * 0.99**snapshot, "val_loss": 3.4 * 0.99**snapshot, "learning_rate": 0.1})
        history.add(Measurement("training_curve", step, snapshot, logs, epoch=snapshot, table="t"))
    return history


def timed(history: History) -> tuple[float, float]:
    """Seconds that judging takes, by the clock and of the processor."""
    begin, of_process = time.perf_counter(), time.process_time()
    verdict(history)
    return time.perf_counter() - begin, time.process_time() - of_process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=1_000)
    parser.add_argument("--snapshots", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    whole, more = [], []
    for _ in range(options.repeats):
        history = made(options.layers, options.snapshots)
        whole.append(timed(history))
        for measurement in [each[-1] for each in history._columns.values()]:
            history.add(replace(measurement, step=measurement.step + 100, snapshot=options.snapshots))
        more.append(timed(history))
    size = f"{options.layers:,} layers × {options.snapshots:,} snapshots"
    for what, times in ((size, whole), ("again, after one more snapshot", more)):
        wall, processor = (min(each) for each in zip(*times, strict=True))
        print(f"{what}: {wall:.3f} s, {processor:.3f} s of the processor (best of {options.repeats})")


if __name__ == "__main__":
    main()
