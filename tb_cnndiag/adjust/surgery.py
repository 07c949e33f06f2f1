"""Takes filters out of a layer so that what the network computes hardly changes.

Of a group of twins one stays, and the weights by which the next layer reads the others are added to those by which it
reads the one that stays. A dead filter leaves nothing behind, since nothing was read of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Merge = Callable[[NDArray[np.bool_]], tuple[NDArray[np.bool_], FloatArray]]
"""Units that are there → (those that stay, how each of all is read through them ``(units, units)``)."""

# Cosine, bias included, from which one filter can stand in for another without a trace in what the network answers.
# A group of twins as it is told reaches down to 0.9: that takes samples to fit by (``fit``), or an epoch of training.
ALIKE = 0.98
# A scale below this share of its layer's largest passes nothing on.
FAINT = 1e-3
# A twin that fires α times as strongly is read through α: true of what is linear on each side of 0.
_HOMOGENEOUS = ("linear", "relu", "leaky_relu")
# Layers that treat each channel for itself and leave a channel that is 0 at 0.
_PASS = (
    "Dropout SpatialDropout2D Activation ReLU LeakyReLU MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D "
    "AveragePooling2D AveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D "
    "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D "
    "UpSampling1D UpSampling2D Identity GaussianNoise"
).split()


class SurgeryError(ValueError):
    """A layer's filters cannot be taken out; the message says why."""


@dataclass
class Chain:
    """A layer, what treats its channels one by one, and the kernel layer that reads them."""

    layer: Any
    between: list[Any]
    reader: Any

    @property
    def norm(self) -> Any:
        """The batch normalization between, or None."""
        return next((b for b in self.between if type(b).__name__ == "BatchNormalization"), None)

    @property
    def flattened(self) -> bool:
        """Whether the reader sees positions × channels as one axis."""
        return any(type(b).__name__ == "Flatten" for b in self.between)

    @property
    def activation(self) -> str:
        """Name of the activation between."""
        for member in (self.layer, *self.between):
            kind = type(member).__name__
            if kind in ("ReLU", "LeakyReLU"):
                return "relu" if kind == "ReLU" and member.max_value is None else kind.lower().replace("kyr", "ky_r")
            name = getattr(getattr(member, "activation", None), "__name__", "linear")
            if name != "linear":
                return str(name)
        return "linear"


@dataclass
class Cut:
    """New sizes and weights: by layer name the config to change, and its weights in Keras' order."""

    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    weights: dict[str, list[FloatArray]] = field(default_factory=dict)


def chain_of(layer: Any) -> Chain:
    """The chain that begins at a convolution or dense layer.

    Raises:
        SurgeryError: When its output is read by several layers, added to others, or treated otherwise than by channel.
    """
    if type(layer).__name__ not in ("Conv1D", "Conv2D", "Conv3D", "Dense"):
        raise SurgeryError(f"{layer.name} is a {type(layer).__name__}")
    if getattr(layer, "data_format", "channels_last") != "channels_last" or getattr(layer, "groups", 1) != 1:
        raise SurgeryError(f"{layer.name} has its channels first or in groups")
    between: list[Any] = []
    here = layer
    while True:
        nodes = here._outbound_nodes
        if len(nodes) != 1:
            raise SurgeryError(f"{here.name} is read by {len(nodes)} layers")
        following = nodes[0].operation
        if len(nodes[0].input_tensors) != 1:
            raise SurgeryError(f"{following.name} joins {layer.name} with others")
        kind = type(following).__name__
        if kind in ("Conv1D", "Conv2D", "Conv3D", "Dense") and getattr(following, "groups", 1) == 1:
            return Chain(layer, between, following)
        if kind not in ("BatchNormalization", "Flatten", *_PASS):
            raise SurgeryError(f"{following.name} ({kind}) does not treat each channel for itself")
        between.append(following)
        here = following


