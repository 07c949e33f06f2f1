"""``bad_init`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tb_cnndiag.judging.judge import judge
from tests.judging.faults.made import INFO, LAYERS, NAN, PRIOR_LOSS, found, history


class TestBadInit:
    def test_filters_that_stay_identical(self) -> None:
        (finding,) = judge(history({"filter_similarity.mean_similarity": [[0.1, 1.0, 0.1, 0.1]] * 3}))
        assert (finding.fault, finding.layer, finding.severity) == ("bad_init", "conv2", "error")
        assert finding.adjustments[0].proposed == "he_normal"

    def test_identical_filters_that_stay_similar(self) -> None:
        course = [[0.1, 1.0, 0.1, 0.1], [0.1, 0.98, 0.1, 0.1], [0.1, 0.93, 0.1, 0.1]]
        (finding,) = found("bad_init", history({"filter_similarity.mean_similarity": course}))
        assert finding.layer == "conv2"
        assert not found("bad_init", history({"filter_similarity.mean_similarity": [*course, [0.1, 0.3, 0.1, 0.1]]}))

    def test_filters_of_one_weight_cannot_differ(self) -> None:
        first = replace(LAYERS[0], fan_in=1)
        run = history(
            {"filter_similarity.mean_similarity": [[1.0, 0.1, 0.1, 0.1]] * 3},
            info=replace(INFO, layers=(first, *LAYERS[1:])),
        )
        assert not judge(run)

    def test_zeros(self) -> None:
        rows = {
            "weight_health.zero_share": [[0, 1.0, 0, 0]] * 3,
            "filter_similarity.mean_similarity": [[0.1, NAN, 0.1, 0.1]] * 3,
        }
        (finding,) = judge(history(rows))
        assert (finding.fault, finding.layer) == ("bad_init", "conv2")

    def test_a_branch_that_is_zero_only_initially(self) -> None:
        assert not judge(history({"weight_health.zero_share": [[0, 1.0, 0, 1.0], [0, 0, 0, 0], [0, 0, 0, 0]]}))

    def test_a_zero_head(self) -> None:
        assert not judge(history({"weight_health.zero_share": [[0, 0, 0, 1.0]] * 3}))

    def test_weights_that_are_too_large(self) -> None:
        gains = {"weight_health.gain": [[1.4, 1.4, 40.0, 1.0]] * 3}
        (finding,) = judge(history(gains, scalars={"loss": [50.0, 20.0, 9.0]}))
        assert (finding.fault, finding.layer) == ("bad_init", "fc")

    def test_weights_of_one_sign_add_up(self) -> None:
        rows = {
            "weight_health.gain": [[2.0, 4.0, 4.0, 1.0]] * 3,  # the gain for independent inputs
            "weight_health.rms": [[0.5, 0.5, 0.5, 0.1]] * 3,
            "dead_units.magnitude": [[8.0, 400.0, 3e4, 0.1]] * 3,
            "model_input.mean": [[0.5, NAN, NAN, NAN]] * 3,
            "model_input.std": [[0.3, NAN, NAN, NAN]] * 3,
        }
        (finding,) = found("bad_init", history(rows, scalars={"loss": [50.0, 20.0, PRIOR_LOSS]}))
        assert finding.layer == "conv1" or finding.layer == "conv2"
        assert not found("bad_init", history(rows, scalars={"loss": [1.3, 1.0, 0.8]}))

    def test_weights_that_are_too_small(self) -> None:
        gains = {"weight_health.gain": [[0.01, 0.01, 0.01, 1.0]] * 3}
        (finding,) = judge(history(gains, scalars={"loss": [PRIOR_LOSS] * 3}))
        assert finding.fault == "bad_init"

    @pytest.mark.parametrize(
        ("gain", "loss"),
        [
            (0.3, [1.2, 0.8, 0.5]),  # small initial weights, but it learns
            (3.0, [1.5, 0.8, 0.5]),
            (1.4, [PRIOR_LOSS] * 3),  # usual initial weights, and nothing is learned
        ],
    )
    def test_false_alarms(self, gain: float, loss: list[float]) -> None:
        assert not found("bad_init", history({"weight_health.gain": [[gain] * 4] * 3}, scalars={"loss": loss}))

    @pytest.mark.parametrize(
        ("sizes", "loss", "expected"),
        [
            ([1.0, 8.0, 60.0, 0.25], [31.0, 5.0, 4.0], True),  # shortcuts that add up
            ([1.0, 8.0, 60.0, 0.25], [2.0, 1.0, 0.5], False),  # a normalized output layer: no harm
            ([50.0, 60.0, 80.0, 0.25], [31.0, 5.0, 4.0], False),  # a branch whose input is large
        ],
    )
    def test_signals_that_grow_although_no_gain_is_large(
        self, sizes: list[float], loss: list[float], expected: bool
    ) -> None:
        given = 40.0 if sizes[0] > 1 else 1.0
        rows = {
            "weight_health.gain": [[1.4, 1.4, 1.4, 1.0]] * 3,
            "weight_health.rms": [[0.1] * 4] * 3,
            "dead_units.magnitude": [sizes] * 3,
            "model_input.mean": [[given, NAN, NAN, NAN]] * 3,
            "model_input.std": [[0.0, NAN, NAN, NAN]] * 3,
            "model_input.minimum": [[given, NAN, NAN, NAN]] * 3,
            "model_input.maximum": [[given, NAN, NAN, NAN]] * 3,
        }
        findings = found("bad_init", history(rows, scalars={"loss": loss}))
        assert [finding.layer for finding in findings] == (["fc"] if expected else [])
        assert all(finding.adjustments[0].parameter == "normalization" for finding in findings)
