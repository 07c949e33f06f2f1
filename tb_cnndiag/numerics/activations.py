"""What is known of an activation from its name, as Keras gives it."""

from __future__ import annotations

from collections.abc import Mapping

RECTIFIED = ("relu", "relu6")
"""Exactly 0 for every input below 0: a unit that stays there passes no gradient back."""

TAME = (
    "linear relu relu6 leaky_relu prelu elu selu celu gelu silu mish sigmoid tanh hard_sigmoid hard_tanh hard_silu "
    "softsign softplus softmax log_softmax log_sigmoid"
).split()
"""Never larger than a fixed multiple of their input's magnitude, but for a constant: signals do not grow by them."""

RANGE: Mapping[str, tuple[float | None, float | None]] = {
    "relu": (0, None),
    "relu6": (0, 6),
    "softplus": (0, None),
    "exponential": (0, None),
    "elu": (-1, None),
    "sigmoid": (0, 1),
    "hard_sigmoid": (0, 1),
    "softmax": (0, 1),
    "tanh": (-1, 1),
    "hard_tanh": (-1, 1),
    "softsign": (-1, 1),
}
"""Ends of the range of values, None where there is no end."""

SATURATION: Mapping[str, tuple[float, float]] = {
    "sigmoid": (0.01, 0.99),
    "hard_sigmoid": (0.01, 0.99),
    "tanh": (-0.98, 0.98),
    "hard_tanh": (-0.98, 0.98),
    "softsign": (-0.98, 0.98),
    "relu6": (float("-inf"), 5.94),
}
"""A value at or below the first, or at or above the second, is saturated: within 1 % of the range from a bound.

The gradient there is below 4 % of its largest. Rectifiers are not saturated at 0 but silent, and softmax is meant to
be certain.
"""
