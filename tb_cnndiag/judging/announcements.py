"""What to announce during a training: findings once they are confirmed, and their retraction if they no longer hold.

A finding is announced together with its effects. It is confirmed by the next two snapshots, unless what it rests on
cannot change any more: a NaN never disappears. What says something about the result of a training is announced when it
ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tb_cnndiag.finding import Finding
from tb_cnndiag.wording import plural

# Faults that need no confirmation.
DEFINITE = ("nan_or_inf",)
# Further snapshots that must have a finding: a network may begin to learn late.
CONFIRMATIONS = 2
# Faults of the result of a training, which says nothing about its course: announced when it ends.
OF_THE_END = ("stale_batch_statistics", "too_few_epochs", "underfitting", "redundant_filters")
# Layers, or effects, that one sentence names.
MOST_NAMED = 5
Key: TypeAlias = tuple[str, str | None]


@dataclass(frozen=True)
class News:
    """What has changed since the last snapshot.

    Attributes:
        announced: Findings that are confirmed now, or have become more severe: causes first, effects with them.
        retracted: Announced findings that no longer hold.
    """

    announced: tuple[Finding, ...] = ()
    retracted: tuple[Finding, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether a training that is to stop on an error stops now."""
        return any(finding.severity == "error" for finding in self.announced)


@dataclass
class Announcer:
    """Decides, snapshot by snapshot, what is news."""

    _announced: dict[Key, Finding] = field(default_factory=dict)
    _seen: dict[Key, tuple[int, int]] = field(default_factory=dict)  # rank, and for how many snapshots
    _gone: set[Key] = field(default_factory=set)

    @classmethod
    def after(cls, findings: Sequence[Finding]) -> Announcer:
        """One that continues after a training that ended with these findings: they are no news."""
        return cls({_key(finding): finding for finding in findings if finding.rank() > 0})

    def update(self, findings: Sequence[Finding], *, ended: bool = False) -> News:
        """The news of a snapshot at which these findings hold; when the training has ended, nothing waits any more."""
        present = {_key(finding): finding for finding in findings}
        confirmed = {
            key
            for key, finding in present.items()
            if finding.rank() > 0 and (ended or finding.fault in DEFINITE or self._confirmed(finding))
        }
        # A confirmed effect is announced with its causes, and a confirmed cause with its effects.
        for finding in findings:
            family = _family(finding)
            if finding.rank() > 0 and any(key in confirmed for key in family):
                confirmed.update(key for key in family if present[key].rank() > 0)
        announced = tuple(
            finding
            for key, finding in present.items()
            if key in confirmed and finding.rank() > (self._announced[key].rank() if key in self._announced else -1)
        )
        gone = {key for key in self._announced if key not in present}
        retracted = tuple(
            self._announced.pop(key) for key in list(self._announced) if key in gone and (ended or key in self._gone)
        )
        self._gone = gone
        self._announced |= {_key(finding): finding for finding in announced}
        self._seen = {key: self._counted(finding) for key, finding in present.items()}
        return News(announced, retracted)

    def _confirmed(self, finding: Finding) -> bool:
        """Whether enough snapshots before this one had the finding, as severe as now."""
        _, snapshots = self._counted(finding)
        return finding.fault not in OF_THE_END and snapshots > CONFIRMATIONS

    def _counted(self, finding: Finding) -> tuple[int, int]:
        """(rank, number of consecutive snapshots that had the finding at least as severe)."""
        rank, snapshots = self._seen.get(_key(finding), (-1, 0))
        return finding.rank(), snapshots + 1 if finding.rank() <= rank else 1


def _key(finding: Finding) -> Key:
    return finding.fault, finding.layer


def _family(finding: Finding | None) -> list[Key]:
    """The finding and its causes."""
    found = []
    while finding is not None:
        found.append(_key(finding))
        finding = finding.caused_by
    return found


def sentences(news: News) -> list[str]:
    """One sentence per fault and severity, for causes with what they cause; then one per fault that is retracted."""
    announced = {_key(finding) for finding in news.announced}
    groups: dict[tuple[str, str], list[Finding]] = {}
    effects: dict[Key, list[Finding]] = {}
    for finding in news.announced:
        root = [key for key in _family(finding) if key in announced][-1]
        if root == _key(finding):
            groups.setdefault((finding.fault, finding.severity), []).append(finding)
        else:
            effects.setdefault(root, []).append(finding)
    lines = []
    for (_, severity), (first, *others) in groups.items():
        caused = [effect for finding in (first, *others) for effect in effects.get(_key(finding), ())]
        prefix = "error: " if severity == "error" else ""
        lines.append(f"step {first.last_step:,}: {prefix}{first.message}{_more(others)}{_caused(caused)}{_why(first)}")
    lines += [f"No longer found: {_named(finding)}." for finding in news.retracted]
    return lines


def _more(others: Sequence[Finding]) -> str:
    if not others:
        return ""
    named = ", ".join(finding.layer or "the model" for finding in others[:MOST_NAMED])
    end = ", …" if len(others) > MOST_NAMED else "."
    return f" The same in {plural(len(others), 'more layer')}: {named}{end}"


def _caused(effects: Sequence[Finding]) -> str:
    if not effects:
        return ""
    named = dict.fromkeys(_named(effect) for effect in effects)
    end = ", …" if len(named) > MOST_NAMED else "."
    return f" It causes: {', '.join(list(named)[:MOST_NAMED])}{end}"


def _why(finding: Finding) -> str:
    return f" Because of: {_named(finding.caused_by)}." if finding.caused_by else ""


def _named(finding: Finding) -> str:
    title = (finding.title or finding.fault).lower()
    return f"{title} in {finding.layer}" if finding.layer else title
