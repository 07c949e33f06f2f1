"""Densities whose true curve is known: those of Marron & Wand 1992 (Annals of Statistics 20(2)), and rectified ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import norm

Curve = tuple[np.ndarray, np.ndarray]
Mixture = Sequence[tuple[float, float, float]]
POINTS = 512
FINE = 4097
# Marron & Wand (1992), "Exact mean integrated squared error", table 1: weight, mean, deviation.
MARRON_WAND: Mapping[str, Mixture] = {
    "gaussian": [(1, 0, 1)],
    "skewed unimodal": [(1 / 5, 0, 1), (1 / 5, 1 / 2, 2 / 3), (3 / 5, 13 / 12, 5 / 9)],
    "strongly skewed": [(1 / 8, 3 * ((2 / 3) ** k - 1), (2 / 3) ** k) for k in range(8)],
    "kurtotic unimodal": [(2 / 3, 0, 1), (1 / 3, 0, 1 / 10)],
    "outlier": [(1 / 10, 0, 1), (9 / 10, 0, 1 / 10)],
    "bimodal": [(1 / 2, -1, 2 / 3), (1 / 2, 1, 2 / 3)],
    "separated bimodal": [(1 / 2, -3 / 2, 1 / 2), (1 / 2, 3 / 2, 1 / 2)],
    "skewed bimodal": [(3 / 4, 0, 1), (1 / 4, 3 / 2, 1 / 3)],
    "trimodal": [(9 / 20, -6 / 5, 3 / 5), (9 / 20, 6 / 5, 3 / 5), (1 / 10, 0, 1 / 4)],
    "claw": [(1 / 2, 0, 1), *((1 / 10, k / 2 - 1, 1 / 10) for k in range(5))],
    "double claw": [
        (49 / 100, -1, 2 / 3),
        (49 / 100, 1, 2 / 3),
        *((1 / 350, (k - 3) / 2, 1 / 100) for k in range(7)),
    ],
    "asymmetric claw": [(1 / 2, 0, 1), *((2.0 ** (1 - k) / 31, k + 1 / 2, 2.0**-k / 10) for k in range(-2, 3))],
    "asymmetric double claw": [
        *((46 / 100, 2 * k - 1, 2 / 3) for k in range(2)),
        *((1 / 300, -k / 2, 1 / 100) for k in range(1, 4)),
        *((7 / 300, k / 2, 7 / 100) for k in range(1, 4)),
    ],
    "smooth comb": [(2.0 ** (5 - k) / 63, (65 - 96 / 2**k) / 21, 32 / 63 / 2**k) for k in range(6)],
    "discrete comb": [
        *((2 / 7, (12 * k - 15) / 7, 2 / 7) for k in range(3)),
        *((1 / 21, 2 * k / 7, 1 / 21) for k in range(8, 11)),
    ],
}
MULTIMODAL = tuple(MARRON_WAND)[5:]
# A mixture before the rectifier, and where it clips.
RECTIFIED: Mapping[str, tuple[Mixture, float]] = {
    "ReLU of a normal": ([(1, 0, 1)], np.inf),
    "ReLU of a bimodal": (MARRON_WAND["bimodal"], np.inf),
    "ReLU of a claw": (MARRON_WAND["claw"], np.inf),
    "ReLU6 of a wide normal": ([(1, 1, 3)], 6.0),
}


def draw(mixture: Mixture, size: int, rng: np.random.Generator) -> np.ndarray:
    weight, mean, deviation = np.array(mixture).T
    part = rng.choice(len(weight), size, p=weight / weight.sum())
    return np.asarray(mean[part] + deviation[part] * rng.normal(size=size), np.float32)


def truth(mixture: Mixture, x: np.ndarray) -> np.ndarray:
    return np.asarray(sum(weight * norm.pdf(x, mean, deviation) for weight, mean, deviation in mixture))
