"""What a first training costs with the callback at its defaults.

``python -m benchmarks.first_training [CASE …] [--backend NAME]``: each training runs in a process of its own: bare,
with ``CNNDiagnostics``, and, where there is TensorFlow, with ``TensorBoard(histogram_freq=1)``, in turn, ``--rounds``
times. Printed are medians: wall time of ``fit`` and what the callback adds to it, relative to the bare training, and
the same of processor time, which other work on the machine changes less; the first snapshot relative
to the first call of the training step, which compiles it; epochs from the second snapshot on, without the last; peak
memory beyond the bare training; and the size of the log. Imports of the callback count as its cost. Nothing here is a
test: a target that is missed is printed as MISS.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BATCH = 32
KINDS = ("bare", "diagnostics", *(["board"] if find_spec("tensorflow") else []))


@dataclass(frozen=True)
class Case:
    """A training, with its targets: figure → the most that it may be."""

    network: str
    steps: int
    epochs: int
    targets: Mapping[str, float]


LARGE_SHORT = {"wall": 1.25, "first snapshot / first step": 0.35}
LARGE_LONG = {"wall": 1.07, "epochs": 1.07, "first snapshot / first step": 0.35}
CASES: Mapping[str, Case] = {
    "vgg": Case("vgg", 50, 10, {"wall": 1.07, "epochs": 1.07}),
    "vgg-short": Case("vgg", 7, 4, {}),
    "mobilenet-short": Case("mobilenetv2", 7, 4, LARGE_SHORT),
    "resnet-short": Case("resnet50", 7, 4, LARGE_SHORT),
    "efficientnet-short": Case("efficientnetb0", 7, 4, LARGE_SHORT),
    "mobilenet": Case("mobilenetv2", 50, 10, LARGE_LONG),
    "resnet": Case("resnet50", 50, 10, LARGE_LONG),
    "efficientnet": Case("efficientnetb0", 50, 10, LARGE_LONG),
    "tiny": Case("tiny", 20, 10, {"seconds": 0.7}),
    "wide": Case("wide", 20, 30, {"MB": 200.0}),
    "deep": Case("deep", 7, 4, {}),
}
DEFAULT = ("tiny", "wide", "vgg", "mobilenet-short", "resnet-short", "efficientnet-short")


def tiny() -> Any:
    """A small convolutional network."""
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def wide() -> Any:
    """A dense network with a layer of 13,000 units."""
    from keras import Input, Sequential, layers

    return Sequential([Input((64,)), layers.Dense(13_000, activation="relu"), layers.Dense(10, activation="softmax")])


def deep() -> Any:
    """A residual network of 1,001 layers of 8 filters."""
    from benchmarks.storage import deep as network

    return network()


def vgg() -> Any:
    """Six convolutions on 32 × 32 pixels."""
    from benchmarks.overhead import vgg as network

    return network()


def application(name: str) -> Callable[[], Any]:
    """A network of ``keras.applications`` on 64 × 64 pixels."""

    def network() -> Any:
        import keras

        return getattr(keras.applications, name)(weights=None, input_shape=(64, 64, 3), classes=10)

    return network


NETWORKS: Mapping[str, Callable[[], Any]] = {
    "tiny": tiny,
    "wide": wide,
    "deep": deep,
    "vgg": vgg,
    "mobilenetv2": application("MobileNetV2"),
    "resnet50": application("ResNet50"),
    "efficientnetb0": application("EfficientNetB0"),
}


def train(case: Case, kind: str, home: Path, budget: float | None) -> None:
    """Train in this process and print the figures as JSON."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(1)
    model = NETWORKS[case.network]()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH * case.steps, *model.input_shape[1:])).astype("float32")
    y = rng.integers(0, 10, BATCH * case.steps)

    class Clock(keras.callbacks.Callback):
        """Times of epochs, from end to end, and of the first step."""

        def __init__(self) -> None:
            super().__init__()
            self.ends: list[float] = []
            self.first = 0.0

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            if not self.first:
                self.began = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.first = self.first or time.perf_counter() - self.began

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.ends.append(time.perf_counter())

    clock = Clock()
    begin, processor = time.perf_counter(), time.process_time()
    callbacks: list[Any] = [clock]
    if kind == "diagnostics":
        from tb_cnndiag import CNNDiagnostics

        diagnostics = (
            CNNDiagnostics(home, verbose=0) if budget is None else CNNDiagnostics(home, verbose=0, budget=budget)
        )
        callbacks = [diagnostics, clock]
    elif kind == "board":
        callbacks = [keras.callbacks.TensorBoard(home, histogram_freq=1), clock]
    model.fit(x, y, epochs=case.epochs, batch_size=BATCH, verbose=0, callbacks=callbacks)
    seconds, processor = time.perf_counter() - begin, time.process_time() - processor
    epochs = [end - start for start, end in zip(clock.ends, clock.ends[1:], strict=False)]
    print(
        json.dumps(
            {
                "seconds": seconds,
                "processor": processor,
                "first step": clock.first,
                "epochs": sum(epochs[:-1]) if len(epochs) > 1 else sum(epochs),
                "MB": _peak(),
                "first snapshot": _first_snapshot(home) if kind == "diagnostics" else 0.0,
                "bytes": sum(file.stat().st_size for file in home.rglob("*tfevents*")),
            }
        )
    )


