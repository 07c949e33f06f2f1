"""Loss and metrics of snapshots that are not taken: they cost nothing, and the rules need the whole curve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias

from tb_cnndiag.diagnostics.base import Snapshot

# Most of them between two snapshots.
MOST = 64

_Names: TypeAlias = frozenset[str]


class SkippedSnapshots:
    """What Keras reported at snapshots that were skipped, kept until the next one is taken.

    If there are too many, only every other, then every fourth is kept of those that report the same names: an epoch
    ends with more names than a batch does, and more seldom.
    """

    def __init__(self) -> None:
        self.count = 0
        """How many were skipped so far."""
        self._kept: list[tuple[_Names, int, Snapshot]] = []
        self._seen: Counter[_Names] = Counter()
        self._stride: dict[_Names, int] = {}

    def add(self, step: int, epoch: int, logs: Mapping[str, float]) -> None:
        """Keep the logs of one."""
        self.count += 1
        if not logs:
            return
        names = frozenset(logs)
        number = self._seen[names]
        self._seen[names] += 1
        if number % self._stride.setdefault(names, 1) == 0:
            self._kept.append((names, number, Snapshot(step, epoch, (), dict(logs))))
        if len(self._kept) > MOST:
            ((commonest, _),) = Counter(each for each, _, _ in self._kept).most_common(1)
            self._stride[commonest] *= 2
            self._kept = [kept for kept in self._kept if kept[1] % self._stride[kept[0]] == 0]

    def take(self, before: int) -> list[Snapshot]:
        """Those that were kept of steps before this one, in order; all are forgotten here."""
        kept = [snapshot for _, _, snapshot in self._kept if snapshot.step < before]
        self._kept.clear()
        self._seen.clear()
        self._stride.clear()
        return kept
