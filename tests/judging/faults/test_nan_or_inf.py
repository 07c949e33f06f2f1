"""``nan_or_inf`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

from tb_cnndiag.judging.judge import judge
from tests.judging.faults.made import found, history


class TestNanOrInf:
    def test_the_first_layer_with_nan(self) -> None:
        rows = [[0, 0, 0, 0], [0, 0, 3, 0], [9, 9, 9, 9]]
        found = judge(history({"weight_health.non_finite": rows}))
        assert [(f.fault, f.layer, f.first_step, f.severity) for f in found] == [("nan_or_inf", "fc", 10, "error")]
        assert {a.parameter for a in found[0].adjustments} >= {"clipnorm", "learning_rate"}

    def test_nan_in_all_layers_at_once_is_a_finding_of_the_whole_model(self) -> None:
        (finding,) = judge(history({"weight_health.non_finite": [[0] * 4, [5] * 4]}))
        assert finding.layer is None

    def test_the_loss_alone(self) -> None:
        (finding,) = found("nan_or_inf", history({}, scalars={"loss": [1.0, float("nan")]}))
        assert finding.layer is None
        assert finding.first_step == 10

    def test_finite_numbers(self) -> None:
        assert not judge(history({"weight_health.non_finite": [[0] * 4] * 3}, scalars={"loss": [3.0, 2.0, 1.0]}))


def test_nan_in_a_late_layer_causes_dead_units_before_it() -> None:
    rows = {
        "weight_health.non_finite": [[0] * 4, [0, 0, 9, 0], [0, 0, 9, 0], [0, 0, 9, 0]],
        "dead_units.dead_ratio": [[0] * 4, [1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]],
    }
    found = judge(history(rows))
    assert found[0].fault == "nan_or_inf"
    assert all(finding.caused_by is not None for finding in found[1:])
