"""Which twins can be removed, and what replaces them, fitted to the inputs of the next layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.adjust.chain import Chain
from tb_cnndiag.adjust.surgery import Merge, by_unit
from tb_cnndiag.capture.backends import to_host

FloatArray = NDArray[np.floating[Any]]

# Energy of the change of the next layer's outputs that is allowed, relative to the energy of their variation.
LOST = 5e-4
# Rows (samples × positions) for the fit: some for each unit, and no more than fit in a few MB.
ROWS = 20_000
# Keeps units that hardly vary from being read with huge weights.
RIDGE = 1e-4


def merge_by(model: Any, chain: Chain, groups: Sequence[Sequence[int]], samples: Any) -> Merge:
    """How to merge twins so that the outputs of a chain's reader stay nearly the same on these inputs of the model.

    Raises:
        ValueError: If the chain is in a nested model, which the inputs do not reach, or if the samples do not fit the
            model.
    """
    for array, tensor in zip(keras.tree.flatten(samples), model.inputs, strict=True):
        if any(size not in (None, given) for size, given in zip(tensor.shape, np.shape(array), strict=True)):
            raise ValueError(f"samples of shape {np.shape(array)} do not fit the model, which takes {tensor.shape}")
    given = keras.Model(model.inputs, chain.reader.input).predict(samples, verbose=0)
    kernel, *rest = chain.reader.get_weights()
    units = chain.layer.get_weights()[0].shape[-1]
    rows = np.asarray(given, np.float64).reshape(-1, units)
    seen = rows if len(rows) <= ROWS else rows[np.random.default_rng(0).choice(len(rows), ROWS, replace=False)]
    parts = by_unit(kernel, units)

    def outputs(parts: FloatArray) -> FloatArray:
        weights = [parts.reshape(kernel.shape).astype(kernel.dtype), *rest]
        result, _ = chain.reader.stateless_call(weights, [v.value for v in chain.reader.non_trainable_variables], given)
        return np.asarray(to_host(result), np.float64)

    before = outputs(parts)
    variation = float(np.var(before, axis=0).sum()) * len(before)

    def lost(reads: FloatArray) -> float:
        change = outputs(np.einsum("ku,puo->pko", reads, parts)) - before
        return float(np.sum(change**2)) / max(variation, 1e-30)

    weight = np.linalg.norm(parts, axis=(0, 2))
    return lambda kept: fitted(seen, weight, groups, kept, lost)


def fitted(
    seen: FloatArray,
    weight: FloatArray,
    groups: Sequence[Sequence[int]],
    kept: NDArray[np.bool_],
    lost: Callable[[FloatArray], float],
) -> tuple[NDArray[np.bool_], FloatArray]:
    """(units that stay, how each of all units is read through those that stay ``(units, units)``).

    In each group the unit that is read with the most energy stays. Of the others as many are removed as change the
    outputs by no more than ``LOST``; those that the rest can replace best are removed first.

    Args:
        seen: Inputs of the reader, ``(rows, units)``.
        weight: Norm of the weights with which it reads each unit, ``(units,)``.
        groups: Units that are alike.
        kept: Units that exist, ``(units,)``.
        lost: How ``reads`` ``(units, units)`` is scored: the energy of the change of the reader's outputs, relative.
    """
    energy = np.einsum("ru,ru->u", seen * weight, seen * weight)
    candidates: list[int] = []
    for group in groups:
        members = sorted((unit for unit in group if kept[unit]), key=lambda unit: energy[unit])
        candidates += members[:-1]
    residual = _through(seen * weight, _without(kept, candidates), candidates)[1]
    order = [candidates[i] for i in np.argsort(residual)]
    fewest, most = 0, len(order)  # the loss grows with the number removed, so bisection finds it
    while fewest < most:
        middle = (fewest + most + 1) // 2
        if lost(_read_through(seen, kept, order[:middle])) <= LOST:
            fewest = middle
        else:
            most = middle - 1
    removed = order[:fewest]
    return _without(kept, removed), _read_through(seen, kept, removed)


def _without(kept: NDArray[np.bool_], removed: Sequence[int]) -> NDArray[np.bool_]:
    stays: NDArray[np.bool_] = kept.copy()
    stays[list(removed)] = False
    return stays


def _read_through(seen: FloatArray, kept: NDArray[np.bool_], removed: Sequence[int]) -> FloatArray:
    """How each unit is read through those that stay; rows of units that do not stay are 0."""
    stays = _without(kept, removed)
    reads = np.diag(stays.astype(np.float64))
    reads[np.ix_(np.flatnonzero(stays), np.asarray(removed, int))] = _through(seen, stays, removed)[0]
    return reads


def _through(seen: FloatArray, stays: NDArray[np.bool_], removed: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """(weights ``(units that stay, removed)``, energy lost of each unit removed), by least squares."""
    have, want = seen[:, stays], seen[:, list(removed)]
    gram = have.T @ have
    gram += RIDGE * (np.trace(gram) / len(gram) + 1e-12) * np.eye(len(gram))
    through: FloatArray = np.linalg.solve(gram, have.T @ want)
    return through, np.sum((want - have @ through) ** 2, axis=0)
