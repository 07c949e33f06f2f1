"""How well the gradients of different samples agree."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.payloads import FloatArray


def signal_to_noise(chunk_norms: FloatArray, mean_norm: float) -> float:
    """Norm of the true gradient divided by the standard deviation between chunks; ≥ 0, NaN if all gradients are 0.

    With g_i the gradient of chunk i of k: noise² = Σ‖g_i − ḡ‖² / (k − 1), signal² = ‖ḡ‖² − noise² / k, at least 0.
    The inverse square, times the samples per chunk, is the simple noise scale of McCandlish et al. 2018 (*An Empirical
    Model of Large-Batch Training*, eq. 2.9): the batch size above which averaging more samples gains little.

    Args:
        chunk_norms: ‖g_i‖, ``(chunks,)``, at least two.
        mean_norm: ‖ḡ‖.
    """
    chunks = len(chunk_norms)
    squares = float(np.sum(np.square(chunk_norms, dtype=np.float64)))
    noise = max(squares - chunks * mean_norm**2, 0.0) / (chunks - 1)
    signal = max(mean_norm**2 - noise / chunks, 0.0)
    if not np.isfinite(squares) or squares == 0:
        return float("nan")
    return float(np.sqrt(signal / noise)) if noise > 0 else float("inf")
