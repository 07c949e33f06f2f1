"""See inside convolutional networks while they train: diagnostics for Keras 3, shown in TensorBoard.

Importing this package imports neither Keras nor TensorFlow; :class:`CNNDiagnostics` does when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tb_cnndiag.callback import CNNDiagnostics
    from tb_cnndiag.finding import Adjustment, Coverage, Evidence, Finding
    from tb_cnndiag.judging.coverage import Verdict
    from tb_cnndiag.logs import diagnose, judge_log
    from tb_cnndiag.preflight_checks.run import preflight
    from tb_cnndiag.recording.auditing import audit
    from tb_cnndiag.recording.schedule import every, log_spaced
    from tb_cnndiag.recording.visualizing import visualize
    from tb_cnndiag.report.export import load
    from tb_cnndiag.report.gate import assert_healthy
    from tb_cnndiag.unit_images.layer_images import UnitImage

__version__ = "0.2.0"

_HOMES = {
    "CNNDiagnostics": "tb_cnndiag.callback",
    "assert_healthy": "tb_cnndiag.report.gate",
    "audit": "tb_cnndiag.recording.auditing",
    "preflight": "tb_cnndiag.preflight_checks.run",
    "visualize": "tb_cnndiag.recording.visualizing",
    "UnitImage": "tb_cnndiag.unit_images.layer_images",
    "every": "tb_cnndiag.recording.schedule",
    "load": "tb_cnndiag.report.export",
    "log_spaced": "tb_cnndiag.recording.schedule",
    "diagnose": "tb_cnndiag.logs",
    "judge_log": "tb_cnndiag.logs",
    "Coverage": "tb_cnndiag.finding",
    "Verdict": "tb_cnndiag.judging.coverage",
    "Adjustment": "tb_cnndiag.finding",
    "Evidence": "tb_cnndiag.finding",
    "Finding": "tb_cnndiag.finding",
}

__all__ = [
    "Adjustment",
    "CNNDiagnostics",
    "Coverage",
    "Evidence",
    "Finding",
    "UnitImage",
    "Verdict",
    "assert_healthy",
    "audit",
    "diagnose",
    "every",
    "judge_log",
    "load",
    "log_spaced",
    "preflight",
    "visualize",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
