"""What the diagnostics cost, as ratios within one run.

``python -m benchmarks.overhead [vgg] [resnet50] [efficientnetb0] [--backend tensorflow|jax|torch]`` prints, for each
network, on the backend that Keras uses:

- *fwd*: one bare forward pass of a 256-image probe, compiled where the backend compiles, the unit of the rest;
- *snapshot, processor* and *observed, processor*: the same in processor time, which other work changes less;
- *first pass*: processor time of that pass when it is first made, compiled and run;
- *snapshot*: the probe's pass with all reductions of a light snapshot, over fwd;
- *epoch end*, of a light, heavy and costly snapshot: everything that happens at the end of an epoch, writing included,
  over fwd; the mean over 100 epochs at the default schedule (without the costly diagnostics, which targets leave out,
  and with them), over fwd and over what ``keras.callbacks.TensorBoard(histogram_freq=1)`` takes there, which needs
  TensorFlow;
- *memory*: peak of a light snapshot over the peak of the bare forward pass, each in a process of its own;
- *taps*: a training step with gradients and firing units tapped, over the bare step: the mean over steps that are
  observed and the many that are not; and one that is observed;
- bytes per snapshot, next to TensorBoard's histograms.

Times are medians of interleaved runs; memory is read from Linux' /proc. Nothing here is a test: a target that is
missed is printed as MISS.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if named := re.search(r"--backend[= ](\w+)", " ".join(sys.argv)):  # before Keras is imported
    os.environ["KERAS_BACKEND"] = named[1]

import keras
import numpy as np
from keras import layers

from tb_cnndiag.capture.backends import backend, to_host
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
# A step is short and its ratio close to 1: so many trainings of so many steps.
STEP_ROUNDS = 5
STEPS = 14
# Steps after a snapshot that are observed, and every how many later ones: names of these in the backends' modules.
OBSERVED = {
    "tensorflow": ("firing", "FIRST_BATCHES", "BATCH_INTERVAL"),
    "jax": ("taps", "FIRST_STEPS", "STEP_INTERVAL"),
    "torch": ("taps", "FIRST_BATCHES", "BATCH_INTERVAL"),
}
MEMORY_RUNS = 5
SNAPSHOTS: dict[str, frozenset[Cost]] = {
    "light": frozenset({"light"}),
    "heavy": frozenset({"light", "heavy"}),
    "costly": frozenset({"light", "heavy", "costly"}),
}
OF_TENSORFLOW = {
    "vgg": {"snapshot": 1.20, "memory": 1.0, "epoch / fwd": 1.6, "taps": 1.03},
    "resnet50": {"snapshot": 1.20, "memory": 1.0, "epoch / TensorBoard": 0.75, "taps": 1.03},
    "efficientnetb0": {"snapshot": 1.35, "memory": 1.0, "epoch / TensorBoard": 0.5, "taps": 1.03},
}
OF_BACKEND = {
    "jax": {"snapshot": 1.3, "taps, observed": 2.2},
    "torch": {"snapshot": 1.3, "taps, observed": 1.1},
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
    return {name: wall for name, (wall, _) in timed(rounds, **jobs).items()}


def timed(rounds: int = ROUNDS, /, **jobs: Callable[[], Any]) -> dict[str, tuple[float, float]]:
    """The same, and median processor seconds."""
    for job in jobs.values():
        job()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            begin, processor = time.perf_counter(), time.process_time()
            job()
            times[name].append((time.perf_counter() - begin, time.process_time() - processor))
    return {name: _medians(values) for name, values in times.items()}


def _medians(times: Sequence[tuple[float, float]]) -> tuple[float, float]:
    wall, processor = zip(*times, strict=True)
    return statistics.median(wall), statistics.median(processor)


def made(name: str) -> tuple[Any, Any, Any]:
    """A compiled network of this name, and samples and labels of a probe for it."""
    keras.utils.set_random_seed(1)
    model = NETWORKS[name]()
    model.compile("sgd", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(PROBE, *model.input_shape[1:])).astype(np.float32)
    y = rng.integers(0, 10, PROBE)
    return model, x, y


def pass_and_steps(name: str) -> dict[str, float]:
    """The pass over the probe, and the training steps."""
    model, x, y = made(name)
    inspector = ModelInspector({"": model})
    inspector.set_probe("", Samples(x, y, "given"))
    light = sorted({name for kind in BUILTIN for name in kind.needs} & REDUCTIONS.keys())
    begin = time.process_time()
    inspector.activations(light, costly=False)
    first = time.process_time() - begin
    both = timed(fwd=_bare(model, x), snapshot=lambda: inspector.activations(light, costly=False))
    return {
        "fwd in ms": both["fwd"][0] * 1e3,
        "first pass, processor, s": first,
        "snapshot": both["snapshot"][0] / both["fwd"][0],
        "snapshot, processor": both["snapshot"][1] / both["fwd"][1],
        **_taps(model, inspector, x, y),
    }


def measured(name: str, home: Path) -> dict[str, float]:
    model, x, y = made(name)
    bare = _bare(model, x)

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

    jobs: dict[str, Callable[[], Any]] = {
        "fwd": bare,
        "snapshot": lambda: inspector.activations(light),
        "light": lambda: epoch_end(SNAPSHOTS["light"]),
        "heavy": lambda: epoch_end(SNAPSHOTS["heavy"]),
        "costly": lambda: epoch_end(SNAPSHOTS["costly"]),
    }
    if find_spec("tensorflow"):
        jobs["board"] = _board(model, home / f"{name}-board")
    session.take_snapshot(Moment(0, 0), {}, tapped)
    both = timed(**jobs)
    times = {job: wall for job, (wall, _) in both.items()}
    sizes = {}
    for kind, costs in SNAPSHOTS.items():
        before = session.bytes_written
        epoch_end(costs)
        sizes[kind] = session.bytes_written - before
    heavy_share, costly_share = (sum(map(schedule, range(100))) / 100 for schedule in (HEAVY, COSTLY))
    mean = times["light"] * (1 - heavy_share) + times["heavy"] * heavy_share
    everything = mean + (times["costly"] - times["heavy"]) * costly_share
    fwd = times["fwd"]
    figures = {
        "fwd in ms": fwd * 1e3,
        "snapshot": times["snapshot"] / fwd,
        "snapshot, processor": both["snapshot"][1] / both["fwd"][1],
        "light epoch / fwd": times["light"] / fwd,
        "heavy epoch / fwd": times["heavy"] / fwd,
        "costly epoch / fwd": times["costly"] / fwd,
        "epoch / fwd": mean / fwd,
        "epoch, costly too / fwd": everything / fwd,
        "memory": _memory(name, "snapshot") / _memory(name, "bare"),
        **_taps(model, inspector, x, y),
        "kB, light": sizes["light"] / 1e3,
        "kB, heavy": sizes["heavy"] / 1e3,
        "kB, costly": sizes["costly"] / 1e3,
    }
    if "board" in times:
        board_bytes = sum(f.stat().st_size for f in (home / f"{name}-board").rglob("*tfevents*"))
        figures |= {
            "TensorBoard / fwd": times["board"] / fwd,
            "epoch / TensorBoard": mean / times["board"],
            "kB, TensorBoard": board_bytes / (ROUNDS + 1) / 1e3,
        }
    return figures


def _compiled(model: Any, x: Any) -> Callable[[Any], Any]:
    """The model, compiled as its user would: on TensorFlow, the graph is optimized, which that of our passes is not."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda images: model(images, training=False), autograph=False, reduce_retracing=True)  # type: ignore[no-any-return]
    passed = backend().compiled(model, lambda images, _: model(images, training=False), x, None)
    return lambda images: passed(images, False)


