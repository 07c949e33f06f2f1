"""The log as the report page holds it: streamed in, thinned to fit, with a description of what was left out.

The log is thinned step by step, until the page fits:

1. Similarity matrices, trees, densities, patches and images (the heavy kinds): fewer and fewer snapshots are kept,
   evenly spaced, down to the last one of each layer.
2. Patches and images: fewer and fewer units are kept, down to those that findings name and the medoids of clusters
   (:mod:`tb_cnndiag.report.pictured_units`).
3. States and values of units: fewer and fewer snapshots.
4. Numbers of layers and of the model: the same, down to the first and the last.
5. Matrices, trees and densities are left out altogether; then patches and images, those that findings name last; then
   the states and values of units.

The last snapshot of each kept kind is always there. Findings are never thinned.
"""

from __future__ import annotations

import base64
import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from tb_cnndiag.payloads import (
    HEAVY_KINDS,
    Atlas,
    Images,
    LayerColumns,
    Patches,
    RunInfo,
    Scalars,
    UnitStates,
    UnitValues,
)
from tb_cnndiag.report.pictured_units import PicturedUnits
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec import Measurement, decode, encode
from tb_cnndiag.summaries.names import run_id, split_tag, tag_of
from tb_cnndiag.summaries.thinning import thinned
from tb_cnndiag.webp import shrunk

HEAVY, PICTURES, UNITS, NUMBERS, WORDS = range(5)
# While reading, at most so many snapshots of a heavy kind and layer are kept: memory stays bounded for long logs.
MAX_KEPT = 64
ALL = 1 << 30


class Keep(NamedTuple):
    """How many snapshots are kept of heavy kinds, of units, and of numbers; and how many units have pictures."""

    heavy: int
    units: int
    numbers: int
    pictured: int = ALL

    def of(self, weight: int) -> int:
        """Snapshots that are kept of the messages of a weight."""
        pictures = max(self.heavy, 1) if self.pictured else 0
        return (self.heavy, pictures, self.units, self.numbers, ALL)[weight]


def _ladder(pictured: PicturedUnits) -> list[Keep]:
    fewer = [ALL, *sorted({int(1.2**power) for power in range(46)}, reverse=True)]
    total, fewest = len(pictured.order), pictured.fewest
    steps = [count for count in fewer if count < total]
    least = fewest if total else ALL
    return [
        *(Keep(n, ALL, ALL) for n in fewer),
        *(Keep(1, ALL, ALL, count) for count in steps if count > fewest),
        *(Keep(1, n, ALL, least) for n in fewer),
        *(Keep(1, 1, n, least) for n in fewer if n > 1),
        *(Keep(0, 1, 2, count) for count in (least, *(count for count in steps if count < fewest), 0)),
        Keep(0, 0, 2, 0),
    ]


@dataclass
class TagMessages:
    """The messages of one tag, in step order."""

    weight: int = WORDS
    total: int = 0
    messages: list[tuple[int, bytes]] = field(default_factory=list)
    _stride: int = 1

    def add(self, step: int, data: bytes) -> None:
        """Add the message of the next snapshot; of two with the same step the later one counts."""
        self.forget_from(step)
        # The last message is always kept; it goes when the next arrives, unless the stride selects it.
        if len(self.messages) > 1 and (self.total - 1) % self._stride:
            self.messages.pop()
        self.messages.append((step, data))
        self.total += 1
        if self.weight in (HEAVY, PICTURES) and len(self.messages) > MAX_KEPT:
            self._stride *= 2
            self.messages = [*self.messages[:-1:2], self.messages[-1]]

    def forget_from(self, step: int) -> None:
        """Drop this step and all after it."""
        while self.messages and self.messages[-1][0] >= step:
            self.messages.pop()
            self.total -= 1

    def kept(self, keep: Keep) -> list[bytes]:
        """The messages that stay."""
        most = keep.of(self.weight)
        return thinned([data for _, data in self.messages], most) if most else []


