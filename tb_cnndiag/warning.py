"""Warnings of this package: a category of its own, shown at the user's line."""

from __future__ import annotations

import sys
import sysconfig
import warnings
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

# Packages whose code runs between the user's line and ours.
_BETWEEN = ("tb_cnndiag", "keras", "tensorflow")


class DiagnosticsWarning(UserWarning):
    """Something about the diagnostics that the user should know; the training goes on."""


def warn(message: str) -> None:
    """Issue a :class:`DiagnosticsWarning` at the innermost line of the user, or without a line if there is none."""
    frame = _users_frame(sys._getframe(1))
    if frame is None:
        warnings.warn_explicit(message, DiagnosticsWarning, "tb_cnndiag", 0)
        return
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(
        message, DiagnosticsWarning, frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__"), registry
    )


def _users_frame(frame: FrameType | None) -> FrameType | None:
    packages = tuple(f"{Path(spec.origin).parent}/" for name in _BETWEEN if (spec := find_spec(name)) and spec.origin)
    standard_library = f"{sysconfig.get_path('stdlib')}/"
    while frame is not None:
        file = frame.f_code.co_filename
        standard = file.startswith(standard_library) and "site-packages" not in file
        if not (standard or file.startswith((*packages, "<"))):
            return frame
        frame = frame.f_back
    return None
