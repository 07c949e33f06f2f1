"""Checks by a short training on a copy: what the rules of trainings say, one batch by heart, and learning rates."""

from __future__ import annotations

import math
from dataclasses import replace

from tb_cnndiag.changes import SetTraining
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.preflight_checks.base import Check, Result, Subject, finding
from tb_cnndiag.preflight_checks.copies import NoCopyError
from tb_cnndiag.preflight_checks.trial import SMALL_BATCH, Run, overfitted, rates, trial_of
from tb_cnndiag.wording import number, percent

# Faults that a few dozen steps show. Those of the result of a training (underfitting, overfitting) are not among them.
OF_TRIALS = (
    "nan_or_inf",
    "unnormalised_input",
    "output_loss_mismatch",
    "bad_init",
    "exploding_gradient",
    "saturated_activation",
    "dead_units",
    "vanishing_gradient",
    "missing_activation",
    "frozen_layer",
    "redundant_filters",
    "learning_rate_too_high",
)
# Of these what begins in the trial is left out: early in a training units can saturate, or die of the rate.
AT_ONCE = ("dead_units", "saturated_activation")
# Loss of the last steps relative to that of the initial weights: above the first a rate teaches nothing, below the
# second another rate teaches much.
NOTHING, MUCH = 0.95, 0.9
# Steps on one batch, the relative loss above which it was not learned, and the rates, relative to the present one.
STEPS, LEARNED = 60, 0.9
NEIGHBORS = (1.0, 10.0, 0.1)


class Trained(Check):
    """The rules of trainings on a short training of a copy."""

    name = "a short training on a copy"

    def run(self, subject: Subject) -> Result:
        """Keep what a few dozen steps can show; where it shows is before training."""
        try:
            trial = trial_of(subject)
        except NoCopyError as error:
            return Result.skipped(str(error))
        if trial.failure:
            message = f"A training step fails: {trial.failure}"
            return Result.of([finding("data_mismatch", message, "error")])
        found = [each for each in trial.findings if each.fault in OF_TRIALS]
        return Result.of([_before(each) for each in found if not (each.fault in AT_ONCE and each.first_step > 0)])


def _before(found: Finding) -> Finding:
    cause = found.caused_by
    kept = cause if cause is not None and cause.fault in OF_TRIALS else None
    later = f"In a short training on a copy: {found.message}" if found.first_step > 0 else found.message
    return replace(found, message=later, first_step=0, last_step=0, caused_by=None if kept is None else _before(kept))


class LearnsOneBatch(Check):
    """Whether one batch of 16 samples can be learned by heart."""

    name = "one batch learned by heart"
    fault = "cannot_overfit"

    def run(self, subject: Subject) -> Result:
        """Train on one batch at the present rate and its neighbors, until one of them learns it."""
        try:
            runs = rates(subject)
        except NoCopyError as error:
            return Result.skipped(str(error))
        if not runs:
            return Result.skipped(_no_rates(subject))
        if subject.samples < SMALL_BATCH:
            return Result.skipped("there are too few samples")
        if min(run.relative for run in runs.values()) <= LEARNED:
            return Result.passed()
        tried = [runs[factor].rate for factor in NEIGHBORS if factor in runs]
        relative, moved = math.inf, frozenset[str]()
        for rate in tried:
            last, changed = overfitted(subject, rate, STEPS, LEARNED)
            if last <= LEARNED:
                return Result.passed()
            relative, moved = min(relative, last), moved | changed
        still = [v.path for v in trial_of(subject).model.trainable_variables if v.path not in moved]
        which = f" These weights do not move: {', '.join(still[:3])}{', …' if len(still) > 3 else ''}." if still else ""
        shown = f"{number(relative)} of the first one" if math.isfinite(relative) else "not finite"
        message = (
            f"After {STEPS} steps on the same {SMALL_BATCH} samples the loss is {shown}, at the best of {len(tried)} "
            f"learning rates.{which}"
        )
        evidence = {"relative_loss": Evidence(relative, LEARNED, "ratio")}
        return Result.of([finding("cannot_overfit", message, "warning", evidence=evidence)])


class FitsRate(Check):
    """The learning rate against rates from a hundredth to a thousand times as large."""

    name = "the learning rate"

    def run(self, subject: Subject) -> Result:
        """Compare the loss after the same steps from the same weights."""
        try:
            runs = rates(subject)
        except NoCopyError as error:
            return Result.skipped(str(error))
        if len(runs) < 2:
            return Result.skipped(_no_rates(subject))
        present = runs[1.0]
        good = [run for run in runs.values() if run.relative <= MUCH]
        if present.relative <= NOTHING or not good:
            return Result.passed()
        lower = [run for run in good if run.rate < present.rate]
        higher = [run for run in good if run.rate > present.rate]
        if lower:
            return Result.of([_rate_finding("learning_rate_too_high", present, lower, good)])
        # Ten times the rate may be what a longer training makes up for.
        if higher and 10.0 in runs and runs[10.0].relative > NOTHING:
            return Result.of([_rate_finding("learning_rate_too_low", present, higher, good)])
        return Result.passed()


def _rate_finding(fault: str, present: Run, better: list[Run], good: list[Run]) -> Finding:
    best = min(better, key=lambda run: run.relative)
    low, high = min(run.rate for run in good), max(run.rate for run in good)
    bracket = f"{low:.1g}" if low == high else f"{low:.1g} … {high:.1g}"
    shown = f"goes to {percent(present.relative)} of the first one" if math.isfinite(present.relative) else "overflows"
    message = (
        f"At the learning rate {present.rate:.2g} the loss {shown}, at {best.rate:.2g} it goes to "
        f"{percent(best.relative)} in as many steps; rates that learn: {bracket}."
    )
    change = SetTraining("learning_rate", float(f"{best.rate:.1g}"))
    reason = f"the best of those that were tried; rates that learn: {bracket}"
    return finding(
        fault,
        message,
        "warning",
        evidence={"relative_loss": Evidence(present.relative, NOTHING, "ratio")},
        adjustments=[Adjustment.of(change, f"{present.rate:g}", reason)],
    )


def _no_rates(subject: Subject) -> str:
    if trial_of(subject).failure:
        return "a training step fails"
    return "the learning rate follows a schedule, or there are too few samples"


CHECKS: tuple[Check, ...] = (Trained(), LearnsOneBatch(), FitsRate())
