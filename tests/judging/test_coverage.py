"""How the judgment of each fault ends where its data are missing, and what is said of that."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.finding import Coverage, Status
from tb_cnndiag.history import History
from tb_cnndiag.judging.coverage import missing_of, summary, unjudged
from tb_cnndiag.judging.judge import verdict
from tb_cnndiag.payloads import RunInfo
from tests.judging.boundaries.boundary import layer
from tests.judging.faults.made import INFO, LAYERS, NAN, history


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


NORMALIZED = (replace(LAYERS[0], normalization_class="BatchNormalization"), replace(LAYERS[1], activation="tanh"))
RUN = replace(INFO, layers=(*NORMALIZED, *LAYERS[2:]))
GIVE_A_PROBE = "no activations were recorded: give a probe"
NO_UPDATES = "no updates were recorded"
NOT_A_GAN = "the run has no generator and discriminator"
# What each fault needs first: its reason where nothing but top images was recorded.
NEEDS = {
    "nan_or_inf": "nothing was recorded",
    "unnormalised_input": "no layer can have it",
    "bad_init": "no filter similarity was recorded; loss was not logged",
    "learning_rate_too_high": f"no weights were recorded; {NO_UPDATES}; {GIVE_A_PROBE}",
    "exploding_gradient": "no activations of the untrained model: give a probe; no gradients were recorded",
    "saturated_activation": "no bounded activations were recorded: give a probe",
    "dead_units": GIVE_A_PROBE,
    "vanishing_gradient": "no gradients were recorded",
    "frozen_layer": "no gradients were recorded",
    "learning_rate_too_low": NO_UPDATES,
    "collapsed_output": "no output was recorded: give a probe",
    "discriminator_overpowers": NOT_A_GAN,
    "mode_collapse": NOT_A_GAN,
    "batch_too_small_for_bn": "the batch size is not known",
    "stale_batch_statistics": "no output was recorded: give a probe",
    "too_few_epochs": "loss was not logged",
    "underfitting": "loss was not logged",
    "overfitting": "val_loss was not logged: give validation data",
    "redundant_filters": "no filter similarity was recorded",
}
# What the layer table, the loss and the targets say needs no snapshot.
NEED_NOTHING = ("missing_activation", "output_loss_mismatch")


def reasons(run: History) -> dict[str, tuple[str, str]]:
    return {each.fault: (each.status, each.reason) for each in verdict(run).coverage}


def test_each_fault_says_what_it_needs() -> None:
    found = reasons(history({"top_patches.kept_ratio": [[0.5] * 4] * 3}, info=RUN))
    assert {fault: reason for fault, (_, reason) in found.items() if fault not in NEED_NOTHING} == NEEDS
    assert {fault for fault, (status, _) in found.items() if status == "not_applicable"} == {
        "unnormalised_input", "discriminator_overpowers", "mode_collapse"
    }  # fmt: skip
    assert all(found[fault] == ("clear", "") for fault in NEED_NOTHING)
    assert {status for fault, (status, _) in found.items() if fault not in NEED_NOTHING} == {
        "unknown",
        "not_applicable",
    }


@pytest.mark.parametrize(
    ("fault", "columns", "scalars", "expected"),
    [
        ("too_few_epochs", {}, {"loss": [1.3, 1.2]}, ("unknown", "the run is shorter than 4 epochs")),
        ("underfitting", {"update_ratio.update_ratio": [[1e-3] * 4] * 4}, {"loss": [1.3] * 4},
         ("clear", "the run is shorter than 5 epochs")),
        ("overfitting", {}, {"loss": [1.3], "val_loss": [NAN]}, ("unknown", "the validation loss is not finite")),
        ("overfitting", {}, {"loss": [0.9, 0.3, 0.3], "val_loss": [1.0, 2.0, 2.0]}, ("clear", "")),
        ("learning_rate_too_low", {"update_ratio.update_ratio": [[1e-6] * 4] * 3}, {"loss": [1.3] * 3},
         ("unknown", "no gradients were recorded")),
        ("vanishing_gradient", {"gradient_flow.relative_gradient": [[0.1, 0.1, NAN, NAN]] * 3}, {},
         ("unknown", "fewer than 3 trainable layers received a gradient")),
        ("vanishing_gradient", {"gradient_flow.relative_gradient": [[0.0, 0.1, 0.1, 0.1]] * 3,
                                "gradient_flow.gradient_norm": [[0.0, 1, 1, 1]] * 3}, {},
         ("unknown", "the first layer has no gradient at all: this is another fault")),
        ("collapsed_output", {"model_output.top_class_share": [layer(3, 1.0, NAN)],
                              "model_output.spread": [layer(3, 0.0, NAN)]}, {},
         ("unknown", "no output was recorded after step 0")),
        ("stale_batch_statistics", {"model_output.accuracy": [layer(3, 0.3, NAN)] * 3}, {},
         ("unknown", "no accuracy was logged: add it to the metrics")),
        ("stale_batch_statistics", {"model_output.accuracy": [layer(3, 0.3, NAN)] * 3}, {"accuracy": [0.9] * 3},
         ("unknown", "no batch statistics were recorded")),
        ("unnormalised_input", {"model_input.mean": [layer(0, math.inf, NAN)], "model_input.std": [layer(0, 1, NAN)]},
         {}, ("not_applicable", "no layer can have it")),
        ("dead_units", {"dead_units.dead_ratio": [[0, 0, 0, 0.0]]}, {}, ("clear", "")),
        ("saturated_activation", {"saturation.pinned_ratio": [layer(1, 0.9, NAN)]}, {}, ("found", "")),
    ],
)  # fmt: skip
def test_what_a_fault_says_of_a_run_that_lacks_something(
    fault: str, columns: Any, scalars: Any, expected: tuple[str, str]
) -> None:
    assert reasons(history(columns, info=RUN, scalars=scalars))[fault] == expected


@pytest.mark.parametrize(
    ("info", "fault", "reason"),
    [
        (INFO, "batch_too_small_for_bn", "no layer is normalized over the batch"),
        (INFO, "stale_batch_statistics", "no layer is normalized over the batch"),
        (INFO, "saturated_activation", "no layer can have it"),
        (replace(INFO, layers=(replace(LAYERS[3], inputs=()),)), "dead_units", "no layer can have it"),
        (INFO, "mode_collapse", NOT_A_GAN),
    ],
)
def test_what_a_run_cannot_have(info: RunInfo, fault: str, reason: str) -> None:
    run = history({"weight_health.rms": [[0.1] * len(info.layers)]}, info=info)
    assert reasons(run)[fault] == ("not_applicable", reason)


def test_an_output_whose_loss_is_not_known_is_not_judged() -> None:
    found = reasons(history({}, info=replace(INFO, loss='"mine"'), scalars={"loss": [1.0]}))
    assert found["output_loss_mismatch"] == ("unknown", "what the loss mine needs is not known")
    several = replace(INFO, layers=(*LAYERS[:3], LAYERS[3], replace(LAYERS[3], path="second")))
    unknown = ("unknown", "the run has several outputs or losses, or its loss is not known")
    for info in (several, replace(INFO, loss=""), replace(INFO, loss='["mse", "mae"]')):
        assert reasons(history({}, info=info, scalars={"loss": [1.0]}))["output_loss_mismatch"] == unknown
