"""A log as ``TensorBoard(histogram_freq=1)`` writes: a histogram of each kernel and bias of a model per epoch."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.plugins.histogram.metadata import create_summary_metadata
from tensorboard.util.tensor_util import make_tensor_proto

from benchmarks.synthetic_log import STEPS_BETWEEN_SNAPSHOTS, Size, layer_table
from tb_cnndiag.summaries.records import frame

BUCKETS = 30
# Different histograms of one tag; they are repeated over the steps.
VARIANTS = 8


def write(directory: Path, size: Size, seed: int = 0) -> int:
    """Write the log to ``directory/train``; the number of bytes."""
    rng = np.random.default_rng(seed)
    metadata = create_summary_metadata(display_name="", description="")
    tags = [f"{layer.path}/{weight}/histogram" for layer in layer_table(size) for weight in ("kernel", "bias")]
    variants = [
        Summary(value=[Summary.Value(tag=tag, metadata=metadata, tensor=_histogram(rng)) for tag in tags])
        for _ in range(VARIANTS)
    ]
    home = directory / "train"
    home.mkdir(parents=True)
    with (home / "events.out.tfevents.1700000000.synthetic.v2").open("wb") as file:
        now = time.time()
        file.write(frame(Event(wall_time=now, file_version="brain.Event:2").SerializeToString()))
        for number in range(size.snapshots):
            step = number * STEPS_BETWEEN_SNAPSHOTS
            event = Event(wall_time=now + number, step=step, summary=variants[number % VARIANTS])
            file.write(frame(event.SerializeToString()))
        return file.tell()


def _histogram(rng: np.random.Generator) -> TensorProto:
    edges = np.linspace(-0.3, 0.3, BUCKETS + 1) * rng.uniform(0.5, 1.5)
    counts = rng.poisson(1e4 * np.exp(-(np.linspace(-2, 2, BUCKETS) ** 2)))
    return make_tensor_proto(np.stack([edges[:-1], edges[1:], counts], axis=1).astype(np.float64))
