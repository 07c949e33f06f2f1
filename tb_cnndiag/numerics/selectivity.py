"""How much of a unit's response the class of the image explains."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.payloads import FloatArray, IntArray


def class_means(responses: FloatArray, labels: IntArray) -> tuple[FloatArray, IntArray, IntArray]:
    """Mean response ``(units, classes)`` of each class that occurs, these classes, and the samples of each.

    ``responses`` is ``(samples, units)``, ``labels`` ``(samples,)``.
    """
    classes, index, counts = np.unique(labels, return_inverse=True, return_counts=True)
    members = np.zeros((len(labels), len(classes)))
    members[np.arange(len(labels)), index] = 1
    return np.asarray(responses, np.float64).T @ members / counts, classes, counts


def explained(responses: FloatArray, means: FloatArray, counts: IntArray) -> FloatArray:
    """η² of each unit, ``(units,)``: variance between classes relative to all variance, 0..1.

    A response that has nothing to do with the class gets (classes − 1)/(samples − 1) on average. NaN for a unit whose
    response does not vary.
    """
    values = np.asarray(responses, np.float64)
    center = values.mean(axis=0)
    total = np.square(values - center).sum(axis=0)
    between = np.square(means - center[:, None]) @ counts
    varies = total > 1e-12 * np.square(values).sum(axis=0)
    shares: FloatArray = np.divide(between, total, out=np.full(len(total), np.nan), where=varies)
    return shares
