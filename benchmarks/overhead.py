"""What the diagnostics cost, as ratios within one run.

``python -m benchmarks.overhead [vgg] [resnet50] [efficientnetb0]`` prints, for each network:

- *fwd*: one bare compiled forward pass of a 256-image probe, the unit of the rest;
- *snapshot*: the probe's pass with all reductions of a light snapshot, over fwd;
- *epoch end*, of a light, heavy and costly snapshot: everything that happens at the end of an epoch, writing included,
  over fwd; the mean over 100 epochs at the default schedule (without the costly diagnostics, which targets leave out,
  and with them), over fwd and over what ``keras.callbacks.TensorBoard(histogram_freq=1)`` takes there;
- *memory*: peak of a light snapshot over the peak of the bare forward pass, each in a process of its own;
- *taps*: a training step with gradients and firing units tapped, over the bare step: the mean over batches whose units
  are observed and the many that are not; and one whose units are observed;
- bytes per snapshot, next to TensorBoard's histograms.

Times are medians of interleaved runs; memory is read from Linux' /proc. Nothing here is a test: a target that is
missed is printed as MISS.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tb_cnndiag.capture.backends.tensorflow import firing
from tb_cnndiag.capture.backends.tensorflow.taps import TappedTraining
from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.probe_samples import Samples
from tb_cnndiag.capture.reductions import REDUCTIONS
from tb_cnndiag.diagnostics import BUILTIN
from tb_cnndiag.diagnostics.base import Cost
from tb_cnndiag.recording.inspection import Tapped
from tb_cnndiag.recording.schedule import COSTLY, HEAVY, every
from tb_cnndiag.recording.session import Moment, Session

PROBE = 256
BATCH = 32
ROUNDS = 7
# A step is short and its ratio close to 1.
STEP_ROUNDS = 21
MEMORY_RUNS = 5
SNAPSHOTS: dict[str, frozenset[Cost]] = {
    "light": frozenset({"light"}),
    "heavy": frozenset({"light", "heavy"}),
    "costly": frozenset({"light", "heavy", "costly"}),
}
TARGETS = {
    "vgg": {"snapshot": 1.20, "memory": 1.0, "epoch / fwd": 1.6, "taps": 1.03},
    "resnet50": {"snapshot": 1.20, "memory": 1.0, "epoch / TensorBoard": 0.75, "taps": 1.03},
    "efficientnetb0": {"snapshot": 1.35, "memory": 1.0, "epoch / TensorBoard": 0.5, "taps": 1.03},
}


def vgg() -> Any:
    stack: list[Any] = [keras.Input((32, 32, 3))]
    for filters in (32, 64, 128):
        stack += [layers.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(2)]
        stack.append(layers.MaxPooling2D())
    return keras.Sequential([*stack, layers.Flatten(), layers.Dense(10, activation="softmax")])


def resnet50() -> Any:
    return keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3), classes=10)


def efficientnetb0() -> Any:
    return keras.applications.EfficientNetB0(weights=None, input_shape=(64, 64, 3), classes=10)


NETWORKS: Mapping[str, Callable[[], Any]] = {"vgg": vgg, "resnet50": resnet50, "efficientnetb0": efficientnetb0}


def interleaved(rounds: int = ROUNDS, /, **jobs: Callable[[], Any]) -> dict[str, float]:
    """Median seconds of each job, run in turn after one warm-up each."""
    for job in jobs.values():
        job()
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            begin = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in times.items()}


def made(name: str) -> tuple[Any, Any, Any]:
    """A compiled network of this name, and samples and labels of a probe for it."""
    keras.utils.set_random_seed(1)
    model = NETWORKS[name]()
    model.compile("sgd", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(PROBE, *model.input_shape[1:])).astype(np.float32)
    y = rng.integers(0, 10, PROBE)
    return model, x, y


def measured(name: str, home: Path) -> dict[str, float]:
    model, x, y = made(name)
    chunk = tf.constant(x)
    bare = tf.function(lambda images: model(images, training=False), reduce_retracing=True)

    diagnostics = [kind() for kind in BUILTIN]
    light = sorted({name for kind in diagnostics for name in kind.needs} & REDUCTIONS.keys())
    inspector = ModelInspector({"": model})
    inspector.set_probe("", Samples(x, y, "given"))
    session = Session(home / name, inspector, diagnostics, every(10**9), step=0)
    gradients = np.ones((len(inspector.layers), 3))
    tapped = Tapped(gradients, np.ones(len(inspector.layers)))

    steps = count(1)

    def epoch_end(costs: frozenset[Cost]) -> None:
        session.take_snapshot(Moment(next(steps), 1), {"loss": 1.0}, tapped, costs=costs)

    board = keras.callbacks.TensorBoard(home / f"{name}-board", histogram_freq=1)
    board.set_model(model)
    board.on_train_begin()
    epoch = iter(range(10**6))

    session.take_snapshot(Moment(0, 0), {}, tapped)
    times = interleaved(
        fwd=lambda: bare(chunk).numpy(),
        snapshot=lambda: inspector.activations(light),
        light=lambda: epoch_end(SNAPSHOTS["light"]),
        heavy=lambda: epoch_end(SNAPSHOTS["heavy"]),
        costly=lambda: epoch_end(SNAPSHOTS["costly"]),
        board=lambda: board.on_epoch_end(next(epoch), {"loss": 1.0}),
    )
    sizes = {}
    for kind, costs in SNAPSHOTS.items():
        before = session.bytes_written
        epoch_end(costs)
        sizes[kind] = session.bytes_written - before
    board_bytes = sum(f.stat().st_size for f in (home / f"{name}-board").rglob("*tfevents*"))
    heavy_share, costly_share = (sum(map(schedule, range(100))) / 100 for schedule in (HEAVY, COSTLY))
    mean = times["light"] * (1 - heavy_share) + times["heavy"] * heavy_share
    everything = mean + (times["costly"] - times["heavy"]) * costly_share
    fwd = times["fwd"]
    return {
        "fwd in ms": fwd * 1e3,
        "snapshot": times["snapshot"] / fwd,
        "light epoch / fwd": times["light"] / fwd,
        "heavy epoch / fwd": times["heavy"] / fwd,
        "costly epoch / fwd": times["costly"] / fwd,
        "epoch / fwd": mean / fwd,
        "epoch, costly too / fwd": everything / fwd,
        "TensorBoard / fwd": times["board"] / fwd,
        "epoch / TensorBoard": mean / times["board"],
        "memory": _memory(name, "snapshot") / _memory(name, "bare"),
        **_taps(model, inspector, x, y),
        "kB, light": sizes["light"] / 1e3,
        "kB, heavy": sizes["heavy"] / 1e3,
        "kB, costly": sizes["costly"] / 1e3,
        "kB, TensorBoard": board_bytes / (ROUNDS + 1) / 1e3,
    }


def _taps(model: Any, inspector: ModelInspector, x: Any, y: Any) -> dict[str, float]:
    """Tapped training steps over a bare one."""
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH, drop_remainder=True).repeat()
    model.make_train_function()
    bare = model.train_function
    tapping = TappedTraining(model, inspector.layers, collect=True)
    tapped = model.train_function
    iterator = iter(data)

    observer = tapping.taps.firing
    assert observer is not None

    def step(number: int) -> None:
        observer._steps.assign(number)
        tapping.arm()
        tapped(iterator)

    times = interleaved(
        STEP_ROUNDS,
        bare=lambda: bare(iterator),
        tapped=lambda: step(firing.FIRST_BATCHES + 1),
        observed=lambda: step(0),
    )
    tapping.stop()
    mean = times["tapped"] + (times["observed"] - times["tapped"]) / firing.BATCH_INTERVAL
    return {"taps": mean / times["bare"], "taps, units observed": times["observed"] / times["bare"]}


def _memory(name: str, what: str) -> float:
    """MB at the peak beyond what was there before, of a pass whose graph is already traced: median of processes.

    Now and then one takes half as much again, as its threads happen to meet.
    """
    command = [sys.executable, "-m", "benchmarks.overhead", "--memory", name, what]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(MEMORY_RUNS)]
    return statistics.median(float(run.stdout.split()[-1]) for run in runs)


def _print_peak(name: str, what: str) -> None:
    model = NETWORKS[name]()
    x = np.random.default_rng(1).normal(size=(PROBE, *model.input_shape[1:])).astype(np.float32)
    chunk = tf.constant(x)
    job: Callable[[], Any]
    if what == "bare":
        bare = tf.function(lambda images: model(images, training=False), reduce_retracing=True)
        bare.get_concrete_function(chunk)
        job = lambda: bare(chunk).numpy()  # noqa: E731
    else:
        light = sorted({name for kind in BUILTIN for name in kind.needs} & REDUCTIONS.keys())
        inspector = ModelInspector({"": model})
        for samples in (2, 3, PROBE):  # the graph that serves any number of samples
            inspector.set_probe("", Samples(x[:samples], None, "given"))
            if samples < PROBE:
                inspector.activations(light)
        job = lambda: inspector.activations(light)  # noqa: E731
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _kilobytes("VmRSS")
    job()
    print((_kilobytes("VmHWM") - before) / 1e3)


def _kilobytes(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(field))


def main() -> None:
    if sys.argv[1:2] == ["--memory"]:
        _print_peak(*sys.argv[2:])
        return
    missed = 0
    for name in sys.argv[1:] or NETWORKS:
        print(f"\n{name}")
        with tempfile.TemporaryDirectory() as home:
            figures = measured(name, Path(home))
        for what, value in figures.items():
            target = TARGETS[name].get(what)
            verdict = "" if target is None else f"   target ≤ {target:g}  {'PASS' if value <= target else 'MISS'}"
            missed += bool(target is not None and value > target)
            print(f"  {what:24} {value:10.3g}{verdict}")
    print(f"\n{missed} targets missed")


if __name__ == "__main__":
    main()
