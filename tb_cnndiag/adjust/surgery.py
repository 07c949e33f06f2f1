"""Removes units of a layer so that the network's outputs hardly change.

Of a group of twins one stays, and the weights with which the next layer reads the others are added to those with which
it reads the one that stays. A dead unit contributes nothing, so nothing replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.adjust.chain import Chain, SurgeryError
from tb_cnndiag.capture.backends import to_host

FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]
Merge = Callable[[BoolArray], tuple[BoolArray, FloatArray]]
"""Units that exist → (units that stay, how each of all units is read through them ``(units, units)``)."""

# Likeness above which one unit can replace another with next to no change of the network's outputs. Reported twins go
# down to a cosine of 0.9: to merge those takes samples to fit (``fit``), or an epoch of training.
ALIKE = 0.98
# A unit whose response varies by less than this share of the layer's largest counts as constant.
FAINT = 1e-3
# f(αx) = αf(x) for α > 0, so that a unit α times as large as its twin can be read through the twin.
_HOMOGENEOUS = ("linear", "relu", "leaky_relu")


@dataclass(frozen=True)
class Cut:
    """Units that stay in a layer, and the new weights of the layers that change, in Keras' order, by ``id(layer)``."""

    units: int
    weights: dict[int, list[FloatArray]] = field(default_factory=dict)


def cut(
    chain: Chain,
    groups: Sequence[Sequence[int]] = (),
    dead: Sequence[int] = (),
    *,
    merge: Merge | None = None,
    weights: Mapping[int, list[FloatArray]] | None = None,
) -> Cut | None:
    """Merge each group of twins into one unit and remove dead units; None if nothing can be removed.

    Dead units that are constant above 0 stay, because the next layer reads that constant.

    Args:
        chain: The layer to cut, and what follows.
        groups: Units that are alike.
        dead: Units that give the same output for every input.
        merge: Chooses what stays of the groups; by default from the weights alone.
        weights: Weights from cuts of other layers, by ``id(layer)``, that take the place of the model's own.

    Raises:
        SurgeryError: If no unit would stay.
    """
    own = weights or {}
    kernel, *bias = own.get(id(chain.layer)) or chain.layer.get_weights()
    units = _Units.of(chain, kernel, bias[0] if bias else None)
    kept = np.ones(len(units.factor), bool)
    read, *rest = own.get(id(chain.reader)) or chain.reader.get_weights()
    unread = np.abs(by_unit(read, len(units.factor))).sum(axis=(0, 2)) == 0
    kept[[unit for unit in dead if unread[unit] or units.silent(unit)]] = False
    kept, reads = merge(kept) if merge else _by_weights(units, groups, kept)
    if kept.all():
        return None
    if not kept.any():
        raise SurgeryError(f"{chain.layer.name} would have no unit left")
    changed = {id(chain.layer): [values[..., kept] for values in (kernel, *bias)]}
    if chain.norm is not None:
        changed[id(chain.norm)] = [values[kept] for values in chain.norm.get_weights()]
    changed[id(chain.reader)] = [_merged(read, reads[kept], flattened=chain.flattened), *rest]
    return Cut(int(kept.sum()), changed)


