"""A log of trainings that never were: the same numbers on every machine, from the real diagnostics and rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from tb_cnndiag.diagnostics import BUILTIN, LayerSnapshot, Snapshot
from tb_cnndiag.finding import Findings
from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import verdict
from tb_cnndiag.numerics.pictures import evenly_spaced
from tb_cnndiag.payloads import FieldAxis, LayerInfo, Probe, ReceptiveField, RunInfo, Scalars
from tb_cnndiag.recording.measurer import Measurer
from tb_cnndiag.summaries.codec import Measurement, encode
from tb_cnndiag.summaries.writer import SnapshotWriter
from tests.e2e.made_images import made_images

SNAPSHOTS, STEPS_BETWEEN_SNAPSHOTS, SAMPLES, CLASSES = 9, 50, 64, 4
SHAPES = {
    "stem/conv": (5, 5, 3, 12),
    "body/conv_a": (3, 3, 12, 24),
    "body/conv_b": (3, 3, 24, 24),
    "hidden": (24, 16),
    "classes": (16, CLASSES),
}


@dataclass(frozen=True)
class Training:
    """How a made-up training goes: ``dead`` is the layer whose units never fire; the layers after it learn nothing."""

    name: str
    seed: int
    dead: str = ""
    snapshots: int = SNAPSHOTS


TRAININGS = (Training("faulty", 1, "body/conv_b"), Training("healthy", 2), Training("short", 3, snapshots=5))


def layer_table() -> tuple[LayerInfo, ...]:
    """Three convolutions and two dense layers."""
    rows = []
    for row, (path, shape) in enumerate(SHAPES.items()):
        conv = len(shape) == 4
        rows.append(
            LayerInfo(
                path,
                class_name="Conv2D" if conv else "Dense",
                role="conv" if conv else "dense",
                units=shape[-1],
                fan_in=int(np.prod(shape[:-1])),
                kernel_shape=shape,
                output_shape=(12, 12, shape[-1]) if conv else (shape[-1],),
                activation="softmax" if path == "classes" else "relu",
                seen_at=path,
                parameters=int(np.prod(shape)) + shape[-1],
                inputs=(row - 1,) if row else (),
                output=path == "classes",
                initializer="he_normal",
                receptive_field=_field(row, conv=conv),
            )
        )
    return tuple(rows)


def _field(row: int, *, conv: bool) -> ReceptiveField:
    """Of 24 × 24 pixels, a convolution sees more the deeper it lies; a dense layer sees all."""
    size, padding = (5 + 4 * row, 2 + 2 * row) if conv else (24, 0)
    axis = FieldAxis(24, float(size), 2.0 if conv else 0.0, float(padding))
    return ReceptiveField("stem/conv", (axis, axis), whole=not conv)


def snapshots(training: Training) -> Iterator[Snapshot]:
    """What the callback would have captured at each snapshot."""
    rng = np.random.default_rng(training.seed)
    table = layer_table()
    kernels = {row.path: rng.normal(0, (2 / row.fan_in) ** 0.5, (row.units, row.fan_in)) for row in table}
    drift = {path: rng.normal(0, 0.3 * kernel.std(), kernel.shape) for path, kernel in kernels.items()}
    labels = np.arange(SAMPLES) % CLASSES
    responses = {row.path: rng.normal(0.2, 1.0, (SAMPLES, row.units)) for row in table}
    silent = [row.path for row in table][list(SHAPES).index(training.dead) :] if training.dead else []
    for number in range(training.snapshots):
        progress = number / (SNAPSHOTS - 1)
        layers = []
        for depth, row in enumerate(table):
            gone = row.path in silent and row.path != "classes"
            kernel = kernels[row.path] + progress * drift[row.path] * (not silent)
            kernel[1] = progress * kernel[0] + (1 - progress) * kernel[1]  # two filters grow alike
            values = np.zeros((SAMPLES, row.units)) if gone else np.maximum(responses[row.path] * (1 + progress), 0)
            if not gone and training.name != "healthy":
                values[:, : round(progress * 4)] = 0
            data = {
                "kernel": kernel,
                "bias": np.zeros(row.units),
                "sample_max": values * 2,
                "sample_mean": values,
                "unit_mean": values.mean(axis=0),
                "unit_mean_abs": values.mean(axis=0),
                "activation_sample": np.repeat(values.ravel(), 4) * rng.gamma(4, 0.25, 4 * values.size),
                "samples": np.asarray(SAMPLES),
                "positions": np.asarray(144),
            }
            if depth:
                data["routes"] = np.arange(-1, SHAPES[row.path][-2])[None]
                data["routes"][0, 0] = depth - 1
            if number:
                norm = 0.0 if silent and not row.output else 0.1 * 0.7 ** (len(table) - depth) * np.exp(-progress)
                data |= {
                    "gradient_norm": np.asarray(norm),
                    "gradient_steps": np.asarray(5),
                    "gradient_non_finite_steps": np.asarray(0),
                    "update_norm": np.asarray(0.01 * norm),
                }
            data |= _pictures(row, rng, gone)
            data |= _patches(row, data["sample_max"], labels)
            if row.output:
                right = progress * (not silent)
                output = np.full((SAMPLES, CLASSES), (1 - right) / CLASSES)
                output[np.arange(SAMPLES), np.where(rng.uniform(size=SAMPLES) < 0.3 + right, labels, 0)] += right
                output[:, 0] += 0.2 * bool(silent)
                output /= output.sum(axis=1, keepdims=True)
                data |= {"output": output, "output_diversity": output.std(axis=0).mean()}
            layers.append(LayerSnapshot(row, {name: np.asarray(value, np.float32) for name, value in data.items()}))
        loss = 1.4 if silent else 1.4 * np.exp(-2 * progress)
        logs = {"loss": loss, "val_loss": loss * 1.1, "accuracy": 1 - loss / 2, "val_accuracy": 0.95 - loss / 2}
        yield Snapshot(
            number * STEPS_BETWEEN_SNAPSHOTS, number, layers, {**logs, "learning_rate": 1e-3} if number else {}
        )


def _pictures(row: LayerInfo, rng: np.random.Generator, gone: bool) -> dict[str, np.ndarray]:
    y, x = np.mgrid[-1:1:12j, -1:1:12j]
    discs = np.stack([np.hypot(x - shift, y) < 0.6 for shift in (-0.3, 0.3)])
    data: dict[str, np.ndarray] = {}
    if not row.inputs:
        data["input_picture"] = discs[..., None] * np.array([1.0, 0.6, 0.1])
        data |= {"input_mean": np.zeros(3), "input_std": np.ones(3), "input_min": -np.ones(3), "input_max": np.ones(3)}
        data |= {"input_constant": np.zeros(SAMPLES), "input_diversity": np.ones(())}
    if row.role == "conv":
        units = evenly_spaced(row.units, 8)
        waves = np.sin(3 * x[..., None] * rng.normal(size=len(units)) + 3 * y[..., None] * rng.normal(size=len(units)))
        data["pictured_units"] = units
        data["feature_map"] = np.maximum(discs[..., None] * waves, 0) * (not gone)
    return data


def _patches(row: LayerInfo, responses: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """The nine strongest images of each unit, and at the first layer all images: a bar of the class's color."""
    order = np.argsort(-responses, axis=0, kind="stable")[:9].T
    positions = (7 * order + 13) % 144 if row.role == "conv" else np.zeros_like(order)
    values = np.take_along_axis(responses, order.T, axis=0).T
    data = {"peaks": np.stack([values, order, positions], axis=-1), "searched": np.asarray(SAMPLES), "labels": labels}
    if not row.inputs:
        y, x = np.mgrid[-1:1:24j, -1:1:24j]
        angles = np.linspace(0, np.pi, SAMPLES)[:, None, None]
        bars = np.abs(np.cos(angles) * x + np.sin(angles) * y) < 0.3
        tones = np.array([[1, 0.2, 0.1], [0.2, 0.8, 0.3], [0.2, 0.4, 1], [1, 0.9, 0.2]])[labels]
        data["image"] = 0.1 + 0.9 * bars[..., None] * tones[:, None, None]
    return data