def cut(
    layer: Any,
    groups: Sequence[Sequence[int]] = (),
    dead: Sequence[int] = (),
    merge: Merge | None = None,
) -> Cut:
    """What is left of a layer and its reader when each group of twins is merged into one and dead units are taken out.

    Of dead units those are left that are held at a value above 0, since something is read of them. Empty when there is
    nothing to take out.

    Args:
        layer: Where to cut.
        groups: Units that are alike.
        dead: Units that give the same for every input.
        merge: Chooses what stays of the groups; by default from the weights alone.

    Raises:
        SurgeryError: See :func:`chain_of`; also when nothing would be left.
    """
    chain = chain_of(layer)
    kernel, bias = _weights_of(layer)
    flat = kernel.reshape(-1, kernel.shape[-1])
    kept = np.ones(flat.shape[1], bool)
    kept[[unit for unit in dead if _silent(unit, chain, flat, bias)]] = False
    kept, reads = merge(kept) if merge else _by_weights(chain, flat, bias, groups, kept)
    if kept.all():
        return Cut()
    if not kept.any():
        raise SurgeryError(f"{layer.name} would have no unit left")
    found = Cut()
    found.configs[layer.name] = {"filters" if "filters" in layer.get_config() else "units": int(kept.sum())}
    found.weights[layer.name] = [kernel[..., kept], *([bias[kept]] if bias is not None else [])]
    if chain.norm is not None:
        found.weights[chain.norm.name] = [w[kept] for w in chain.norm.get_weights()]
    read, *rest = chain.reader.get_weights()
    found.weights[chain.reader.name] = [_merged(read, reads[kept], chain), *rest]
    return found


def _by_weights(
    chain: Chain, flat: FloatArray, bias: FloatArray | None, groups: Sequence[Sequence[int]], kept: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], FloatArray]:
    """Those of each group go that are next to the same as the one nearest to all."""
    kept, reads = kept.copy(), np.eye(len(kept))
    for group in groups:
        members = [unit for unit in group if kept[unit]]
        if len(members) < 2:
            continue
        stays, scales, likeness = _representative(chain, flat, bias, members)
        for unit, scale, alike in zip(members, scales, likeness, strict=True):
            if unit != stays and alike >= ALIKE:
                kept[unit] = False
                reads[stays, unit] = scale
    return kept, reads


def _silent(unit: int, chain: Chain, flat: FloatArray, bias: FloatArray | None) -> bool:
    """Whether a unit that never changes is at 0: it is rectified, and not held above by what is added to it."""
    if chain.activation != "relu":
        return False
    if chain.norm is not None:
        scale = np.abs(np.asarray(chain.norm.gamma)) if chain.norm.scale else np.ones(flat.shape[1])
        shift = np.asarray(chain.norm.beta) if chain.norm.center else np.zeros(flat.shape[1])
        return bool(scale[unit] > FAINT * scale.max() or shift[unit] <= 0)
    return bool(flat[:, unit].any() or bias is None or bias[unit] <= 0)


def _weights_of(layer: Any) -> tuple[FloatArray, FloatArray | None]:
    kernel, *bias = layer.get_weights()
    return kernel, bias[0] if bias else None


def _representative(
    chain: Chain, flat: FloatArray, bias: FloatArray | None, members: Sequence[int]
) -> tuple[int, list[float], list[float]]:
    """(the member nearest to all others, how strongly each fires when that one fires with 1, cosine with that one)."""
    rows = flat[:, members].T.astype(np.float64)
    if bias is not None and chain.norm is None:
        rows = np.concatenate([rows, bias[members, None]], axis=1)
    norms = np.linalg.norm(rows, axis=1)
    similarity = (rows @ rows.T) / np.maximum(np.outer(norms, norms), 1e-30)
    best = int(np.argmax(similarity.sum(axis=1)))
    if chain.norm is not None and chain.norm.scale:
        gamma = np.abs(np.asarray(chain.norm.gamma))[list(members)]
        scales = gamma / max(float(gamma[best]), 1e-12)
    elif chain.norm is not None:
        scales = np.ones(len(members))
    else:
        scales = norms / norms[best]
    if chain.activation not in _HOMOGENEOUS:
        scales = np.ones(len(members))
    return members[best], [float(s) for s in scales], [float(c) for c in similarity[best]]


def by_unit(read: FloatArray, units: int) -> FloatArray:
    """A reader's kernel by the unit that it reads, ``(positions, units, outputs)``."""
    return np.reshape(read, (-1, units, read.shape[-1]))


def _merged(read: FloatArray, reads: FloatArray, chain: Chain) -> FloatArray:
    """The reader's kernel over the channels that stay; ``reads`` is ``(kept, units)``."""
    kept, units = reads.shape
    merged = np.einsum("ku,puo->pko", reads, by_unit(read, units)).astype(read.dtype)
    shape = (-1,) if chain.flattened else (*read.shape[:-2], kept)
    return np.reshape(merged, (*shape, read.shape[-1]))
