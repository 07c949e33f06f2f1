"""Carries out on a Keras model what findings propose."""

from __future__ import annotations

from tb_cnndiag.adjust.apply import Adjusted, apply

__all__ = ["Adjusted", "apply"]