@dataclass
class Log:
    """One run's messages by tag."""

    run: str
    tags: dict[str, TagMessages] = field(default_factory=dict)
    _atlases: dict[str, Measurement] = field(default_factory=dict)
    _last_step: int = -1
    _table: str = ""
    _decoded: dict[str, tuple[bytes, Measurement]] = field(default_factory=dict)

    def add(self, measurement: Measurement) -> None:
        """Add one measurement, in the order written. A step that goes back is a restart: later messages are dropped."""
        if measurement.step < self._last_step:
            for each in self.tags.values():
                if each.weight != WORDS:
                    each.forget_from(measurement.step)
        self._last_step = measurement.step
        tag = tag_of(measurement.diagnostic, measurement.layer)
        snapshots = self.tags.setdefault(tag, TagMessages())
        snapshots.weight = _weight(measurement)
        if isinstance(measurement.payload, RunInfo):  # the last description with the same layer table says it all
            if snapshots.messages and measurement.payload.table == self._table:
                snapshots.messages.pop()
                snapshots.total -= 1
            self._table = measurement.payload.table
        snapshots.add(measurement.step, encode(measurement))
        if isinstance(measurement.payload, Atlas):
            self._atlases[tag] = measurement

    def kept(self, tag: str, keep: Keep, pictured: PicturedUnits) -> list[bytes]:
        """The messages of a tag that stay, those with pictures of units cut to the units that stay."""
        snapshots = self.tags[tag]
        messages = snapshots.kept(keep)
        if snapshots.weight != PICTURES or keep.pictured >= len(pictured.order):
            return messages
        cut = (pictured.cut(self.run, self._pictures(tag), keep.pictured) for _ in messages)
        return [data for data in cut if data is not None]

    def pictured(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """The units that have patches or images, by run and layer."""
        shown: dict[tuple[str, str], dict[int, None]] = {}
        for tag, messages in self.tags.items():
            if messages.weight == PICTURES:
                measurement = self._pictures(tag)
                units = _pictured(measurement)
                shown.setdefault((self.run, measurement.layer), {}).update(dict.fromkeys(units))
        return {key: tuple(units) for key, units in shown.items() if units}

    def _pictures(self, tag: str) -> Measurement:
        """The last message of a tag."""
        data = self.tags[tag].messages[-1][1]
        if self._decoded.get(tag, (b"",))[0] is not data:
            measurement = decode(data)
            assert measurement is not None
            self._decoded[tag] = data, measurement
        return self._decoded[tag][1]

    def shrink_atlases(self, most: int) -> None:
        """Keep only the last picture of each image that enters the model, all of them in at most ``most`` bytes."""
        for tag, measurement in self._atlases.items():
            assert isinstance(measurement.payload, Atlas)
            smaller = replace(measurement, payload=shrunk(measurement.payload, most // len(self._atlases)))
            self.tags[tag].messages = [(measurement.step, encode(smaller))]
            self.tags[tag].total = 1


def fitted(logs: Sequence[Log], room: int, pictured: PicturedUnits | None = None) -> tuple[str, Keep] | None:
    """JSON for a script element that fits into ``room`` bytes, and what is kept; None if nothing fits."""
    order = pictured or PicturedUnits()

    def size(keep: Keep) -> int:
        """Approximate size in bytes: base64 is a third longer, and each message has a frame."""
        kept = (log.kept(tag, keep, order) for log in logs for tag in log.tags)
        return sum(len(data) + 4 for messages in kept for data in messages) * 4 // 3

    ladder = _ladder(order)
    start = bisect_left(ladder, -room, key=lambda keep: -size(keep))
    for keep in ladder[start:]:
        text = json.dumps(_data(logs, keep, order), separators=(",", ":")).replace("<", "\\u003c")
        if len(text) <= room:
            return text, keep
    return None


def left_out(logs: Sequence[Log], keep: Keep, pictured: PicturedUnits | None = None) -> tuple[str, ...]:
    """What the page leaves out, in words; empty if it holds everything."""
    words = {
        HEAVY: "similarity matrices, trees, graphs, densities and classes of units",
        PICTURES: "patches and images",
        UNITS: "states and values of units",
        NUMBERS: "numbers of layers and of the model",
    }
    notes = []
    for weight, what in words.items():
        snapshots = [each for log in logs for each in log.tags.values() if each.weight == weight]
        kept, total = sum(len(each.kept(keep)) for each in snapshots), sum(each.total for each in snapshots)
        if kept < total:
            which = "the last snapshot of each is included" if kept else "they do not fit"
            notes.append(f"{kept:,} of {total:,} {what} are included; {which}.")
    if pictured is not None and keep.pictured < len(pictured.order):
        notes.append(pictured.words(keep.pictured))
    return tuple(notes)


def _pictured(measurement: Measurement) -> Sequence[int]:
    payload = measurement.payload
    if isinstance(payload, Patches):
        return range(len(payload.images)) if payload.listed is None else payload.listed.tolist()
    return [image.unit for image in payload.images] if isinstance(payload, Images) else ()


def _weight(measurement: Measurement) -> int:
    payload = measurement.payload
    if isinstance(payload, Patches | Images | Atlas):
        return PICTURES
    if isinstance(payload, HEAVY_KINDS):
        return HEAVY
    if isinstance(payload, UnitStates | UnitValues):
        return UNITS
    return NUMBERS if isinstance(payload, LayerColumns | Scalars) else WORDS


def _data(logs: Sequence[Log], keep: Keep, pictured: PicturedUnits) -> Mapping[str, Any]:
    runs, measurements = [], {}
    for log in logs:
        listed = []
        for tag, snapshots in sorted(log.tags.items()):
            messages = log.kept(tag, keep, pictured)
            if not messages:
                continue
            diagnostic, layer = split_tag(tag) or ("", "")
            listed.append({"tag": tag, "diagnostic": diagnostic, "layer": layer, "max_step": snapshots.messages[-1][0]})
            served = pb.MeasurementList(items=messages, total=snapshots.total)
            measurements[f"{run_id(log.run)}\n{tag}"] = base64.b64encode(served.SerializeToString()).decode()
        runs.append({"run": log.run, "id": run_id(log.run), "tags": listed})
    return {"runs": runs, "measurements": measurements}
