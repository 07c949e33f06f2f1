"""Statistics of a classifier's outputs on the probe."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import FloatArray, IntArray


def predicted_classes(outputs: FloatArray) -> IntArray:
    """Predicted class of each sample, ``(samples,)``: the largest output, or whether a single output exceeds ½.

    Args:
        outputs: ``(samples, classes)``.
    """
    return np.argmax(outputs, axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(np.intp)


def top_class_share(outputs: FloatArray) -> float:
    """Share of samples with the most frequent predicted class, 0..1; 1/classes is healthy on a balanced probe."""
    return float(np.bincount(predicted_classes(outputs)).max() / len(outputs))


def row_sum_error(outputs: FloatArray) -> float:
    """Mean |Σ outputs − 1| over samples: 0 for distributions over classes."""
    return float(np.mean(np.abs(outputs.sum(axis=1, dtype=np.float64) - 1)))


def mean_entropy(outputs: FloatArray) -> float:
    """Mean entropy of the outputs, divided by its maximum ln(classes), 0 (certain) … 1 (uniform).

    Args:
        outputs: ``(samples, classes)`` distributions. The result is NaN for a single class.
    """
    classes = outputs.shape[1]
    if classes < 2:
        return float("nan")
    shares = np.clip(outputs.astype(np.float64), np.finfo(np.float64).tiny, 1)
    return float(np.mean(-np.sum(shares * np.log(shares), axis=1)) / np.log(classes))


def confusion(labels: IntArray, predicted: IntArray, classes: int) -> NDArray[np.float64]:
    """Share of each true class (row) predicted as each class (column), ``(classes, classes)``; NaN without samples."""
    counts = np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1), np.nan)
