"""How each kind of layer or operation changes what a tensor sees of an image: one rule for each kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tb_cnndiag.capture.layers import is_activation
from tb_cnndiag.numerics import pixel_intervals as intervals
from tb_cnndiag.numerics.pixel_intervals import Intervals

Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Seen:
    """What a tensor sees of an image.

    Attributes:
        axes: By axis of the tensor (the batch is axis 0), what each position of that axis sees.
        hulls: By axis of the image that no axis of the tensor stands for, the first and last pixel seen.
    """

    axes: Mapping[int, Intervals]
    hulls: Mapping[int, tuple[int, int]]

    def without(self, *gone: int) -> Seen:
        """The same after mixing all positions of some axes of the tensor."""
        hulls = dict(self.hulls)
        for axis in gone:
            if axis in self.axes:
                hulls[self.axes[axis].of] = self.axes[axis].hull
        return Seen({axis: each for axis, each in self.axes.items() if axis not in gone}, hulls)

    def mixed(self, *along: int) -> Seen:
        """The same after each position of some axes depends on all positions."""
        axes = {
            axis: intervals.constant(each.of, len(each), each.hull) if axis in along else each
            for axis, each in self.axes.items()
        }
        return Seen(axes, self.hulls)

    def moved(self, target: Mapping[int, int]) -> Seen:
        """The same with other axes: ``target`` has the new place of each that stays; others are mixed."""
        kept = self.without(*(axis for axis in self.axes if axis not in target))
        return Seen({target[axis]: each for axis, each in kept.axes.items()}, kept.hulls)


def united(a: Seen, b: Seen) -> Seen:
    """What two tensors see together, position by position."""
    axes: dict[int, Intervals] = {}
    hulls: dict[int, tuple[int, int]] = {}
    place = [{each.of: axis for axis, each in seen.axes.items()} for seen in (a, b)]
    for image_axis in {*place[0], *place[1], *a.hulls, *b.hulls}:
        first, second = (at.get(image_axis) for at in place)
        if first is not None and first == second:
            axes[first] = intervals.union(a.axes[first], b.axes[first])
            continue
        own, other = (a, b) if first is not None else (b, a)
        axis = first if first is not None else second
        if axis is not None and image_axis in other.hulls:
            mine = own.axes[axis]
            axes[axis] = intervals.union(mine, intervals.constant(image_axis, len(mine), other.hulls[image_axis]))
            continue
        ends = [seen.without(*seen.axes).hulls[image_axis] for seen in (a, b)]
        hulls[image_axis] = min(low for low, _ in ends), max(high for _, high in ends)
    return Seen(axes, hulls)


# A rule has the layer, what each input sees (None: nothing of this image) with its shape, and the shape of the output.
Given: TypeAlias = Sequence[tuple[Seen | None, Shape]]
Rule: TypeAlias = Callable[[Any, Given, Shape], Seen]
Move: TypeAlias = Callable[[Intervals, int, int, int, int], Intervals]


def elementwise(_layer: Any, given: Given, shape: Shape) -> Seen:
    """Each position of the output depends on the same position of each input, which may be repeated."""
    seen: Seen | None = None
    for each, own in given:
        if each is None:
            continue
        fitting = each if len(own) == len(shape) else each.without(*each.axes)
        seen = fitting if seen is None else united(seen, fitting)
    assert seen is not None
    return Seen(
        {
            axis: intervals.constant(each.of, shape[axis], each.hull) if 1 == len(each) < shape[axis] else each
            for axis, each in seen.axes.items()
        },
        seen.hulls,
    )


def _only(given: Given) -> tuple[Seen, Shape]:
    """What the single input sees, and its shape; of several, together."""
    shape = next(own for each, own in given if each is not None)
    return elementwise(None, given, shape), shape


def _spatial(layer: Any, rank: int) -> range:
    return range(2, rank) if getattr(layer, "data_format", "") == "channels_first" else range(1, rank - 1)


def _each(value: Any, count: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * count


def _moved(
    layer: Any, given: Given, shape: Shape, size: Any, move: Move, *, dilation: Any = 1, mixes: bool = True
) -> Seen:
    """Each spatial axis as ``move(intervals, size, stride, dilation, length)`` says; others mix, if ``mixes``."""
    seen, own = _only(given)
    spatial = _spatial(layer, len(own))
    count = len(spatial)
    sizes, strides, dilations = _each(size, count), _each(layer.strides, count), _each(dilation, count)
    if mixes:
        seen = seen.without(*(set(range(1, len(own))) - set(spatial)))
    axes = dict(seen.axes)
    for at, axis in enumerate(spatial):
        if axis in axes:
            axes[axis] = move(axes[axis], sizes[at], strides[at], dilations[at], shape[axis])
    return Seen(axes, seen.hulls)


def _windowed(layer: Any, given: Given, shape: Shape, size: Any, *, dilation: Any = 1, mixes: bool) -> Seen:
    def move(axis: Intervals, size: int, stride: int, dilation: int, length: int) -> Intervals:
        padding = 0
        if layer.padding == "same":
            padding = intervals.same_padding(len(axis), size, stride, dilation)
        elif layer.padding == "causal":
            padding = (size - 1) * dilation
        return intervals.window(axis, size, stride, dilation, padding, length)

    return _moved(layer, given, shape, size, move, dilation=dilation, mixes=mixes)


def convolution(layer: Any, given: Given, shape: Shape) -> Seen:
    """A window over the spatial axes that mixes all channels."""
    return _windowed(layer, given, shape, layer.kernel_size, dilation=layer.dilation_rate, mixes=True)


def pooling(layer: Any, given: Given, shape: Shape) -> Seen:
    """A window over the spatial axes."""
    return _windowed(layer, given, shape, layer.pool_size, mixes=False)


def transposed_convolution(layer: Any, given: Given, shape: Shape) -> Seen:
    """Each position of the input reaches a window of the output."""

    def move(axis: Intervals, size: int, stride: int, dilation: int, length: int) -> Intervals:
        reach = (len(axis) - 1) * stride + (size - 1) * dilation + 1
        padding = max(reach - length, 0) // 2 if layer.padding == "same" else 0
        return intervals.transposed(axis, size, stride, dilation, padding, length)

    return _moved(layer, given, shape, layer.kernel_size, move, dilation=layer.dilation_rate)


def global_pooling(layer: Any, given: Given, shape: Shape) -> Seen:
    """All positions are mixed."""
    seen, own = _only(given)
    spatial = _spatial(layer, len(own))
    kept = [axis for axis in range(1, len(own)) if axis not in spatial]
    places = kept if len(shape) == len(own) else range(1, len(shape))
    return seen.moved(dict(zip(kept, places, strict=True)))


def zero_padding(layer: Any, given: Given, _shape: Shape) -> Seen:
    """Positions are added that see nothing."""
    return _edged(layer, given, layer.padding, 1)


def cropping(layer: Any, given: Given, _shape: Shape) -> Seen:
    """Positions are removed."""
    return _edged(layer, given, layer.cropping, -1)


def _edged(layer: Any, given: Given, amounts: Any, sign: int) -> Seen:
    seen, own = _only(given)
    spatial = _spatial(layer, len(own))
    pairs = [amounts] if len(spatial) == 1 else list(amounts)
    axes = dict(seen.axes)
    for axis, (before, after) in zip(spatial, pairs, strict=True):
        if axis in axes:
            axes[axis] = intervals.padded(axes[axis], sign * before, sign * after)
    return Seen(axes, seen.hulls)


def up_sampling(layer: Any, given: Given, shape: Shape) -> Seen:
    """Positions are repeated, or interpolated between two."""
    seen, own = _only(given)
    kind = getattr(layer, "interpolation", "nearest")
    axes = dict(seen.axes)
    for axis in _spatial(layer, len(own)):
        if axis in axes and kind == "nearest":
            axes[axis] = intervals.repeated(axes[axis], shape[axis] // own[axis])
        elif axis in axes and kind == "bilinear":
            axes[axis] = intervals.resized(axes[axis], shape[axis], linear=True)
        elif axis in axes:
            axes[axis] = intervals.constant(axes[axis].of, shape[axis], axes[axis].hull)
    return Seen(axes, seen.hulls)


def dense(_layer: Any, given: Given, _shape: Shape) -> Seen:
    """The last axis is mixed."""
    seen, own = _only(given)
    return seen.without(len(own) - 1)


def reshaping(_layer: Any, given: Given, shape: Shape) -> Seen:
    """An axis stays if its length and the number of values before it do; all others are mixed."""
    seen, own = _only(given)
    return seen.moved({old: new for new, old in _kept_axes(own, shape).items()})


def _kept_axes(own: Shape, shape: Shape) -> dict[int, int]:
    """New axis → old axis, for those that a reshape keeps."""

    def before(lengths: Shape) -> dict[tuple[int, int], int]:
        found, product = {}, 1
        for axis, length in enumerate(lengths[1:], start=1):
            if length > 1:
                found[product, length] = axis
            product *= length
        return found

    old, new = before(own), before(shape)
    return {axis: old[key] for key, axis in new.items() if key in old}


def permutation(layer: Any, given: Given, shape: Shape) -> Seen:
    """Axes change places."""
    seen, _ = _only(given)
    order = (0, *layer.dims) if hasattr(layer, "dims") else layer.axes or tuple(reversed(range(len(shape))))
    return seen.moved({old: new for new, old in enumerate(order) if new})


def concatenation(layer: Any, given: Given, shape: Shape) -> Seen:
    """Inputs are placed one after the other."""
    return concatenated(int(layer.axis), given, shape)


def concatenated(axis: int, given: Given, shape: Shape) -> Seen:
    """Inputs placed one after the other along an axis."""
    axis %= len(shape)
    along: Intervals | None = None
    if all(seen is not None and axis in seen.axes for seen, _ in given):
        for seen, _ in given:
            assert seen is not None
            along = seen.axes[axis] if along is None else intervals.joined(along, seen.axes[axis])
    seen = elementwise(None, [(each and each.without(axis), own) for each, own in given], shape)
    if along is None:
        return seen
    hulls = {image_axis: hull for image_axis, hull in seen.hulls.items() if image_axis != along.of}
    return Seen({**seen.axes, axis: along}, hulls)


def reduction(layer: Any, given: Given, shape: Shape) -> Seen:
    """Mean, maximum or sum over axes."""
    return reduced(layer.axis, given, shape)


def reduced(axis: Any, given: Given, shape: Shape) -> Seen:
    """Mean, maximum or sum over axes; None: over all."""
    seen, own = _only(given)
    gone = {a % len(own) for a in (range(len(own)) if axis is None else _each(axis, 1))}
    kept = [a for a in range(len(own)) if a not in gone]
    places = kept if len(shape) == len(own) else range(len(kept))
    return seen.moved({old: new for old, new in zip(kept, places, strict=False) if old})


def normalization(layer: Any, given: Given, _shape: Shape) -> Seen:
    """A normalization over axes of each sample."""
    seen, own = _only(given)
    return seen.mixed(*(axis % len(own) for axis in _each(layer.axis, 1)))


def group_normalization(_layer: Any, given: Given, _shape: Shape) -> Seen:
    """Each position depends on all positions."""
    seen, own = _only(given)
    return seen.mixed(*range(1, len(own)))


def resizing(layer: Any, given: Given, shape: Shape) -> Seen:
    """Nearest or linear interpolation; any other kind is taken to see the whole image."""
    if layer.interpolation not in ("nearest", "bilinear") or layer.antialias or layer.crop_to_aspect_ratio:
        raise NotImplementedError(layer.interpolation)
    seen, own = _only(given)
    axes = dict(seen.axes)
    for axis in _spatial(layer, len(own)):
        if axis in axes:
            axes[axis] = intervals.resized(axes[axis], shape[axis], linear=layer.interpolation == "bilinear")
    return Seen(axes, seen.hulls)


_ELEMENTWISE = (
    "BatchNormalization Identity Dropout SpatialDropout GaussianNoise GaussianDropout AlphaDropout "
    "ActivityRegularization Rescaling Normalization Add Subtract Multiply Average Maximum Minimum Divide "
    "TrueDivide Power Square Sqrt Rsqrt Exp Log Abs Absolute Negative Clip Where Relu Relu6 Sigmoid Silu Gelu "
    "Tanh Elu Selu Softplus Softsign HardSigmoid HardSwish HardSilu LeakyRelu Celu Mish Cast Masking RandomFlip "
    "RandomRotation RandomTranslation RandomZoom RandomContrast RandomBrightness"
)
_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_ELEMENTWISE.split(), elementwise),
    "BaseConv": convolution,
    "BaseDepthwiseConv": convolution,
    "BaseSeparableConv": convolution,
    "BaseConvTranspose": transposed_convolution,
    "BasePooling": pooling,
    "BaseGlobalPooling": global_pooling,
    "ZeroPadding": zero_padding,
    "Cropping": cropping,
    "UpSampling": up_sampling,
    "Resizing": resizing,
    "Dense": dense,
    "Flatten": reshaping,
    "Reshape": reshaping,
    "ExpandDims": reshaping,
    "Squeeze": reshaping,
    "Permute": permutation,
    "Transpose": permutation,
    "Concatenate": concatenation,
    "Mean": reduction,
    "Max": reduction,
    "Sum": reduction,
    "LayerNormalization": normalization,
    "RMSNormalization": normalization,
    "UnitNormalization": normalization,
    "GroupNormalization": group_normalization,
    "Softmax": normalization,
}


def rule_of(operation: Any) -> Rule | None:
    """The rule for a layer or operation; None if it is not known what it does."""
    for base in type(operation).__mro__:
        rule = _RULES.get(re.sub(r"[123]D$", "", base.__name__))
        if rule is not None:
            return rule
    return elementwise if is_activation(operation) else None


def is_reshaping(operation: Any) -> bool:
    """Whether an operation only gives a tensor another shape."""
    return rule_of(operation) is reshaping