def _bare(model: Any, x: Any) -> Callable[[], Any]:
    """A bare forward pass of these samples."""
    compiled = _compiled(model, x)
    given = keras.ops.convert_to_tensor(x)
    return lambda: to_host(compiled(given))


def _board(model: Any, home: Path) -> Callable[[], Any]:
    """What ``keras.callbacks.TensorBoard`` does at the end of an epoch."""
    board = keras.callbacks.TensorBoard(home, histogram_freq=1)
    board.set_model(model)
    board.on_train_begin()
    epoch = count()
    return lambda: board.on_epoch_end(next(epoch), {"loss": 1.0})


class Steps(keras.callbacks.Callback):
    """Times each step: bare, tapped, or tapped and observed."""

    def __init__(self, layers: Any, kind: str) -> None:
        super().__init__()
        self.times: list[tuple[float, float]] = []
        self._layers = layers
        self._kind = kind
        self._taps: Any = None

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Tap the step that follows."""
        if self._kind != "bare" and self._taps is None:
            self._taps = backend().tap_fit(self.model, self._layers, collect=False, parts={}, charged=_uncharged)
        if self._taps is not None:
            if self._kind == "observed":  # each step is the first after a snapshot
                self._taps.gradients()
                self._taps.fired()
            self._taps.arm()
        self._begin = time.perf_counter(), time.process_time()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Wait for the step."""
        to_host(list((logs or {}).values()))
        self.times.append((time.perf_counter() - self._begin[0], time.process_time() - self._begin[1]))

    def on_train_end(self, logs: Any = None) -> None:
        """Remove the taps."""
        if self._taps is not None:
            self._taps.stop()


