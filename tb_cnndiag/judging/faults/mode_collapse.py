"""A generator that makes the same image over and over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, streak
from tb_cnndiag.judging.faults.gan import adversaries


class ModeCollapse(Fault):
    """Diversity of generated images against that of the real ones."""

    id = "mode_collapse"
    title = "Mode collapse"
    what = "The generator's images differ from each other far less than real ones do, whatever the noise."
    why = "It has found one image that passes and answers everything with it: it no longer learns the data."
    advice = (
        "Let the discriminator see whole batches (deviation over the batch as a feature), lower its learning rate, or "
        "smooth the labels of real images."
    )
    source = (
        "Salimans et al. 2016, Improved Techniques for Training GANs, §3.2; Karras et al. 2018, Progressive Growing of "
        "GANs, §3. The limits are a start: GANs are not among the cases they were set on."
    )
    diagnostic = "model_output"
    limits: ClassVar[Mapping[str, Limit]] = {
        "diversity_ratio": Limit(
            0.05, "ratio", "generated over real diversity below which the generator has collapsed"
        ),
        "fall": Limit(2.5, "ratio", "its largest ratio so far over the present one: an untrained one never had more"),
        "snapshots": Limit(3, "count", "consecutive looks at which it must hold"),
        "lasting": Limit(10, "count", "consecutive snapshots after which it holds without a fall"),
    }
    follows = ("nan_or_inf", "dead_units", "saturated_activation", "discriminator_overpowers")

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding, for the generator's output."""
        parts = adversaries(history)
        if parts is None:
            return
        made = history.series("model_output", "diversity")
        real = history.series("model_input", "diversity")
        steps = np.intersect1d(made.steps[made.steps > 0], real.steps)
        of_made = made.values[np.isin(made.steps, steps), parts.made]
        of_real = real.values[np.isin(real.steps, steps), parts.seen]
        known = np.isfinite(of_made) & (of_real > 0)
        steps, ratio = steps[known], of_made[known] / of_real[known]
        if not len(steps):
            return
        low = ratio < limits["diversity_ratio"]
        when = streak(steps, low, limits["snapshots"])
        if when is None or not when.enough:
            return
        fallen = ratio.max() >= limits["fall"] * ratio[-1]
        lasting = streak(steps, low, limits["lasting"])
        if not fallen and (lasting is None or not lasting.enough):
            return
        layer = history.layers[parts.made]
        yield self.finding(
            history,
            layer,
            "error",
            when,
            f"{layer.path}: generated images differ by {ratio[-1]:.1%} of what real ones do.",
            evidence={
                "diversity_ratio": Evidence(float(ratio[-1]), limits["diversity_ratio"], "ratio"),
                "largest_ratio": Evidence(float(ratio.max()), None, "ratio"),
            },
            adjustments=(
                Adjustment(
                    None,
                    "minibatch_deviation",
                    "none",
                    "a feature before the discriminator's last layers",
                    "a batch of equal images is then told from a real one at once",
                ),
                Adjustment(
                    None,
                    "discriminator.learning_rate",
                    "unknown",
                    "0.25 × the present one",
                    "one that is right too early leaves the generator a single way out",
                ),
                Adjustment(None, "label_smoothing", "0", "0.1", "keeps the discriminator from being certain"),
            ),
        )
