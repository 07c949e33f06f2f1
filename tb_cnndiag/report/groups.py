"""Findings of one fault in several layers, as one entry of a report."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from tb_cnndiag.finding import Adjustment, Evidence, Finding, Severity
from tb_cnndiag.wording import labeled, plural

# Most layers that are all named; of more, the first and the last are.
MOST_NAMED = 4


@dataclass(frozen=True)
class Group:
    """Findings of one fault, severity and cause: one, or one per layer.

    Attributes:
        findings: In the order of the layers; at least one.
    """

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The finding that stands for all of them."""
        return self.findings[0]

    @property
    def fault(self) -> str:
        """Id of the fault."""
        return self.first.fault

    @property
    def severity(self) -> Severity:
        """Severity of all of them."""
        return self.first.severity

    @property
    def caused_by(self) -> Finding | None:
        """The cause of the first one."""
        return self.first.caused_by

    @property
    def message(self) -> str:
        """``Dead units in 10 layers: block4b … block7a.``; of a single finding, its own message."""
        if len(self.findings) == 1:
            return self.first.message
        return f"{self.first.title or self.fault} in {plural(len(self.findings), 'layer')}: {self.layers}."

    def listed(self, most: int) -> list[str]:
        """What is said of each layer, of at most so many; empty for a single finding."""
        if len(self.findings) == 1:
            return []
        more = len(self.findings) - most
        return [finding.message for finding in self.findings[:most]] + (
            [f"… and {plural(more, 'more layer')}"] if more > 0 else []
        )

    @property
    def layers(self) -> str:
        """The layers by name; of many, the first and the last."""
        return named([finding.layer for finding in self.findings])

    @property
    def evidence(self) -> dict[str, tuple[Evidence, Evidence]]:
        """Smallest and largest of what was measured, by name, if it was compared with one threshold everywhere."""
        found: dict[str, tuple[Evidence, Evidence]] = {}
        for name, one in self.first.evidence.items():
            every = [finding.evidence[name] for finding in self.findings if name in finding.evidence]
            if len(every) == len(self.findings) and all(each.limit == one.limit for each in every):
                ordered = sorted(every, key=lambda each: each.value)
                found[name] = ordered[0], ordered[-1]
        return found

    @property
    def adjustments(self) -> list[tuple[str, Adjustment]]:
        """What to change, once for all layers in which it is the same: the layers, and the adjustment."""
        places: dict[tuple[str, str, str, str], list[str | None]] = {}
        changes: dict[tuple[str, str, str, str], Adjustment] = {}
        for finding in self.findings:
            for each in finding.adjustments:
                key = each.parameter, each.current, each.proposed, each.reason
                changes.setdefault(key, each)
                if each.layer not in places.setdefault(key, []):
                    places[key].append(each.layer)
        return [(named(places[key]) if places[key] != [None] else "", each) for key, each in changes.items()]


def grouped(findings: Sequence[Finding], apart: Callable[[Finding], Hashable] = lambda finding: None) -> list[Group]:
    """The findings, those of one fault, severity and cause together, in the order of their first ones.

    Args:
        findings: As they are judged: causes first.
        apart: Findings of which this differs are not put together.
    """
    groups: dict[Hashable, list[Finding]] = {}
    for finding in findings:
        cause = finding.caused_by.fault if finding.caused_by else None
        groups.setdefault((finding.fault, finding.severity, cause, apart(finding)), []).append(finding)
    return [Group(tuple(each)) for each in groups.values()]


def named(layers: Sequence[str | None]) -> str:
    """Layers by name: up to four, or the first and the last."""
    names = [layer or "the model" for layer in layers]
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{names[0]} … {names[-1]}"


def evidence_text(name: str, smallest: Evidence, largest: Evidence) -> str:
    """Name, value and threshold: ``dead ratio 62 % to 100 % (threshold 40 %)``."""
    low, high = (labeled(each.value, each.unit) for each in (smallest, largest))
    limit = "" if smallest.limit is None else f" (threshold {labeled(smallest.limit, smallest.unit)})"
    return f"{name.replace('_', ' ')} {low if low == high else f'{low} to {high}'}{limit}"
