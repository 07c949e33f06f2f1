"""Limits that can be changed, causes, and order."""

from __future__ import annotations

import pytest

from tb_cnndiag.judging.judge import judge
from tests.judging.faults.made import history


def test_limits_can_be_changed() -> None:
    told = history({"dead_units.dead_ratio": [[0, 0.3, 0, 0]] * 3})
    assert not judge(told)
    (finding,) = judge(told, {"dead_units": {"dead_ratio": 0.25}})
    assert finding.evidence["dead_ratio"].limit == 0.25


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"dead_unit": {}}, "no fault 'dead_unit'. Did you mean 'dead_units'"),
        ({"dead_units": {"dead_ration": 1.0}}, "no limit 'dead_ration'. Did you mean 'dead_ratio'"),
    ],
)
def test_unknown_limits_suggest_the_nearest(limits: dict[str, dict[str, float]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        judge(history({}, scalars={"loss": [1.0]}), limits)


def test_causes_come_first_whatever_their_severity() -> None:
    nan = float("nan")
    told = history(
        {
            "model_input.mean": [[99, nan, nan, nan]] * 3,
            "model_input.std": [[99, nan, nan, nan]] * 3,
            "model_input.minimum": [[0, nan, nan, nan]] * 3,
            "model_input.maximum": [[255, nan, nan, nan]] * 3,
            "gradient_flow.relative_gradient": [[50.0] * 4] * 3,
            "dead_units.dead_ratio": [[1, 0, 0, 0]] * 3,
        }
    )
    found = judge(told)
    assert found[0].fault == "unnormalised_input"
    assert {f.fault for f in found[1:]} == {"exploding_gradient", "dead_units"}
    assert all(f.caused_by is not None for f in found[1:])


def test_a_cause_that_came_later_explains_nothing() -> None:
    rows = [[0] * 4, [0] * 4, [0] * 4, [5, 0, 0, 0]]
    dead = [[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    found = judge(history({"weight_health.non_finite": rows, "dead_units.dead_ratio": dead}))
    assert [f.fault for f in found] == ["nan_or_inf"]
