"""How the judgment of each fault ends where its data are missing, and what is said of that."""

from __future__ import annotations

import pytest

from tb_cnndiag.finding import Coverage, Status
from tb_cnndiag.judging.coverage import missing_of, summary, unjudged


def ended(*statuses: Status) -> tuple[Coverage, ...]:
    return tuple(Coverage(".", f"fault{number}", status, status) for number, status in enumerate(statuses))


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        ((), ""),
        (("clear",), "1 check: 1 passed"),
        (("found", "clear", "clear"), "3 checks: 1 failed, 2 passed"),
        (
            ("crashed", "unknown", "not_applicable", "clear", "found"),
            "5 checks: 1 failed, 1 passed, 1 not applicable, 1 could not be judged, 1 crashed",
        ),
    ],
)
def test_a_summary_counts_each_way_to_end(statuses: tuple[Status, ...], words: str) -> None:
    assert summary(ended(*statuses)) == words


def test_a_run_could_not_be_judged_if_a_rule_crashed_or_a_required_one_is_unknown() -> None:
    coverage = ended("crashed", "unknown", "unknown", "clear", "found", "not_applicable")
    assert [each.fault for each in missing_of(coverage)] == ["fault0"]
    assert [each.fault for each in missing_of(coverage, ["fault2", "fault3", "fault5"])] == ["fault0", "fault2"]
    assert [each.fault for each in unjudged(coverage)] == ["fault0", "fault1", "fault2"]
    assert [each.fault for each in unjudged(coverage[::-1])] == ["fault0", "fault2", "fault1"]
