"""Whether weights are still what their initializer gave: a test, with the initializer's distribution as hypothesis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from tb_cnndiag.numerics.spectrum import eigenvalues, position_matrices, spikes
from tb_cnndiag.payloads import FloatArray

# Fewest weights that are tested, and most that are compared: a random part of larger kernels says as much.
FEWEST, MOST = 200, 1_000_000
# Standard deviation of a normal distribution that is cut at two deviations.
_CUT_DEVIATION = 0.87962566103423978
_CUT = 2.0
# Fewest rows of a matrix whose spectrum is compared with a random one.
_SIDE = 8
_SCALES = {"he": (2.0, "fan_in"), "lecun": (1.0, "fan_in"), "glorot": (1.0, "fan_avg")}


def initial_p_value(
    kernel: FloatArray, shape: Sequence[int], initializer: Mapping[str, Any], positions: int = 0
) -> float | None:
    """Probability of weights at least as far from the initializer's distribution as these, if it gave them.

    The values are compared with the distribution by the Kolmogorov–Smirnov test. Training also leaves eigenvalues that
    are larger than those of a random matrix: if there are any, the result is 0. A constant initializer gives 1 or 0.

    Args:
        kernel: ``(units, fan_in)``.
        shape: Of the kernel, as Keras stores it.
        initializer: Keras config, ``{"class_name": …, "config": …}``.
        positions: Positions of a convolution, whose matrices are random one by one; 0 if the kernel is no such stack.

    Returns:
        The probability; None for an initializer that is not known, or too few weights.
    """
    name, config = str(initializer.get("class_name", "")), initializer.get("config") or {}
    constants = {"Zeros": 0.0, "Ones": 1.0, "Constant": config.get("value")}
    if name in constants:
        value = constants[name]
        return float((kernel == np.float32(value)).all()) if isinstance(value, int | float) else None
    distribution = _distribution(name, config, shape)
    if distribution is None or kernel.size < FEWEST or not np.isfinite(kernel).all():
        return None
    values = np.asarray(kernel, np.float64).ravel()
    if values.size > MOST:
        values = np.random.default_rng(0).choice(values, MOST, replace=False)
    low, high = distribution.support()
    slack = 1e-6 * max(abs(low), abs(high)) if math.isfinite(low) else 0.0
    if (values < low - slack).any() or (values > high + slack).any():
        return 0.0
    p_value = float(stats.kstest(values, distribution.cdf).pvalue)
    if p_value > 0 and positions and min(kernel.shape[0], kernel.shape[1] // positions) >= _SIDE:
        matrices = position_matrices(kernel, positions)
        found = spikes(eigenvalues(matrices), *matrices.shape[1:])
        if found > max(1, positions // 100):
            return 0.0
    return p_value


def _distribution(name: str, config: Mapping[str, Any], shape: Sequence[int]) -> Any:
    """The frozen distribution of one weight; None if it is not known."""
    if name == "RandomNormal":
        return stats.norm(config.get("mean", 0.0), config.get("stddev", 0.05))
    if name == "RandomUniform":
        low, high = config.get("minval", -0.05), config.get("maxval", 0.05)
        return stats.uniform(low, high - low)
    if name == "TruncatedNormal":
        return stats.truncnorm(-_CUT, _CUT, config.get("mean", 0.0), config.get("stddev", 0.05))
    family, _, kind = _words(name).partition("_")
    if family in _SCALES and kind in ("normal", "uniform"):
        scale, mode = _SCALES[family]
        return _scaled(scale, mode, "truncated_normal" if kind == "normal" else "uniform", shape)
    if name == "VarianceScaling":
        mode, kind = str(config.get("mode", "fan_in")), str(config.get("distribution", "truncated_normal"))
        return _scaled(float(config.get("scale", 1.0)), mode, kind, shape)
    return None


def _words(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def _scaled(scale: float, mode: str, kind: str, shape: Sequence[int]) -> Any:
    """Keras' variance scaling."""
    if len(shape) < 2 or scale <= 0:
        return None
    window = math.prod(shape[:-2])
    fans = {"fan_in": shape[-2] * window, "fan_out": shape[-1] * window}
    fans["fan_avg"] = (fans["fan_in"] + fans["fan_out"]) / 2  # type: ignore[assignment]
    if mode not in fans:
        return None
    variance = scale / max(1.0, fans[mode])
    if kind == "uniform":
        limit = math.sqrt(3 * variance)
        return stats.uniform(-limit, 2 * limit)
    if kind == "untruncated_normal":
        return stats.norm(0, math.sqrt(variance))
    return stats.truncnorm(-_CUT, _CUT, 0, math.sqrt(variance) / _CUT_DEVIATION)
