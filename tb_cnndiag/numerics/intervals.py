"""Interval arithmetic: between which values the output of a unit lies for every input (Moore 1966).

An interval per channel is a pair of arrays ``(channels,)``, whose ends can be infinite. Results are rounded outward, so
that float32 arithmetic does not leave them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.numerics.activations import facts_of
from tb_cnndiag.payloads import FloatArray

Float64Array = NDArray[np.float64]

# Rounding errors of a sum of products in float32, relative to the sum of their magnitudes.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Interval:
    """Lowest and highest value of each channel, ``(channels,)`` each."""

    low: Float64Array
    high: Float64Array

    @classmethod
    def unbounded(cls, channels: int) -> Interval:
        """Nothing is known."""
        return cls(np.full(channels, -np.inf), np.full(channels, np.inf))

    @classmethod
    def between(cls, low: float, high: float, channels: int) -> Interval:
        """The same interval for each channel."""
        return cls(np.full(channels, low, np.float64), np.full(channels, high, np.float64))

    def __len__(self) -> int:
        return len(self.low)

    def with_zero(self) -> Interval:
        """The smallest intervals that also contain 0, as at a border that is padded with zeros."""
        return Interval(np.minimum(self.low, 0.0), np.maximum(self.high, 0.0))

    def hull(self, channels: int) -> Interval:
        """One interval around all of them, for each of so many channels."""
        return Interval.between(self.low.min(initial=np.inf), self.high.max(initial=-np.inf), channels)


def affine(inputs: Interval, weights: FloatArray, bias: FloatArray | None = None) -> Interval:
    """Intervals of ``weights · x + bias`` for x in ``inputs``.

    Args:
        inputs: ``(inputs,)``.
        weights: ``(units, inputs)``.
        bias: ``(units,)``.
    """
    rows = weights.astype(np.float64)
    positive, negative = np.maximum(rows, 0.0), np.minimum(rows, 0.0)
    added = np.zeros(len(rows)) if bias is None else bias.astype(np.float64)
    high = _upper(positive, negative, inputs, added)
    low = -_upper(-negative, -positive, inputs, -added)
    return Interval(low, high)


def _upper(positive: Float64Array, negative: Float64Array, inputs: Interval, added: Float64Array) -> Float64Array:
    """Largest value of ``(positive + negative) · x + added``, rounded up where terms of both signs are added."""
    total = _products(positive, inputs.high) + _products(negative, inputs.low) + added
    size = positive @ _finite(inputs.high) - negative @ _finite(inputs.low) + np.abs(added)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(total), total + _ROUNDING * (size - np.abs(total)), total)


def _finite(ends: Float64Array) -> Float64Array:
    return np.asarray(np.where(np.isinf(ends), 0.0, np.abs(ends)))


def _products(weights: Float64Array, ends: Float64Array) -> Float64Array:
    """``weights · ends``, where 0 · ∞ is 0; infinite ends have one sign."""
    infinite = np.isinf(ends)
    found = weights @ np.where(infinite, 0.0, ends)
    if infinite.any():
        signs = np.sign(weights[:, infinite]) * np.sign(ends[infinite])
        found = np.where((signs > 0).any(axis=1), np.inf, np.where((signs < 0).any(axis=1), -np.inf, found))
    return np.asarray(found)


def scaled(inputs: Interval, factor: FloatArray, shift: FloatArray) -> Interval:
    """Intervals of ``factor · x + shift``, channel by channel; a factor of 0 leaves the shift alone."""
    ends = [np.where(factor == 0, 0.0, factor * np.where(factor == 0, 0.0, end)) for end in (inputs.low, inputs.high)]
    return Interval(np.minimum(*ends) + shift, np.maximum(*ends) + shift)


def added(*terms: Interval) -> Interval:
    """Intervals of a sum."""
    with np.errstate(invalid="ignore"):
        return Interval(np.sum([term.low for term in terms], axis=0), np.sum([term.high for term in terms], axis=0))


def multiplied(first: Interval, second: Interval) -> Interval:
    """Intervals of a product; 0 · ∞ is 0."""
    with np.errstate(invalid="ignore"):
        products = np.nan_to_num(
            np.stack([a * b for a in (first.low, first.high) for b in (second.low, second.high)]),
            posinf=np.inf,
            neginf=-np.inf,
        )
    return Interval(products.min(axis=0), products.max(axis=0))


def _sigmoid(x: Float64Array) -> Float64Array:
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-x)))


_MONOTONE: Mapping[str, Callable[[Float64Array], Float64Array]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0.0),
    "relu6": lambda x: np.clip(x, 0.0, 6.0),
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "softplus": lambda x: np.logaddexp(x, 0.0),
}


def activated(inputs: Interval, activation: str) -> Interval:
    """Intervals behind an activation: exact for monotone ones, else the range that its name implies."""
    function = _MONOTONE.get(activation)
    if function is not None:
        return Interval(function(inputs.low), function(inputs.high))
    facts = facts_of(activation)
    low, high = facts.range
    found = Interval.between(-math.inf if low is None else low, math.inf if high is None else high, len(inputs))
    if activation == "leaky_relu":  # a slope below zero that is not known, at most 1
        return Interval(np.minimum(inputs.low, 0.0), np.maximum(inputs.high, 0.0))
    return found
