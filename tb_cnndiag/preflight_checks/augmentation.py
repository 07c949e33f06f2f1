"""What random augmentation inside the model leaves of the samples."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.capture.recorder import Call, recording
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.payloads import FloatArray
from tb_cnndiag.preflight_checks.base import Check, Result, Subject, finding
from tb_cnndiag.preflight_checks.copies import NoCopyError
from tb_cnndiag.preflight_checks.trial import trial_of
from tb_cnndiag.wording import number, percent

SAMPLES = 64
# A sample is lost if this part of its contrast remains, or if its mean moves by so many standard deviations.
CONTRAST, SHIFT = 0.2, 5.0
# Share of lost samples above which augmentation destroys what it should vary.
LOST = 0.25
# Part of the module of Keras' augmentation layers.
_MODULE = ".image_preprocessing."


class Augmented(Check):
    """Whether samples are still themselves behind each augmentation layer."""

    name = "what augmentation leaves of the samples"
    fault = "destructive_augmentation"

    def run(self, subject: Subject) -> Result:
        """Compare contrast and mean of samples in front of and behind each augmentation layer, in training mode."""
        try:
            model = trial_of(subject).model
        except NoCopyError as error:
            return Result.skipped(str(error))
        x, _ = subject.part(subject.chosen(SAMPLES))
        with recording(model) as record:
            model(keras.tree.map_structure(keras.ops.convert_to_tensor, x), training=True)
        calls = [call for call in record.calls if _MODULE in type(call.layer).__module__]
        pairs = [(call, _array(call.inputs[0]), _array(call.outputs[0])) for call in calls if call.inputs]
        pairs = [(call, given, made) for call, given, made in pairs if given.ndim == made.ndim == 4]
        if not pairs:
            return Result.skipped("the model augments no images")
        return Result.of([found for pair in pairs if (found := _destroyed(*pair)) is not None])


def lost_share(given: FloatArray, made: FloatArray) -> float:
    """Share of the samples that lost their contrast, or left the range of the others; 0..1.

    Args:
        given: Samples in front of an augmentation, ``(samples, height, width, channels)``.
        made: The same samples behind it.
    """
    before, after = (array.reshape(len(array), -1).astype(np.float64) for array in (given, made))
    contrast = before.std(axis=1)
    flat = (after.std(axis=1) < CONTRAST * contrast) & (contrast > 0)
    moved = np.abs(after.mean(axis=1) - before.mean(axis=1)) > SHIFT * max(float(before.std()), 1e-12)
    return float(np.mean(flat | moved | ~np.isfinite(after).all(axis=1)))


def _destroyed(call: Call, given: FloatArray, made: FloatArray) -> Finding | None:
    share = lost_share(given, made)
    if share <= LOST:
        return None
    low, high = float(given.min()), float(given.max())
    message = (
        f"{call.path} destroys {percent(share)} of the samples: values lie in {number(low)} … {number(high)} in front "
        f"of it, and in {number(float(made.min()))} … {number(float(made.max()))} behind it."
    )
    evidence = {"lost": Evidence(share, LOST, "share")}
    return finding(
        "destructive_augmentation", message, "warning", layer=call.path, evidence=evidence,
        adjustments=[_adjustment(call, low, high)],
    )  # fmt: skip


def _adjustment(call: Call, low: float, high: float) -> Adjustment:
    layer = call.layer
    span = getattr(layer, "value_range", None)
    if span is not None and (low < span[0] or high - low < CONTRAST * (span[1] - span[0])):
        proposed = "(0, 1)" if low >= 0 and high <= 1 else f"({number(low)}, {number(high)})"
        return Adjustment(call.path, "value_range", str(tuple(span)), proposed, "changes are relative to this range")
    factor = getattr(layer, "factor", "unknown")
    return Adjustment(call.path, "factor", str(factor), "a smaller one", "the samples must stay recognizable")


def _array(tensor: Any) -> FloatArray:
    return np.asarray(to_host(tensor), np.float32)


CHECKS: tuple[Check, ...] = (Augmented(),)
