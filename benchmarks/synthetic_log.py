"""A synthetic log of the size that large trainings write, to measure the server and the page.

What is written has the shape of real logs; the numbers are random. Payloads of a layer are encoded once and reused, so
that a log of 200 layers × 1,000 steps is there in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tb_cnndiag.diagnostics import BUILTIN
from tb_cnndiag.payloads import (
    ColumnInfo,
    Dendrogram,
    Density,
    DiagnosticInfo,
    LayerColumns,
    LayerInfo,
    Matrix,
    RunInfo,
    Scalars,
    UnitStates,
)
from tb_cnndiag.summaries.codec import Measurement, Payload, encode
from tb_cnndiag.summaries.writer import SnapshotWriter

WIDTHS = (64, 256, 512, 2048)
CELLS = 256
TABLE = "synthetic"
STEPS_BETWEEN_SNAPSHOTS = 10

DIAGNOSTICS = (
    DiagnosticInfo("training_curve", "Training curve", "Loss.", model_kind="scalars"),
    DiagnosticInfo(
        "dead_units",
        "Dead units",
        "Units that never fire.",
        (
            ColumnInfo("dead_ratio", "Dead units", "share", "Share of dead units.", low=0.0, high=1.0),
            ColumnInfo("dormant_ratio", "Dormant units", "share", "Share of dormant units.", low=0.0, high=1.0),
        ),
        "unit_states",
    ),
    DiagnosticInfo(
        "gradient_flow",
        "Gradient flow",
        "Gradient by layer.",
        (ColumnInfo("gradient_norm", "Gradient norm", "norm", "Norm.", logarithmic=True),),
    ),
    DiagnosticInfo(
        "filter_similarity",
        "Filter similarity",
        "Which filters are alike.",
        (ColumnInfo("twin_ratio", "Filters with a twin", "share", "Share of twins.", low=0.0, high=1.0),),
        "matrix",
    ),
    DiagnosticInfo("filter_clusters", "Filter clusters", "The tree.", (), "dendrogram"),
    DiagnosticInfo("activation_density", "Activation density", "Densities.", (), "density"),
)


@dataclass(frozen=True)
class Size:
    """How large the log is. With ``all_columns`` each light snapshot has the columns of every built-in diagnostic."""

    layers: int = 200
    snapshots: int = 1000
    heavy_snapshots: int = 12
    all_columns: bool = False

    def diagnostics(self) -> tuple[DiagnosticInfo, ...]:
        """What the log says was measured."""
        return DIAGNOSTICS + (_others() if self.all_columns else ())


def _others() -> tuple[DiagnosticInfo, ...]:
    known = {info.name for info in DIAGNOSTICS}
    return tuple(kind().info() for kind in BUILTIN if kind.name not in known)


def layer_table(size: Size) -> tuple[LayerInfo, ...]:
    """Four stages of blocks of five convolutions, wider from stage to stage."""
    per_stage = -(-size.layers // len(WIDTHS))
    return tuple(
        LayerInfo(
            path=f"stage{i // per_stage + 1}/block{i % per_stage // 5 + 1}/conv2d_{i % 5 + 1}",
            class_name="Conv2D",
            role="conv",
            units=WIDTHS[i // per_stage],
            fan_in=576,
            kernel_shape=(3, 3, 64, WIDTHS[i // per_stage]),
            output_shape=(14, 14, WIDTHS[i // per_stage]),
            activation="relu",
            inputs=(i - 1,) if i else (),
        )
        for i in range(size.layers)
    )


def _tree(units: int, order: np.ndarray) -> Dendrogram:
    """A comb: each merge adds the next leaf."""
    left = np.concatenate([order[:1], units + np.arange(units - 2)])
    heights = np.linspace(0.01, 1.0, units - 1).astype(np.float32)
    return Dendrogram(np.stack([left, order[1:]], axis=1), heights, order, 0.2, np.arange(units))


def _heavy(units: int, rng: np.random.Generator) -> dict[str, Payload]:
    cells = min(units, CELLS)
    order = rng.permutation(units)
    values = np.clip(rng.normal(0, 0.2, (cells, cells)), -1, 1).astype(np.float32)
    values = np.maximum(values, values.T)
    np.fill_diagonal(values, 1.0)
    return {
        "filter_similarity": Matrix(values, order, -1.0, 1.0, "cosine", pool=-(-units // cells)),
        "filter_clusters": _tree(units, order),
        "activation_density": Density(
            0.0, 6.0, np.exp(-np.linspace(0, 6, 256)).astype(np.float32), (), bandwidth=0.05, samples=65536
        ),
        "dead_units": UnitStates(rng.integers(1, 4, units).astype(np.uint8), 256, 50176),
    }


def _body(payload: Payload) -> bytes:
    """The payload alone: messages that are joined byte by byte are merged when read."""
    return encode(Measurement("", 0, 0, payload))


@dataclass
class _Snapshot:
    """The messages of one snapshot, collected one by one."""

    number: int
    messages: list[tuple[Measurement, bytes]] = field(default_factory=list)

    @property
    def step(self) -> int:
        return self.number * STEPS_BETWEEN_SNAPSHOTS

    def add(self, diagnostic: str, payload: Payload, body: bytes | None = None, layer: str = "") -> None:
        """Append a message; with ``body``, its payload is already encoded."""
        measurement = Measurement(diagnostic, self.step, self.number, payload, layer, epoch=self.number, table=TABLE)
        if body is None:
            self.messages.append((measurement, encode(measurement)))
        else:
            header = encode(replace(measurement, payload=LayerColumns({})))
            self.messages.append((measurement, header + body))


def snapshots(size: Size, seed: int = 0) -> Iterator[_Snapshot]:
    """All snapshots of a training: light columns at each, heavy payloads at log-spaced ones."""
    rng = np.random.default_rng(seed)
    layers = layer_table(size)
    heavy = {units: {name: (p, _body(p)) for name, p in _heavy(units, rng).items()} for units in WIDTHS}
    scheduled = set(np.unique(np.geomspace(1, size.snapshots, size.heavy_snapshots).astype(int) - 1).tolist())
    for number in range(size.snapshots):
        snapshot = _Snapshot(number)
        if number == 0:
            snapshot.add(
                "run_info", RunInfo(TABLE, layers, model="synthetic", diagnostics=size.diagnostics(), batch_size=64)
            )
        dead = np.clip(rng.beta(0.4, 4, size.layers) * number / size.snapshots, 0, 1)
        snapshot.add("findings", ())
        snapshot.add("training_curve", Scalars({"loss": np.exp(-number / 300), "val_loss": np.exp(-number / 400)}))
        snapshot.add("dead_units", LayerColumns({"dead_ratio": dead, "dormant_ratio": np.sqrt(dead)}))
        snapshot.add("gradient_flow", LayerColumns({"gradient_norm": 10 ** rng.normal(-2, 1, size.layers)}))
        snapshot.add("filter_similarity", LayerColumns({"twin_ratio": rng.beta(1, 9, size.layers)}))
        for other in size.diagnostics()[len(DIAGNOSTICS) :]:
            columns = {column.name: rng.beta(1, 9, size.layers) for column in other.columns}
            if columns:
                snapshot.add(other.name, LayerColumns(columns))
        if number in scheduled:
            for layer in layers:
                for diagnostic, (payload, body) in heavy[layer.units].items():
                    snapshot.add(diagnostic, payload, body, layer.path)
        yield snapshot


def write(directory: Path, size: Size) -> int:
    """Write the log to ``directory/cnndiag``; the number of bytes."""
    writer = SnapshotWriter(directory / "cnndiag")
    for snapshot in snapshots(size):
        writer.write(snapshot.step, snapshot.messages, {})
    writer.close()
    return writer.bytes_written
