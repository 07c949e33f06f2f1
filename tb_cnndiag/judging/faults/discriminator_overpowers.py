"""A discriminator that is always right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, streak
from tb_cnndiag.judging.faults.gan import adversaries, discriminator_loss


class DiscriminatorOverpowers(Fault):
    """The discriminator's loss, and what gradient it leaves the generator."""

    id = "discriminator_overpowers"
    title = "Discriminator overpowers"
    what = "The discriminator tells generated from real images without error: its loss is next to 0."
    why = "Its answer no longer depends on how the images change, so the generator is not told what to do better."
    advice = "Lower the discriminator's learning rate or width, smooth its labels, or give the generator more steps."
    source = (
        "Arjovsky & Bottou 2017, Towards Principled Methods for Training Generative Adversarial Networks, §2; Salimans "
        "et al. 2016, §3.4. The limits are a start: GANs are not among the cases they were set on."
    )
    diagnostic = "training_curve"
    limits: ClassVar[Mapping[str, Limit]] = {
        "loss": Limit(0.1, "loss", "discriminator loss below which it is always right; at a draw it is 1.39"),
        "gradient_fall": Limit(0.01, "ratio", "generator's gradient over its largest below which it is an error"),
        "snapshots": Limit(3, "count", "consecutive looks at which it must hold"),
    }
    follows = ("nan_or_inf", "dead_units", "saturated_activation")

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per run. Losses that can be negative (Wasserstein) are not judged."""
        parts, losses = adversaries(history), discriminator_loss(history)
        if parts is None or losses is None:
            return
        steps, loss = losses
        trained = steps > 0
        steps, loss = steps[trained], loss[trained]
        if not len(steps) or (loss < 0).any():
            return
        when = streak(steps, loss < limits["loss"], limits["snapshots"])
        if when is None or not when.enough:
            return
        evidence = {"loss": Evidence(float(loss[-1]), limits["loss"], "loss")}
        gradients = history.series("gradient_flow", "gradient_norm")
        norms = np.nanmax(gradients.values[:, parts.generator], axis=1, initial=0.0)
        starved = bool(norms.size) and norms.max() > 0 and norms[-1] < limits["gradient_fall"] * norms.max()
        if norms.size and norms.max() > 0:
            share = float(norms[-1] / norms.max())
            evidence["generator_gradient"] = Evidence(share, limits["gradient_fall"], "share of its largest")
        yield self.finding(
            history,
            history.layers[parts.seen],
            "error" if starved else "warning",
            when,
            f"The discriminator is always right: its loss is {loss[-1]:.2g}.",
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
