"""Which twins can be taken out, and what takes their place, fitted to what the next layer is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.adjust.surgery import Chain

FloatArray = NDArray[np.floating[Any]]

# Energy that may be lost of what the reader is given, over that by which it varies.
LOST = 1e-3
# Rows (samples × positions) that are fitted to: some for each unit, and no more than fit in a few MB.
ROWS = 20_000
# Keeps what hardly varies from being read with huge weights.
RIDGE = 1e-4


def read_of(model: Any, chain: Chain, samples: Any) -> FloatArray:
    """What the reader of a chain is given of each unit for these inputs of the model, ``(rows, units)``.

    Raises:
        ValueError: When the model's inputs do not lead to the chain, as where it lies in a nested model, or the samples
            do not fit the model.
    """
    given = keras.Model(model.inputs, chain.reader.input).predict(samples, verbose=0)
    units = chain.layer.get_weights()[0].shape[-1]
    rows = np.asarray(given, np.float64).reshape(-1, units)
    return rows if len(rows) <= ROWS else rows[np.random.default_rng(0).choice(len(rows), ROWS, replace=False)]


def fitted(
    seen: FloatArray, weight: FloatArray, groups: Sequence[Sequence[int]], kept: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], FloatArray]:
    """(units that stay, how each of all units is read through those that stay ``(units, units)``).

    Of each group the unit stays that is read with the most energy. The others go while what is lost of what the reader
    is given, by least squares through those that stay, is below ``LOST``.

    Args:
        seen: What the reader is given, ``(rows, units)``.
        weight: Norm of the weights by which it reads each unit, ``(units,)``.
        groups: Units that are alike.
        kept: Units that are there at all.
    """
    read = seen * weight
    energy = np.einsum("ru,ru->u", read, read)
    going: list[int] = []
    for group in groups:
        members = sorted((unit for unit in group if kept[unit]), key=lambda unit: energy[unit])
        going += members[:-1]
    stays = kept.copy()
    stays[going] = False
    _, lost = _through(read, stays, going)
    order = np.argsort(lost)
    # What all samples share tells nothing apart.
    told = float(np.var(read, axis=0).sum()) * len(read)
    enough = np.cumsum(lost[order]) <= LOST * told
    gone = [going[i] for i in order[enough]]
    stays = kept.copy()
    stays[gone] = False
    through, _ = _through(seen, stays, gone)
    reads = np.eye(len(kept))
    reads[np.ix_(stays, gone)] = through
    return stays, reads


def _through(seen: FloatArray, stays: NDArray[np.bool_], gone: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """(weights ``(units that stay, gone)``, energy lost of each that is gone)."""
    have, want = seen[:, stays], seen[:, list(gone)]
    gram = have.T @ have
    gram += RIDGE * (np.trace(gram) / len(gram) + 1e-12) * np.eye(len(gram))
    through: FloatArray = np.linalg.solve(gram, have.T @ want)
    return through, np.sum((want - have @ through) ** 2, axis=0)