def _uncharged(**_options: Any) -> AbstractContextManager[None]:
    return nullcontext()


def _taps(model: Any, inspector: ModelInspector, x: Any, y: Any) -> dict[str, float]:
    """Tapped training steps over a bare one."""
    module, first, interval = OBSERVED[keras.backend.backend()]
    constants = import_module(f"tb_cnndiag.capture.backends.{keras.backend.backend()}.{module}")
    rows = np.arange(BATCH * STEPS) % len(x)
    found: dict[str, list[tuple[float, float]]] = {"bare": [], "tapped": [], "observed": []}
    for number in range(STEP_ROUNDS + 1):
        for kind, times in found.items():
            steps = Steps(inspector.layers, kind)
            model.fit(x[rows], y[rows], batch_size=BATCH, shuffle=False, verbose=0, callbacks=[steps])
            # The first round compiles; the first steps of each training are observed.
            times += steps.times[getattr(constants, first) + 1 :] if number else []
    bare, tapped, observed = (_medians(times) for times in found.values())
    mean = tapped[0] + (observed[0] - tapped[0]) / getattr(constants, interval)
    return {
        "taps": mean / bare[0],
        "taps, observed": observed[0] / bare[0],
        "observed, processor": observed[1] / bare[1],
    }


def _memory(name: str, what: str) -> float:
    """MB at the peak beyond what was there before, of a pass whose graph is already traced: median of processes.

    Now and then one takes half as much again, as its threads happen to meet.
    """
    command = [sys.executable, "-m", "benchmarks.overhead", "--memory", name, what]  # KERAS_BACKEND is inherited
    runs = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(MEMORY_RUNS)]
    return statistics.median(float(run.stdout.split()[-1]) for run in runs)


def _print_peak(name: str, what: str) -> None:
    model = NETWORKS[name]()
    x = np.random.default_rng(1).normal(size=(PROBE, *model.input_shape[1:])).astype(np.float32)
    # What is compiled for any number of samples is compiled with few: the pass itself has left nothing in memory then.
    few = PROBE if keras.backend.backend() == "jax" else 3
    job: Callable[[], Any]
    if what == "bare":
        compiled = _compiled(model, x)
        to_host(compiled(x[:few]))
        job = lambda: to_host(compiled(x))  # noqa: E731
    else:
        light = sorted({name for kind in BUILTIN for name in kind.needs} & REDUCTIONS.keys())
        inspector = ModelInspector({"": model})
        inspector.set_probe("", Samples(x[:few], None, "given"))
        inspector.activations(light)
        inspector.set_probe("", Samples(x, None, "given"))
        job = lambda: inspector.activations(light)  # noqa: E731
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _kilobytes("VmRSS")
    job()
    print((_kilobytes("VmHWM") - before) / 1e3)


def _kilobytes(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(field))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    parser.add_argument("--backend", choices=list(OBSERVED), help="instead of the one that Keras would use")
    parser.add_argument("--short", action="store_true", help="the pass over the probe and the training steps alone")
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        _print_peak(*options.memory)
        return
    missed = 0
    for name in options.networks or NETWORKS:
        print(f"\n{name}, {keras.backend.backend()}")
        targets = OF_BACKEND.get(keras.backend.backend()) or OF_TENSORFLOW[name]
        with tempfile.TemporaryDirectory() as home:
            figures = pass_and_steps(name) if options.short else measured(name, Path(home))
        for what, value in figures.items():
            target = targets.get(what)
            verdict = "" if target is None else f"   target ≤ {target:g}  {'PASS' if value <= target else 'MISS'}"
            missed += bool(target is not None and value > target)
            print(f"  {what:24} {value:10.3g}{verdict}")
    print(f"\n{missed} targets missed")


if __name__ == "__main__":
    main()
