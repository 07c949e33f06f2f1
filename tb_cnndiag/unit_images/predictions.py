"""What a model predicts for each image of the probe, and the images that are worth explaining."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tb_cnndiag.payloads import FloatArray, IntArray
from tb_cnndiag.unit_images.attribution import CHUNK, NoMapError
from tb_cnndiag.unit_images.passes import Passes

# Images that are explained: the most confidently wrong, the least sure, and one of each of the first classes.
WRONG, UNSURE, TYPICAL = 4, 4, 8


@dataclass(frozen=True)
class Predictions:
    """Predicted class of each image and the share that the model gives to it, ``(samples,)``, and number of classes."""

    classes: IntArray
    confidences: FloatArray
    number: int


def predicted(passes: Passes, labels: IntArray) -> Predictions:
    """Predictions of the first output of a model; those of a segmentation map are means over its positions.

    Raises:
        NoMapError: If the outputs are not scores of classes.
    """
    count = len(passes.inputs.pictures)
    parts = [passes.outputs(np.arange(at, min(at + CHUNK, count))) for at in range(0, count, CHUNK)]
    output = np.concatenate(parts).astype(np.float64)
    shares = _shares(output.reshape(count, -1, output.shape[-1] if output.ndim > 1 else 1), labels)
    if not np.isfinite(shares).all():
        raise NoMapError("The model predicts NaN or infinity, so no prediction can be explained.")
    return Predictions(shares.argmax(axis=1), shares.max(axis=1).astype(np.float32), shares.shape[1])


def _shares(output: FloatArray, labels: IntArray) -> FloatArray:
    """Share of each class ``(samples, classes)``, of outputs ``(samples, positions, channels)``."""
    within = bool((output >= 0).all() and (output <= 1).all())
    if output.shape[-1] == 1:
        if not within and not (labels.size and np.isin(labels, (0, 1)).all()):
            raise NoMapError("The model predicts a number, not a class: there is no class to explain.")
        one = (output if within else 1 / (1 + np.exp(-np.clip(output, -60, 60)))).mean(axis=(1, 2))
        return np.stack([1 - one, one], axis=1)
    if not within:
        powers = np.exp(output - output.max(axis=-1, keepdims=True))
        output = powers / powers.sum(axis=-1, keepdims=True)
    return np.asarray(output.mean(axis=1))


def chosen(found: Predictions, labels: IntArray) -> list[tuple[int, str]]:
    """The images to explain, each once, with the reason: ``wrong``, ``unsure`` or ``typical``."""
    sure = np.asarray(found.confidences)
    wrong = found.classes != labels if labels.size else np.zeros(len(sure), bool)
    reasons: dict[int, str] = {}
    for sample in sorted(np.flatnonzero(wrong), key=lambda each: -sure[each])[:WRONG]:
        reasons[int(sample)] = "wrong"
    for sample in [each for each in np.argsort(sure, kind="stable") if int(each) not in reasons][:UNSURE]:
        reasons[int(sample)] = "unsure"
    kinds = labels if labels.size else found.classes
    for kind in np.unique(kinds)[:TYPICAL]:
        members = [i for i in np.flatnonzero((kinds == kind) & ~wrong) if int(i) not in reasons]
        if members:
            middle = sorted(members, key=lambda each: sure[each])[len(members) // 2]
            reasons[int(middle)] = "typical"
    return list(reasons.items())
