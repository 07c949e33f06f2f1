"""The samples of the probe: given by the user, or collected from the batches of the first epoch."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.payloads import IntArray, Probe, Targets

# Most samples and bytes that are collected. PROBE_SAMPLES of the samples are the probe, the rest are further samples.
COLLECTED_SAMPLES = 1024
PROBE_SAMPLES = 256
COLLECTED_BYTES = 64 << 20
# If the epoch length is unknown, a few samples of many batches represent the data better than many of a few batches.
MIN_SAMPLES_PER_BATCH = 8
# Where shapes differ from batch to batch, so many samples of one shape are enough of a probe.
MIN_ALIKE = 64
# Labels at or above this value are not counted as classes.
MAX_CLASSES = 10_000


@dataclass(frozen=True)
class Samples:
    """Inputs ``x`` (an array ``(samples, …)``, or lists and dictionaries of arrays) and labels ``y`` if known.

    ``more`` holds further inputs, on which units that seem dead are observed again.
    """

    x: Any
    y: Any
    source: str
    more: Any = None

    def __len__(self) -> int:
        return len(keras.tree.flatten(self.x)[0])

    def first(self, count: int) -> Samples:
        """The first samples alone."""
        x, y = keras.tree.map_structure(lambda a: None if a is None else a[:count], (self.x, self.y))
        return Samples(x, y, self.source)

    @functools.cached_property
    def description(self) -> Probe:
        """The description of the probe that the log stores."""
        counts = np.bincount(class_labels(self.y))
        return Probe(self.source, len(self), tuple(int(n) for n in counts), targets(self.y))


def given_samples(probe: Any) -> Samples:
    """The probe that the user gave: ``x`` or ``(x, y)``.

    Raises:
        ValueError: If it is empty, or its arrays differ in length.
    """
    x, y = probe if isinstance(probe, tuple) and len(probe) == 2 else (probe, None)
    x, y = keras.tree.map_structure(_as_array, (x, y))
    lengths = {len(a) if np.ndim(a) else 0 for a in keras.tree.flatten((x, y)) if a is not None}
    if not lengths or 0 in lengths:
        raise ValueError("The probe is empty. Give some images, as in probe=(x_val[:512], y_val[:512]).")
    if len(lengths) > 1:
        raise ValueError(
            f"The arrays of the probe have different lengths: {sorted(lengths)}. Give one label per image."
        )
    return Samples(x, y, "given")


def _as_array(value: Any) -> Any:
    if value is None:
        return None
    array = to_host(value) if keras.ops.is_tensor(value) else np.asarray(value)
    return array.astype(np.float32) if array.dtype == np.float64 else array


class SampleCollector:
    """Collects samples of one source that are spread evenly over an epoch, whose length may be unknown.

    If there are too many samples, half of each batch's samples are dropped, down to a few per batch. After that, every
    other collected batch is dropped, and only every other later batch is collected.
    """

    def __init__(self, batches: int | None) -> None:
        """``batches``: Number of batches in the epoch, if known."""
        self._per_batch = max(COLLECTED_SAMPLES // batches, 1) if batches else COLLECTED_SAMPLES
        self._stride = 1
        self._kept: list[tuple[int, Any]] = []  # batch number and the samples kept from it
        self._total = 0  # number of samples kept

    def wants(self, batch: int) -> bool:
        """Whether samples of the batch with this 0-based number would be kept."""
        return batch % self._stride == 0

    def add(self, batch: int, data: Any) -> None:
        """Keep the first samples of ``data``, a structure of arrays."""
        self._kept.append((batch, self._first(data)))
        self._total += _samples(self._kept[-1][1])
        while self._total > self._capacity() and len(self._kept) > 1:
            if self._per_batch > MIN_SAMPLES_PER_BATCH:
                self._per_batch //= 2
                self._kept = [(number, self._first(part)) for number, part in self._kept]
            else:
                self._stride *= 2
                self._kept = [(number, part) for number, part in self._kept if number % self._stride == 0]
            self._total = sum(_samples(part) for _, part in self._kept)

    def samples(self) -> Samples | None:
        """What was collected; None if that is nothing."""
        if not self._kept:
            return None
        parts = _alike([part for _, part in self._kept])
        x, y = keras.tree.map_structure(_concatenated, *parts)
        stride = -(-len(keras.tree.flatten(x)[0]) // PROBE_SAMPLES)
        probe_x, probe_y = keras.tree.map_structure(lambda a: None if a is None else a[::stride], (x, y))
        if stride == 1:
            return Samples(probe_x, probe_y, "collected")
        rest = np.arange(len(keras.tree.flatten(x)[0])) % stride != 0
        return Samples(probe_x, probe_y, "collected", keras.tree.map_structure(lambda a: a[rest], x))

    def _first(self, data: Any) -> Any:
        return keras.tree.map_structure(lambda a: None if a is None else a[: self._per_batch], data)

    def _capacity(self) -> int:
        arrays = [a for a in keras.tree.flatten(self._kept[0][1]) if a is not None]
        size = sum(a.nbytes // max(len(a), 1) for a in arrays)
        return max(min(COLLECTED_SAMPLES, COLLECTED_BYTES // max(int(size), 1)), 1)


class ProbeCollector:
    """Collects the probe: samples of the data, and of the inputs that each part is called with, by source.

    The data are the source ``""``; a part's inputs have the part's name. ``collected`` is kept for a later ``fit``.
    """

    def __init__(self, batches: int | None) -> None:
        """``batches``: Number of batches in the epoch, if known."""
        self.collected: dict[str, Samples] = {}
        self._batches = batches
        self._sources: dict[str, SampleCollector] = {}

    def wants(self, batch: int) -> bool:
        """Whether samples of the batch with this 0-based number would be kept."""
        return not self._sources or any(source.wants(batch) for source in self._sources.values())

    def add(self, batch: int, data: Mapping[str, Any]) -> None:
        """Keep the first samples of each source, a structure of arrays (x, y)."""
        for name, samples in data.items():
            # Not each step needs to show what a part is called with.
            source = self._sources.setdefault(name, SampleCollector(None if name else self._batches))
            if source.wants(batch):
                source.add(batch, samples)

    def complete(self) -> dict[str, Samples]:
        """The samples by source; as long as they are empty, the collection goes on."""
        found = {name: source.samples() for name, source in self._sources.items()}
        self.collected = {name: samples for name, samples in found.items() if samples is not None}
        return self.collected


def _alike(parts: list[Any]) -> list[Any]:
    """Parts whose samples have one shape: those of the commonest, or all, padded with zeros, if that has too few."""
    shapes: dict[tuple[Any, ...], list[Any]] = {}
    for part in parts:
        key = tuple(None if a is None else a.shape[1:] for a in keras.tree.flatten(part))
        shapes.setdefault(key, []).append(part)
    commonest = max(shapes.values(), key=lambda alike: sum(map(_samples, alike)))
    if len(shapes) == 1 or sum(map(_samples, commonest)) >= MIN_ALIKE:
        return commonest
    flat = [keras.tree.flatten(part) for part in parts]
    if len({tuple(None if a is None else a.ndim for a in arrays) for arrays in flat}) > 1:
        return commonest
    largest = [
        None if arrays[0] is None else np.max([a.shape[1:] for a in arrays], axis=0)
        for arrays in zip(*flat, strict=True)
    ]
    return [
        keras.tree.pack_sequence_as(part, [_padded(a, size) for a, size in zip(arrays, largest, strict=True)])
        for part, arrays in zip(parts, flat, strict=True)
    ]


def _padded(array: Any, size: Any) -> Any:
    if array is None:
        return None
    return np.pad(array, [(0, 0), *((0, int(most) - have) for most, have in zip(size, array.shape[1:], strict=True))])


def _samples(data: Any) -> int:
    return len(keras.tree.flatten(data)[0])


def _concatenated(*arrays: Any) -> Any:
    return None if arrays[0] is None else np.concatenate(arrays)[:COLLECTED_SAMPLES]


def class_labels(y: Any) -> IntArray:
    """Class of each sample ``(samples,)`` if the labels are class indices or one-hot; empty otherwise."""
    arrays: Sequence[Any] = [a for a in keras.tree.flatten(y) if a is not None] if y is not None else []
    empty = np.empty(0, np.int64)
    if len(arrays) != 1:
        return empty
    labels = np.asarray(arrays[0])
    if labels.ndim == 2 and labels.shape[1] > 1:
        one_hot = np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()
        return np.asarray(labels.argmax(axis=1), np.int64) if one_hot else empty
    labels = labels.reshape(-1) if labels.ndim == 2 else labels
    if labels.ndim != 1 or labels.dtype.kind not in "iufb" or not np.isfinite(labels).all():
        return empty
    if (labels != np.round(labels)).any() or labels.min() < 0 or labels.max() >= MAX_CLASSES:
        return empty
    return labels.astype(np.int64)


def targets(y: Any) -> Targets | None:
    """Range and variation of the targets; None unless they are finite numbers for a single output."""
    arrays: Sequence[Any] = [a for a in keras.tree.flatten(y) if a is not None] if y is not None else []
    if len(arrays) != 1:
        return None
    values = np.asarray(arrays[0])
    if values.dtype.kind not in "iufb" or not values.size or not np.isfinite(values).all():
        return None
    channels = values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1).astype(np.float64)
    return Targets(
        shape=tuple(int(n) for n in values.shape[1:]),
        low=float(channels.min()),
        high=float(channels.max()),
        whole=bool((channels == np.round(channels)).all()),
        variance=float(channels.var(axis=0).mean()),
        deviation=float(np.abs(channels - np.median(channels, axis=0)).mean()),
        distribution=bool(channels.min() >= 0 and np.allclose(channels.sum(axis=1), 1, atol=1e-3)),
    )
