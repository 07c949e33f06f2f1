"""A discriminator that is always right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, consecutive_snapshots
from tb_cnndiag.judging.signals.gan import adversaries, discriminator_loss
from tb_cnndiag.judging.signals.persistence import streak
from tb_cnndiag.wording import number


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
    limits: ClassVar[Mapping[str, Limit]] = {
        "loss": Limit(0.1, "loss", "Discriminator loss below which it is always right. Guessing gives 1.39."),
        "gradient_fall": Limit(
            0.01, "ratio", "Gradient of the generator, relative to its maximum, below which the severity is an error."
        ),
        "snapshots": consecutive_snapshots(3),
    }
    follows = ("nan_or_inf", "dead_units", "saturated_activation")

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding. Losses that can be negative (Wasserstein) are not judged."""
        parts, losses = adversaries(history), discriminator_loss(history)
        if parts is None or losses is None:
            return
        steps, loss = losses
        after_start = steps > 0
        steps, loss = steps[after_start], loss[after_start]
        if not len(steps) or (loss < 0).any():
            return
        persistence = streak(steps, loss < limits["loss"], limits["snapshots"])
        if persistence is None or not persistence.enough:
            return
        evidence = {"loss": Evidence(float(loss[-1]), limits["loss"], "loss")}
        gradients = history.series("gradient_flow", "gradient_norm")
        norms = np.nanmax(gradients.values[:, parts.generator], axis=1, initial=0.0)
        starved = bool(norms.size) and norms.max() > 0 and norms[-1] < limits["gradient_fall"] * norms.max()
        if norms.size and norms.max() > 0:
            share = float(norms[-1] / norms.max())
            evidence["generator_gradient"] = Evidence(share, limits["gradient_fall"], "ratio")
        first = history.layers[parts.discriminator_input]
        yield self.finding(
            history,
            first,
            "error" if starved else "warning",
            persistence,
            f"The discriminator, from {first.path} on, is always right: its loss is {number(float(loss[-1]))}.",
            evidence=evidence,
            adjustments=(
                Adjustment(
                    None,
                    "discriminator.learning_rate",
                    "unknown",
                    "0.25 × the present one",
                    "lets the generator keep pace",
                ),
                Adjustment(None, "label_smoothing", "0", "0.1", "keeps the discriminator from being certain"),
            ),
        )
