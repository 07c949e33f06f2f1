"""Whether a map depends on what was learned: it must change when trained layers get random weights.

Adebayo et al. 2018. The signed maps are compared: unsigned maps of methods that multiply by the image keep its edges
for any weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.numerics.ranks import rank_correlation
from tb_cnndiag.payloads import FloatArray, IntArray
from tb_cnndiag.unit_images.attribution import Method
from tb_cnndiag.unit_images.passes import Passes, Replaced

# Rank correlation with the map of the randomized model at or above which a map is not to be relied on.
INDEPENDENT = 0.5


def randomized(layers: Sequence[KernelLayer], seed: int = 0) -> Replaced:
    """New kernels for the upper half of the layers, in the order in which they are called, at least for the last one.

    They are normally distributed with the spread of the trained ones, so that signals keep their size.
    """
    rng = np.random.default_rng(seed)
    upper = layers[len(layers) // 2 :]
    return [
        (layer.variable, rng.normal(0, float(np.std(layer.kernel())) or 1.0, layer.variable.shape).astype(np.float32))
        for layer in upper
    ]


def similarity_to_random(
    method: Method, passes: Passes, randomized_passes: Passes, samples: IntArray, classes: IntArray, maps: FloatArray
) -> FloatArray:
    """Rank correlation of each map with that of the randomized model, ``(samples,)``, −1..1; near 0 is good."""
    others = method(randomized_passes, samples, classes)
    return np.array([rank_correlation(a, b) for a, b in zip(maps, others, strict=True)])


def words(similarity: float) -> str:
    """What the check means for the reader of a map."""
    shown = f"{round(similarity, 2) + 0.0:.2f}".replace("-", "−")
    if not np.isfinite(similarity) or abs(similarity) >= INDEPENDENT:
        return f"Hardly depends on the trained layers ({shown}): do not rely on it."
    return f"Depends on the trained layers ({shown})."
