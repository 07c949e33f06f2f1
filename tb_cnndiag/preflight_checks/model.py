"""Checks of the model: what it makes of samples before it has learned anything."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tb_cnndiag.finding import Adjustment, Evidence
from tb_cnndiag.preflight_checks.base import Check, Result, Subject, finding
from tb_cnndiag.preflight_checks.copies import NoCopyError
from tb_cnndiag.preflight_checks.trial import trial_of

# Samples of the checks, and the change of an output, relative to the outputs' size, above which samples interact.
SAMPLES, INTERACTION = 16, 1e-3


def outputs(subject: Subject, x: Any) -> Any:
    """Flat outputs for some samples after the short training, in inference mode: ``(samples, values)``.

    Before it, a head that begins at zero gives the same output for all samples, and that is no fault.
    """
    trial = trial_of(subject)
    trial.model.set_weights(trial.trained or trial.weights)
    found = keras.tree.flatten(trial.model.predict_on_batch(x))
    arrays = [np.asarray(array, np.float64) for array in found]
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)


class DependsOnInput(Check):
    """Whether the outputs differ from sample to sample."""

    name = "whether outputs depend on the input"
    fault = "collapsed_output"

    def run(self, subject: Subject) -> Result:
        """Compare the outputs of several samples."""
        try:
            x, _ = subject.part(subject.chosen(SAMPLES))
            found = outputs(subject, x)
        except NoCopyError as error:
            return Result.skipped(str(error))
        if len(found) < 2 or not np.isfinite(found).all():
            return Result.skipped("the outputs are not finite, or there is one sample")
        spread = float(np.ptp(found, axis=0).max())
        size = float(np.abs(found).max())
        if spread > 1e-7 * max(size, 1e-7):
            return Result.passed()
        message = (
            f"After a short training on a copy the model gives the same output for {len(found)} different samples."
        )
        evidence = {"spread": Evidence(spread, None, "output")}
        adjustment = Adjustment(
            None, "layers", "constant", "alive", "find the first layer whose units are all constant"
        )
        return Result.of([finding("collapsed_output", message, "warning", evidence=evidence, adjustments=[adjustment])])


class SamplesApart(Check):
    """Whether the output for one sample depends on the others in the batch."""

    name = "whether samples stay apart"
    fault = "samples_interact"

    def run(self, subject: Subject) -> Result:
        """Exchange one sample of a batch for another one, and compare the outputs for the rest."""
        if subject.samples < SAMPLES + 1:
            return Result.skipped("there are too few samples")
        try:
            rows = subject.chosen(SAMPLES + 1)
            before = outputs(subject, subject.part(rows[:SAMPLES])[0])
            after = outputs(subject, subject.part(np.concatenate([rows[SAMPLES:], rows[1:SAMPLES]]))[0])
        except NoCopyError as error:
            return Result.skipped(str(error))
        if len(before) != SAMPLES or not np.isfinite(before).all() or not np.isfinite(after).all():
            return Result.skipped("the outputs are not finite, or not one per sample")
        size = float(np.abs(before).max())
        change = float(np.abs(after[1:] - before[1:]).max()) / max(size, 1e-12)
        if change <= INTERACTION:
            return Result.passed()
        message = (
            "In inference mode the output for a sample changes when another sample of the batch is exchanged: an "
            "operation mixes samples."
        )
        evidence = {"change": Evidence(change, INTERACTION, "ratio")}
        adjustment = Adjustment(
            None, "axis", "with the batch", "without it", "each prediction is then of its own sample"
        )
        return Result.of([finding("samples_interact", message, "error", evidence=evidence, adjustments=[adjustment])])


CHECKS: tuple[Check, ...] = (DependsOnInput(), SamplesApart())
