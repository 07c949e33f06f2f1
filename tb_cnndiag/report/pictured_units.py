"""Which units a page shows pictures of, if it has no room for all: the order, messages that are cut, and the words."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.notable_units import in_turn, medoids, named_units
from tb_cnndiag.payloads import Images, Patches
from tb_cnndiag.summaries.codec import Measurement, encode
from tb_cnndiag.wording import plural

# Layers that the page names in the sentence on what was left out.
MOST_LAYERS = 5


class Unit(NamedTuple):
    """A unit of a layer of a run."""

    run: str
    layer: str
    unit: int


@dataclass
class PicturedUnits:
    """All units that a log has pictures of, the most important first.

    Attributes:
        order: Units that findings name, then medoids of clusters, then the others; each layer in turn gives its next.
        named: How many of them findings name.
        medoids: How many of the following ones are medoids.
    """

    order: Sequence[Unit] = ()
    named: int = 0
    medoids: int = 0
    _cut: dict[tuple[str, str, str, int], bytes | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls, runs: Sequence[tuple[History, Sequence[Finding]]], shown: Mapping[tuple[str, str], Iterable[int]]
    ) -> PicturedUnits:
        """Order the units that have pictures, ``shown`` by run and layer."""
        left = {key: dict.fromkeys(units) for key, units in shown.items()}

        def taken(history: History, layer: str, units: Iterable[int]) -> list[Unit]:
            own = left.get((history.run, layer), {})
            return [Unit(history.run, layer, unit) for unit in units if own.pop(unit, False) is None]

        layers = [(history, findings, layer) for history, findings in runs for layer in history.layers]
        named = [
            taken(history, layer.path, in_turn(named_units(layer.path, layer.units, findings)))
            for history, findings, layer in layers
        ]
        typical = [taken(history, each.path, medoids(each.path, each.units, history)) for history, _, each in layers]
        rest = [[Unit(*key, unit) for unit in units] for key, units in left.items()]
        parts = [in_turn(stage) for stage in (named, typical, rest)]
        return cls([unit for part in parts for unit in part], len(parts[0]), len(parts[1]))

    @functools.cached_property
    def _ranked(self) -> Mapping[tuple[str, str], Sequence[tuple[int, int]]]:
        """Places in the order, and units, by run and layer."""
        found: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for rank, each in enumerate(self.order):
            found.setdefault((each.run, each.layer), []).append((rank, each.unit))
        return found

    @property
    def fewest(self) -> int:
        """Units that stay until snapshots of numbers have been thinned."""
        return min(len(self.order), max(self.named + self.medoids, len({unit[:2] for unit in self.order})))

    def cut(self, run: str, measurement: Measurement, count: int) -> bytes | None:
        """A message about a layer with the pictures of the first ``count`` units; None if it has none of them."""
        key = run, measurement.diagnostic, measurement.layer, count
        if key not in self._cut:
            ranked = self._ranked.get((run, measurement.layer), ())
            units = [unit for rank, unit in ranked if rank < count]
            self._cut[key] = _part(measurement, units)
        return self._cut[key]

    def words(self, count: int) -> str:
        """Which units the page has pictures of, and which not."""
        stages = (
            (self.named, "that findings name"),
            (self.medoids, "medoids of clusters"),
            (len(self.order) - self.named - self.medoids, "others"),
        )
        included, rest = [], count
        for total, what in stages:
            kept = min(total, rest)
            rest -= kept
            if total:
                included.append(f"{f'all {total:,}' if kept == total else f'{kept:,} of the {total:,}'} {what}")
        gone = Counter(each[:2] for each in self.order[count:])
        several = len({each.run for each in self.order}) > 1
        most = gone.most_common(MOST_LAYERS)
        named = [f"{number:,} of {layer}{f' in {run}' if several else ''}" for (run, layer), number in most]
        if len(gone) > len(most):
            others = sum(gone.values()) - sum(number for _, number in most)
            named.append(f"{others:,} of {plural(len(gone) - len(most), 'more layer')}")
        return (
            f"Patches and pictures of {count:,} of {len(self.order):,} units are included: {_joined(included)}. Those "
            f"of {len(self.order) - count:,} units are left out: {_joined(named)}."
        )


def _joined(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _part(measurement: Measurement, units: Sequence[int]) -> bytes | None:
    payload = measurement.payload
    if isinstance(payload, Patches):
        return encode(replace(measurement, payload=payload.part(units)))
    if isinstance(payload, Images):
        own = set(units)
        images = tuple(image for image in payload.images if image.unit in own)
        return encode(replace(measurement, payload=Images(images))) if images else None
    return encode(measurement)
