"""Findings of one fault in several layers are one entry."""

from __future__ import annotations

from dataclasses import replace

from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.report import markdown, text
from tb_cnndiag.report.groups import grouped, named
from tests.report.outcomes import finding, outcome


def _dead(layer: str, share: float, proposed: str = "he_normal") -> Finding:
    change = Adjustment(layer, "kernel_initializer", "zeros", proposed, "keeps the scale")
    return finding(layer, evidence={"dead_ratio": Evidence(share, 0.4, "share")}, adjustments=(change,))


def test_layers_of_one_fault_are_one_entry() -> None:
    findings = [_dead(f"conv{i}", 0.5 + i / 20) for i in range(10)]
    (group,) = grouped(findings)
    assert group.message == "Dead units in 10 layers: conv0 … conv9."
    assert {name: (low.value, high.value) for name, (low, high) in group.evidence.items()} == {
        "dead_ratio": (0.5, 0.95)
    }
    ((where, change),) = group.adjustments
    assert (where, change.proposed) == ("conv0 … conv9", "he_normal")
    said = text.findings_as_text(findings)
    assert said.count("Dead units") == 1
    assert said.count("all units are dead") == text.MOST_LISTED
    assert "… and 4 more layers" in said
    assert "dead ratio 50 % to 95 % (threshold 40 %)" in said
    assert markdown.render(outcome(*findings)).count("**error**") == 1


def test_what_differs_stays_apart() -> None:
    first, second, third = _dead("a", 0.5), _dead("b", 0.6, "he_uniform"), _dead("c", 0.7)
    (group,) = grouped([first, second, third])
    assert [(where, change.proposed) for where, change in group.adjustments] == [
        ("a, c", "he_normal"),
        ("b", "he_uniform"),
    ]
    effect = replace(third, caused_by=finding("x", fault="bad_init"))
    assert len(grouped([first, replace(second, severity="warning"), effect])) == 3
    assert len(grouped([first, second], lambda each: each.layer)) == 2


def test_a_single_finding_is_said_as_before() -> None:
    (group,) = grouped([_dead("a", 0.5)])
    assert group.message == "a: all units are dead."
    assert group.listed(6) == []
    assert named([None]) == "the model"
    assert named(["a", "b", "c", "d"]) == "a, b, c, d"