def _peak() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3


def _first_snapshot(home: Path) -> float:
    """Seconds that the first snapshot took, as the log says."""
    from tb_cnndiag.history import History
    from tb_cnndiag.summaries.reader import read_run

    _, seconds = History.of(read_run(home / "cnndiag")).scalars("overhead", "seconds")
    return float(seconds[0]) if len(seconds) else 0.0


def run(name: str, kind: str, budget: float | None) -> dict[str, float]:
    """The figures of one training in a fresh process."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "benchmarks.first_training", "--train", name, kind, home]
        if budget is not None:
            command += ["--budget", str(budget)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=_environment())
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _environment() -> dict[str, str]:
    """Python keeps bytecode, as it does by default; some developers switch that off."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def compared(name: str, rounds: int, budget: float | None, kinds: Sequence[str]) -> dict[str, float]:
    """Medians over the rounds of what diagnostics and TensorBoard cost, relative to bare trainings."""
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            runs[kind].append(run(name, kind, budget))

    def median(kind: str, figure: str) -> float:
        return statistics.median(each[figure] for each in runs[kind])

    bare = median("bare", "seconds")
    figures = {
        "bare, s": bare,
        "wall": median("diagnostics", "seconds") / bare,
        "processor": median("diagnostics", "processor") / median("bare", "processor"),
        "seconds": median("diagnostics", "seconds") - bare,
        "epochs": median("diagnostics", "epochs") / median("bare", "epochs"),
        "first step": median("diagnostics", "first step") / median("bare", "first step"),
        "first snapshot / first step": median("diagnostics", "first snapshot") / median("bare", "first step"),
        "MB": median("diagnostics", "MB") - median("bare", "MB"),
        "kB": median("diagnostics", "bytes") / 1e3,
    }
    if "board" in kinds:
        figures |= {
            "TensorBoard, wall": median("board", "seconds") / bare,
            "TensorBoard, kB": median("board", "bytes") / 1e3,
        }
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"{', '.join(CASES)}; by default {', '.join(DEFAULT)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backend", choices=["tensorflow", "jax", "torch"], help="instead of Keras' choice")
    parser.add_argument("--budget", type=float, help="instead of the callback's default")
    parser.add_argument("--train", nargs=3, metavar=("CASE", "KIND", "HOME"), help=argparse.SUPPRESS)
    parser.add_argument("--no-board", action="store_true", help="without the trainings with TensorBoard's histograms")
    options = parser.parse_args()
    kinds = [kind for kind in KINDS if kind != "board" or not options.no_board]
    if options.backend:
        os.environ["KERAS_BACKEND"] = options.backend  # the trainings run in processes that inherit it
    if options.train:
        name, kind, home = options.train
        train(CASES[name], kind, Path(home), options.budget)
        return
    subprocess.run([sys.executable, "-c", "import tb_cnndiag.callback"], check=True, env=_environment())
    missed = 0
    for name in options.cases or DEFAULT:
        case = CASES[name]
        print(f"\n{name}: {case.steps} steps × {case.epochs} epochs", flush=True)
        for figure, value in compared(name, options.rounds, options.budget, kinds).items():
            target = case.targets.get(figure)
            verdict = "" if target is None else f"   target ≤ {target:g}  {'PASS' if value <= target else 'MISS'}"
            missed += bool(target is not None and value > target)
            print(f"  {figure:28} {value:10.3g}{verdict}", flush=True)
    print(f"\n{missed} targets missed")


if __name__ == "__main__":
    main()
