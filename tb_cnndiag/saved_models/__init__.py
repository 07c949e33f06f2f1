"""Saved models: loads ``.keras``, ``.h5`` and ``.weights.h5`` files without executing code from them."""

from __future__ import annotations

from tb_cnndiag.saved_models.loading import LoadError, SavedModel, load
from tb_cnndiag.saved_models.probe_files import ProbeError, load_probe

__all__ = ["LoadError", "ProbeError", "SavedModel", "load", "load_probe"]
