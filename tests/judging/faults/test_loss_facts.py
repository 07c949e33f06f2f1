"""What is judged from the numbers of a loss that Keras does not define."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.loss import RELATIVE_LOSS
from tb_cnndiag.judging.signals.loss_function import loss_function
from tb_cnndiag.judging.signals.prior_loss import prior_loss
from tb_cnndiag.payloads import LossFacts, Probe
from tests.judging.faults.made import INFO, LAYERS, found, history

FAULT = "output_loss_mismatch"
WEIGHTS = {"weight_health.rms": [[0.1] * 4]}
FACTS = LossFacts(from_logits=False, exclusive=True, falls=True, uninformed=0.5)


@pytest.mark.parametrize(
    ("facts", "family", "prior"),
    [
        (LossFacts("it raises TypeError"), "other", None),
        (FACTS, "categorical", 0.5),
        (replace(FACTS, exclusive=False), "binary", 0.5),
        (replace(FACTS, exclusive=None), "classes", 0.5),
        (replace(FACTS, from_logits=None), "classes", 0.5),
        (replace(FACTS, falls=None), "other", None),
        (replace(FACTS, least_at_target=True), "distance", None),
        (LossFacts(same_as="categorical_crossentropy", factor=3.0, falls=True), "categorical", 3 * np.log(4)),
        (LossFacts(same_as="categorical_crossentropy", factor=0.5, falls=True), "categorical", 0.5 * np.log(4)),
        (LossFacts(same_as="categorical_crossentropy", falls=True), "categorical", None),
        (LossFacts(same_as="categorical_crossentropy", factor=-1.0, falls=False), "categorical", None),
    ],
)
def test_what_the_facts_of_a_loss_mean(facts: LossFacts, family: str, prior: float | None) -> None:
    signals = Signals(history(WEIGHTS, info=replace(INFO, loss='"categorical_crossentropy"', loss_facts=facts)))
    assert loss_function(signals).family == family
    assert prior_loss(signals) == (None if prior is None else pytest.approx(prior))


def test_the_prior_loss_of_unbalanced_classes_is_not_known_by_numbers() -> None:
    info = replace(INFO, loss_facts=FACTS, probe=Probe("given", 100, (85, 5, 5, 5)))
    assert prior_loss(Signals(history(WEIGHTS, info=info))) is None


def test_a_rising_loss_is_only_wrong_for_a_softmax() -> None:
    rising = LossFacts(falls=False)
    for activation, expected in (("softmax", 1), ("linear", 0), ("sigmoid", 0)):
        info = replace(INFO, loss_facts=rising, layers=(*LAYERS[:3], replace(LAYERS[3], activation=activation)))
        assert len(found(FAULT, history(WEIGHTS, info=info))) == expected


def test_a_loss_that_can_be_negative_is_not_compared_with_its_first_value() -> None:
    for lowest, status in ((-1.0, "unknown"), (-1e-7, "clear")):
        info = replace(INFO, loss_facts=LossFacts(falls=True, lowest=lowest), loss='"mine"')
        run = history(WEIGHTS, info=info, scalars={"loss": [0.5]})
        track = Signals(run)(RELATIVE_LOSS)
        assert (len(track) == 0) == (status == "unknown")


def test_a_logarithm_of_zero_is_what_to_change_where_nan_appeared() -> None:
    info = replace(INFO, loss_facts=LossFacts(falls=True, finite_at_bounds=False), loss='"mine"')
    (finding,) = found("nan_or_inf", history({"weight_health.non_finite": [[0] * 4, [3] * 4]}, info=info))
    assert finding.adjustments[0].parameter == "loss"
