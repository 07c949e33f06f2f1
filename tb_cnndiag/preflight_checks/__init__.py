"""Checks before the first step: data, model, and a short training on a copy. One declaration per check."""

from __future__ import annotations

from tb_cnndiag.preflight_checks.run import PreflightError, preflight, preflight_verdict

__all__ = ["PreflightError", "preflight", "preflight_verdict"]
