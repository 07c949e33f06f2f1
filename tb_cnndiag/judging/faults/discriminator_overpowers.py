"""A discriminator that is always right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.finding import Adjustment, Evidence, Severity
from tb_cnndiag.judging.conditions import Below
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.gan import DISCRIMINATOR_LOSS, GENERATOR_GRADIENT, adversaries, no_adversaries
from tb_cnndiag.judging.thresholds import EPOCHS, Limit
from tb_cnndiag.wording import number

PRELIMINARY = "preliminary: not calibrated on GANs"


def _first_layer(case: Case) -> int | None:
    parts = adversaries(case.signals)
    return parts.discriminator_input if parts else None


def _severity(case: Case) -> Severity:
    """An error if the generator hardly receives a gradient any more."""
    return "error" if case.signals(GENERATOR_GRADIENT).last() < case.limits["gradient_fall"] else "warning"


def _gradient(case: Case) -> Mapping[str, Evidence]:
    gradient = case.signals(GENERATOR_GRADIENT)
    if not len(gradient):
        return {}
    return {"generator_gradient": Evidence(gradient.last(), case.limits["gradient_fall"], "ratio")}


def _message(case: Case) -> str:
    row = _first_layer(case)
    assert row is not None
    path = case.signals.layers[row].path
    return f"The discriminator, from {path} on, is always right: its loss is {number(case.value('loss'))}."


class DiscriminatorOverpowers(Fault):
    """Loss of the discriminator, and the gradient that the generator receives through it."""

    id = "discriminator_overpowers"
    title = "Discriminator overpowers"
    what = "The discriminator distinguishes generated from real images without error: its loss is nearly 0."
    why = "Its output no longer depends on how the images change, so the generator receives no useful gradient."
    advice = "Lower the discriminator's learning rate or width, smooth its labels, or give the generator more steps."
    source = (
        "Arjovsky & Bottou 2017, Towards Principled Methods for Training Generative Adversarial Networks, §2; Salimans "
        "et al. 2016, §3.4. The thresholds are preliminary: they were not calibrated on GANs."
    )
    diagnostic = "training_curve"
    of_trainings = True
    limits: ClassVar[Mapping[str, Limit]] = {
        "loss": Limit(
            0.1, "loss", "Discriminator loss below which it is always right. Guessing gives 1.39.", PRELIMINARY
        ),
        "gradient_fall": Limit(
            0.01,
            "ratio",
            "Gradient of the generator, relative to its maximum, below which the severity is an error.",
            PRELIMINARY,
        ),
        "epochs": EPOCHS.at(3),
    }
    kinds = (
        Kind(
            when=Below(DISCRIMINATOR_LOSS, "loss").for_epochs(complete=True),
            at=_first_layer,
            severity=_severity,
            message=_message,
            reported=_gradient,
            adjustments=lambda case: (
                Adjustment(
                    None,
                    "discriminator.learning_rate",
                    "unknown",
                    "0.25 × the present one",
                    "lets the generator keep pace",
                ),
                Adjustment(None, "label_smoothing", "0", "0.1", "keeps the discriminator from being certain"),
            ),
        ),
    )

    def does_not_apply(self, signals: Signals) -> str:
        """Without a generator and a discriminator."""
        return no_adversaries(signals)
