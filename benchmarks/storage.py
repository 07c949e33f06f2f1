"""Bytes that the diagnostics write at their defaults, next to those of TensorBoard's histograms of the same model.

``python -m benchmarks.storage [resnet50] [efficientnetb0] [vgg16] [deep]`` prints, for each network, the bytes of a
light, heavy and costly snapshot, per layer too, and of an epoch of ``keras.callbacks.TensorBoard(histogram_freq=1)``;
and what both have written after 30, 100 and 1,000 epochs. ``deep`` has 1,000 convolutions of 8 filters.

Snapshots are real: of a network whose kernels drift by 2 % between snapshots, with synthetic gradients and updates.
The bytes of each kind are means over several; totals are these, times how often the default schedule takes each.
Diagnostics that only costly snapshots take (functional similarity, layer similarity, ranks, pictures) count separately.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

from benchmarks.overhead import SNAPSHOTS, efficientnetb0, resnet50
from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.probe_samples import Samples
from tb_cnndiag.diagnostics import BUILTIN
from tb_cnndiag.recording.inspection import Tapped
from tb_cnndiag.recording.schedule import COSTLY, HEAVY, every
from tb_cnndiag.recording.session import Moment, Session

EPOCHS = (30, 100, 1000)
ROUNDS = 4
DRIFT = 0.02
TARGETS = {("resnet50", 30): 1.0, ("resnet50", 100): 0.5, ("resnet50", 1000): 0.25}


def deep() -> Any:
    # Blocks that add little each, as trained ones do: 500 that double the variance would overflow.
    little = keras.initializers.VarianceScaling(1 / 500)
    x = inputs = keras.Input((8, 8, 8))
    for block in range(500):
        y = layers.Conv2D(8, 3, padding="same", activation="relu", name=f"block{block}_a")(x)
        x = layers.Add()([x, layers.Conv2D(8, 3, padding="same", kernel_initializer=little, name=f"block{block}_b")(y)])
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


NETWORKS: Mapping[str, Callable[[], Any]] = {
    "resnet50": resnet50,
    "efficientnetb0": efficientnetb0,
    "vgg16": lambda: keras.applications.VGG16(weights=None, input_shape=(32, 32, 3), classes=10),
    "deep": deep,
}


def measured(name: str, home: Path) -> tuple[int, dict[str, float]]:
    """Layers, and mean bytes of each kind of snapshot and of an epoch of TensorBoard's."""
    keras.utils.set_random_seed(1)
    model = NETWORKS[name]()
    model.compile("sgd", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(1)
    probe = Samples(
        rng.normal(size=(256, *model.input_shape[1:])).astype(np.float32), rng.integers(0, 10, 256), "given"
    )
    model.train_on_batch(probe.x[:2], probe.y[:2])
    inspector = ModelInspector({"": model})
    inspector.set_probe("", probe)
    session = Session(home / "own", inspector, [kind() for kind in BUILTIN], every(10**9), step=0)
    board = keras.callbacks.TensorBoard(home / "board", histogram_freq=1)
    board.set_model(model)
    board.on_train_begin()
    count = len(inspector.layers)
    sizes: dict[str, list[int]] = {kind: [] for kind in (*SNAPSHOTS, "board")}
    written, steps = _bytes(home / "board"), itertools.count(1)
    for round_ in range(ROUNDS + 1):
        for kind, costs in SNAPSHOTS.items():
            for layer in inspector.layers:
                kernel = layer.variable
                noise = rng.normal(size=kernel.shape).astype(np.float32) * float(np.std(kernel.numpy())) * DRIFT
                kernel.assign_add(noise)
            tapped = Tapped(np.abs(rng.normal(size=(count, 3))), np.abs(rng.normal(size=count)))
            before = session.bytes_written
            logs = {"loss": float(rng.random()), "accuracy": 0.5}
            session.take_snapshot(Moment(next(steps), round_), logs, tapped, costs=costs)
            if round_:
                sizes[kind].append(session.bytes_written - before)
        board.on_epoch_end(round_, {"loss": 1.0, "accuracy": 0.5})
        now = _bytes(home / "board")
        if round_:
            sizes["board"].append(now - written)
        written = now
    return count, {kind: statistics.mean(values) for kind, values in sizes.items()}


def _bytes(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.rglob("*tfevents*"))


def main() -> None:
    missed = 0
    for name in sys.argv[1:] or NETWORKS:
        with tempfile.TemporaryDirectory() as home:
            count, sizes = measured(name, Path(home))
        print(f"\n{name}, {count} layers")
        for kind in SNAPSHOTS:
            print(f"  {kind} snapshot: {sizes[kind] / 1e3:.1f} kB, {sizes[kind] / count:.0f} bytes a layer")
        print(f"  TensorBoard, an epoch: {sizes['board'] / 1e3:.1f} kB")
        for epochs in EPOCHS:
            snapshots = range(epochs + 1)
            heavy, costly = ({i for i in snapshots if schedule(i)} | {epochs} for schedule in (HEAVY, COSTLY))
            own = len(snapshots) * sizes["light"] + len(heavy) * (sizes["heavy"] - sizes["light"])
            more = len(heavy & costly) * (sizes["costly"] - sizes["heavy"])
            board = epochs * sizes["board"]
            target = TARGETS.get((name, epochs))
            verdict = "" if target is None else f"   target ≤ {target:g}  {'PASS' if own / board <= target else 'MISS'}"
            missed += bool(target is not None and own / board > target)
            print(
                f"  {epochs:5} epochs: {own / 1e6:6.2f} MB, {len(heavy)} heavy snapshots; costly ones add "
                f"{more / 1e6:.2f} MB; TensorBoard {board / 1e6:7.2f} MB: {own / board:.2f} ×{verdict}; with costly "
                f"{(own + more) / board:.2f} ×"
            )
    print(f"\n{missed} targets missed")


if __name__ == "__main__":
    main()
