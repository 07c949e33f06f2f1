"""Which twins can be taken out, and what takes their place, fitted to what the next layer is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.adjust.surgery import Chain, Merge, by_unit

FloatArray = NDArray[np.floating[Any]]

# Energy of what the next layer answers that may be lost, over that by which it varies.
LOST = 5e-4
# Rows (samples × positions) that are fitted to: some for each unit, and no more than fit in a few MB.
ROWS = 20_000
# Keeps what hardly varies from being read with huge weights.
RIDGE = 1e-4


def merge_by(model: Any, chain: Chain, groups: Sequence[Sequence[int]], samples: Any) -> Merge:
    """How to merge twins so that the reader of a chain answers nearly the same for these inputs of the model.

    Raises:
        ValueError: When the model's inputs do not lead to the chain, as where it lies in a nested model, or the samples
            do not fit the model.
    """
    given = keras.Model(model.inputs, chain.reader.input).predict(samples, verbose=0)
    kernel, *rest = chain.reader.get_weights()
    units = chain.layer.get_weights()[0].shape[-1]
    rows = np.asarray(given, np.float64).reshape(-1, units)
    seen = rows if len(rows) <= ROWS else rows[np.random.default_rng(0).choice(len(rows), ROWS, replace=False)]
    parts = by_unit(kernel, units)

    def answers(parts: FloatArray) -> FloatArray:
        weights = [parts.reshape(kernel.shape).astype(kernel.dtype), *rest]
        answered, _ = chain.reader.stateless_call(
            weights, [v.value for v in chain.reader.non_trainable_variables], given
        )
        return np.asarray(keras.ops.convert_to_numpy(answered), np.float64)

    before = answers(parts)
    varies = float(np.var(before, axis=0).sum()) * len(before)

    def lost(reads: FloatArray) -> float:
        change = answers(np.einsum("ku,puo->pko", reads, parts)) - before
        return float(np.sum(change**2)) / max(varies, 1e-30)

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

    Of each group the unit stays that is read with the most energy. As many of the others go, those first that the rest
    stands in for best, as lose no more than ``LOST``.

    Args:
        seen: What the reader is given, ``(rows, units)``.
        weight: Norm of the weights by which it reads each unit, ``(units,)``.
        groups: Units that are alike.
        kept: Units that are there at all.
        lost: What is lost of what the reader answers, 0 to 1, when units are read so ``(units, units)``.
    """
    energy = np.einsum("ru,ru->u", seen * weight, seen * weight)
    going: list[int] = []
    for group in groups:
        members = sorted((unit for unit in group if kept[unit]), key=lambda unit: energy[unit])
        going += members[:-1]
    residual = _through(seen * weight, _without(kept, going), going)[1]
    order = [going[i] for i in np.argsort(residual)]
    fewest, most = 0, len(order)  # what is lost grows with the number that goes, so halving finds it
    while fewest < most:
        middle = (fewest + most + 1) // 2
        if lost(_read_through(seen, kept, order[:middle])) <= LOST:
            fewest = middle
        else:
            most = middle - 1
    gone = order[:fewest]
    return _without(kept, gone), _read_through(seen, kept, gone)


def _without(kept: NDArray[np.bool_], gone: Sequence[int]) -> NDArray[np.bool_]:
    stays: NDArray[np.bool_] = kept.copy()
    stays[list(gone)] = False
    return stays


def _read_through(seen: FloatArray, kept: NDArray[np.bool_], gone: Sequence[int]) -> FloatArray:
    """How each unit is read through those that stay; rows of units that do not are 0."""
    stays = _without(kept, gone)
    reads = np.diag(stays.astype(np.float64))
    reads[np.ix_(np.flatnonzero(stays), np.asarray(gone, int))] = _through(seen, stays, gone)[0]
    return reads


def _through(seen: FloatArray, stays: NDArray[np.bool_], gone: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """(weights ``(units that stay, gone)``, energy lost of each that is gone), by least squares."""
    have, want = seen[:, stays], seen[:, list(gone)]
    gram = have.T @ have
    gram += RIDGE * (np.trace(gram) / len(gram) + 1e-12) * np.eye(len(gram))
    through: FloatArray = np.linalg.solve(gram, have.T @ want)
    return through, np.sum((want - have @ through) ** 2, axis=0)