@dataclass(frozen=True)
class _Units:
    """What each unit passes to its activation: ``factor · (kernel · x + bias) + shift``.

    Factor and shift are those of the batch normalization, 1 and 0 without one. Its moving averages also give the mean
    and deviation of ``kernel · x + bias`` on the training data; None without one.
    """

    kernel: FloatArray  # (units, fan_in)
    bias: FloatArray
    factor: FloatArray
    shift: FloatArray
    mean: FloatArray | None
    deviation: FloatArray | None
    activation: str

    @classmethod
    def of(cls, chain: Chain, kernel: FloatArray, bias: FloatArray | None) -> _Units:
        rows = kernel.reshape(-1, kernel.shape[-1]).T.astype(np.float64)
        zeros, ones = np.zeros(len(rows)), np.ones(len(rows))
        added = zeros if bias is None else bias.astype(np.float64)
        norm = chain.norm
        if norm is None:
            return cls(rows, added, ones, zeros, None, None, chain.activation)
        mean, variance = _array(norm.moving_mean), _array(norm.moving_variance)
        gamma = _array(norm.gamma) if norm.scale else ones
        beta = _array(norm.beta) if norm.center else zeros
        factor = gamma / np.sqrt(variance + norm.epsilon)
        return cls(rows, added, factor, beta - factor * mean, mean, np.sqrt(variance), chain.activation)

    def silent(self, unit: int) -> bool:
        """Whether the output of a unit that never changes is 0: it is rectified, and its constant is not above 0.

        Of another activation that keeps 0, all weights and the constant must be 0.
        """
        if self.activation in _HOMOGENEOUS and not self.kernel[unit].any():
            constant = float(self.factor[unit] * self.bias[unit] + self.shift[unit])
            return constant == 0 or (self.activation == "relu" and constant < 0)
        if self.activation != "relu":
            return False
        norms = np.linalg.norm(self.kernel, axis=1)
        varies = np.abs(self.factor) * np.where(norms > 0, norms if self.deviation is None else self.deviation, 0)
        if varies[unit] > FAINT * varies.max():
            return True
        typical = self.bias if self.mean is None else np.where(norms > 0, self.mean, self.bias)
        return bool((self.factor * typical + self.shift)[unit] <= 0)

    def likeness(self, members: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """(how well column j stands in for row i, up to 1; how large i is over j), each ``(members, members)``.

        Twins have kernels that are parallel, so the response of both is a line over the same input t: the projection on
        the kernel of j, with mean 0 and deviation 1 on the training data as the batch normalization of j saw it.
        Without one, mean 0 and deviation 1 of the input itself. The likeness is the cosine of (slope, level) of the two
        lines and the directions of the kernels. It is lowered by different sizes if the activation bends them.
        """
        index = list(members)
        kernel, factor, bias = self.kernel[index], self.factor[index], self.bias[index]
        dots = kernel @ kernel.T
        norms = np.maximum(np.sqrt(dots.diagonal()), 1e-30)
        deviation, mean = np.ones(len(index)), np.zeros(len(index))
        if self.deviation is not None and self.mean is not None:
            deviation, mean = self.deviation[index] / norms, (self.mean[index] - bias) / norms
        level = factor[:, None] * (bias[:, None] + dots / norms * mean) + self.shift[index][:, None]
        product = np.outer(factor, factor) * dots * deviation**2 + level * level.diagonal()
        energy = np.square(np.outer(factor * norms, deviation)) + np.square(level)
        own = np.maximum(energy.diagonal(), 1e-30)
        if self.activation in _HOMOGENEOUS:
            return product / np.sqrt(np.maximum(energy * own, 1e-60)), np.sqrt(energy / own)
        return 2 * product / np.maximum(energy + own, 1e-30), np.ones_like(energy)


def _by_weights(units: _Units, groups: Sequence[Sequence[int]], kept: BoolArray) -> tuple[BoolArray, FloatArray]:
    """In each group the unit that is nearest to all stays, and those that are nearly the same are removed."""
    kept, reads = kept.copy(), np.diag(kept.astype(np.float64))
    for group in groups:
        members = [unit for unit in group if kept[unit]]
        if len(members) < 2:
            continue
        likeness, scale = units.likeness(members)
        best = int(np.argmax(likeness.sum(axis=0)))
        for row, unit in enumerate(members):
            if row != best and likeness[row, best] >= ALIKE:
                kept[unit] = False
                reads[unit, unit], reads[members[best], unit] = 0, scale[row, best]
    return kept, reads


def _array(variable: Any) -> FloatArray:
    return np.asarray(to_host(variable), np.float64)


def by_unit(read: FloatArray, units: int) -> FloatArray:
    """The kernel of a reader by the unit that it reads, ``(positions, units, outputs)``."""
    return np.reshape(read, (-1, units, read.shape[-1]))


def _merged(read: FloatArray, reads: FloatArray, *, flattened: bool) -> FloatArray:
    """The kernel of the reader over the units that stay; ``reads`` is ``(kept, units)``."""
    kept, units = reads.shape
    merged = np.einsum("ku,puo->pko", reads, by_unit(read, units)).astype(read.dtype)
    shape = (-1,) if flattened else (*read.shape[:-2], kept)
    return np.reshape(merged, (*shape, read.shape[-1]))