def _info() -> RunInfo:
    return RunInfo(
        "made",
        layer_table(),
        model="made",
        diagnostics=tuple(kind().info() for kind in BUILTIN),
        loss='"sparse_categorical_crossentropy"',
        optimizer='{"class_name": "Adam", "config": {"learning_rate": 0.001}}',
        batch_size=32,
        probe=Probe("given", SAMPLES, (SAMPLES // CLASSES,) * CLASSES),
        parameters=sum(row.parameters for row in layer_table()),
    )


class Writing:
    """A training that is being written, snapshot by snapshot, as the callback would."""

    def __init__(self, logdir: Path, name: str, training: Training = TRAININGS[1]) -> None:
        self._snapshots = snapshots(training)
        self._history = History()
        self._measurer = Measurer([kind() for kind in BUILTIN])
        self._writer = SnapshotWriter(logdir / name / "cnndiag")
        self._number = 0

    def __enter__(self) -> Writing:
        return self

    def __exit__(self, *_error: object) -> None:
        assert not self._measurer.failed, self._measurer.failed
        self._writer.close()

    def snapshots(self, count: int) -> None:
        """Write so many more snapshots, as many as there are."""
        for snapshot in islice(self._snapshots, count):
            number = self._number
            first = [Measurement("run_info", 0, 0, _info(), table="made")] if number == 0 else []
            made = [*first, *self._measurer.measure(snapshot, number, "made", self._measurer.diagnostics)[0]]
            for measurement in made:
                self._history.add(measurement)
            judged = verdict(self._history)
            found = Findings.of(judged.findings, judged.coverage)
            findings = Measurement("findings", snapshot.step, number, found, epoch=number, table="made")
            cost = replace(findings, diagnostic="overhead", payload=Scalars({"seconds": 0.01 * number, "bytes": 1e4}))
            self._writer.write(snapshot.step, [(m, encode(m)) for m in [*made, findings, cost]], {})
            self._number += 1

    def images(self, layer: str, seed: int) -> None:
        """Add images of the units of a layer, and maps of classes, to the last snapshot."""
        messages = made_images(self._history, layer, seed)
        self._writer.write(messages[0].step, [(each, encode(each)) for each in messages], {})


def write(logdir: Path) -> None:
    """Write all trainings below ``logdir``. Those that learn have images of the units of a layer."""
    for training in TRAININGS:
        with Writing(logdir, training.name, training) as writing:
            writing.snapshots(training.snapshots)
            if not training.dead:
                writing.images("body/conv_a", training.seed)
