"""How the project speaks up during a training: warnings of a category of its own."""

from __future__ import annotations

import warnings


class DiagnosticsWarning(UserWarning):
    """Something about the diagnostics that the user should know; the training goes on."""


def warn(message: str) -> None:
    """Issue a :class:`DiagnosticsWarning`."""
    warnings.warn(message, DiagnosticsWarning, stacklevel=3)
