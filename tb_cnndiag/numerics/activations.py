"""What is known about each activation, by the name Keras gives it: one table, and the sets derived from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Range: TypeAlias = tuple[float | None, float | None]


@dataclass(frozen=True)
class ActivationFacts:
    """What is known about one activation.

    Attributes:
        range: Ends of the range of values; None for an end that does not exist or is not stated here.
        rounded: Whether the ends are rounded outward, so that values come close to them but never reach them.
        saturation: A value at or below the first, or at or above the second, is saturated: it lies within 1 % of the
            range from a bound, where the slope of a smooth activation is below 4 % of its maximum. None where values
            at a bound are no fault: a rectifier is silent at 0, and softmax is meant to be certain.
        rectified: Exactly 0 for every negative input: a unit that stays there passes no gradient back.
        homogeneous: f(αx) = αf(x) for α > 0, without weights of its own.
        linear_growth: Known to grow at most linearly, |f(x)| ≤ a|x| + b: it does not make signals explode.
        ideal_gain: Gain of the weights before it that keeps the scale of signals (He et al. 2015, eq. 10).
        graph_operation: Type of the operation in a TensorFlow graph.
    """

    range: Range = (None, None)
    rounded: bool = False
    saturation: tuple[float, float] | None = None
    rectified: bool = False
    homogeneous: bool = False
    linear_growth: bool = True
    ideal_gain: float = 1.0
    graph_operation: str = ""

    @property
    def squashing(self) -> bool:
        """Saturates at both ends: S-shaped, as sigmoid and tanh."""
        return self.saturation is not None and all(map(math.isfinite, self.saturation))

    @property
    def initializer(self) -> str:
        """Recommended initializer of the kernel before it: keeps the scale of signals at the ideal gain."""
        return "he_normal" if self.ideal_gain > 1 else "glorot_uniform"


HE = math.sqrt(2)
_UNIT = (0.01, 0.99)
_SYMMETRIC = (-0.98, 0.98)

ACTIVATIONS: Mapping[str, ActivationFacts] = {
    "linear": ActivationFacts(homogeneous=True),
    "relu": ActivationFacts((0, None), rectified=True, homogeneous=True, ideal_gain=HE, graph_operation="Relu"),
    "relu6": ActivationFacts(
        (0, 6), saturation=(-math.inf, 5.94), rectified=True, ideal_gain=HE, graph_operation="Relu6"
    ),
    "leaky_relu": ActivationFacts(homogeneous=True, ideal_gain=HE, graph_operation="LeakyRelu"),
    "prelu": ActivationFacts(ideal_gain=HE),
    "elu": ActivationFacts((-1, None), ideal_gain=HE, graph_operation="Elu"),
    "selu": ActivationFacts((-1.76, None), rounded=True, graph_operation="Selu"),
    "celu": ActivationFacts(),
    "gelu": ActivationFacts(ideal_gain=HE),
    "silu": ActivationFacts(ideal_gain=HE),
    "mish": ActivationFacts(ideal_gain=HE),
    "sigmoid": ActivationFacts((0, 1), saturation=_UNIT, graph_operation="Sigmoid"),
    "hard_sigmoid": ActivationFacts((0, 1), saturation=_UNIT),
    "tanh": ActivationFacts((-1, 1), saturation=_SYMMETRIC, graph_operation="Tanh"),
    "hard_tanh": ActivationFacts((-1, 1), saturation=_SYMMETRIC),
    "softsign": ActivationFacts((-1, 1), saturation=_SYMMETRIC),
    "softmax": ActivationFacts((0, 1), graph_operation="Softmax"),
    "softplus": ActivationFacts((0, None), graph_operation="Softplus"),
    "hard_silu": ActivationFacts(),
    "log_sigmoid": ActivationFacts(),
    "log_softmax": ActivationFacts(),
    "exponential": ActivationFacts((0, None), linear_growth=False),
    # These three grow linearly too, but are judged as unknown.
    "glu": ActivationFacts(linear_growth=False),
    "sparse_plus": ActivationFacts(linear_growth=False),
    "squareplus": ActivationFacts(linear_growth=False),
}
UNKNOWN = ActivationFacts(linear_growth=False)
"""Of an activation that the table does not have."""

RECTIFIED = frozenset(name for name, facts in ACTIVATIONS.items() if facts.rectified)
SQUASHING = frozenset(name for name, facts in ACTIVATIONS.items() if facts.squashing)
HOMOGENEOUS = frozenset(name for name, facts in ACTIVATIONS.items() if facts.homogeneous)
LINEAR_GROWTH = frozenset(name for name, facts in ACTIVATIONS.items() if facts.linear_growth)
SATURATION: Mapping[str, tuple[float, float]] = {
    name: facts.saturation for name, facts in ACTIVATIONS.items() if facts.saturation
}
RANGE: Mapping[str, Range] = {
    name: facts.range for name, facts in ACTIVATIONS.items() if facts.range != (None, None) and not facts.rounded
}
"""Ends that values reach or approach: where a density has to end."""

GRAPH_OPERATIONS: Mapping[str, str] = {
    facts.graph_operation: name for name, facts in ACTIVATIONS.items() if facts.graph_operation
}
CLASS_NAMES: Mapping[str, str] = {
    **{name.replace("_", ""): name for name in ACTIVATIONS if name != "linear"},
    "swish": "silu",
    "hardswish": "hard_silu",
}
"""Class name, in lower case, of an activation as a layer or an operation → its name as a function."""


def facts_of(activation: str) -> ActivationFacts:
    """The facts of an activation by its Keras name; :data:`UNKNOWN` for any other name."""
    return ACTIVATIONS.get(activation, UNKNOWN)
