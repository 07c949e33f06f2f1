"""Writes what preflight has found into the log, at the first snapshot."""

from __future__ import annotations

from typing import Any, ClassVar

from tb_cnndiag.diagnostics.base import ModelDiagnostic, Snapshot
from tb_cnndiag.finding import Findings
from tb_cnndiag.judging.signals.before_training import PREFLIGHT


class StoredPreflight(ModelDiagnostic):
    """Findings of a preflight, which judging reads from the log."""

    name: ClassVar[str] = PREFLIGHT
    title: ClassVar[str] = "Preflight"
    description: ClassVar[str] = (
        "Checks of the data, the model and a short training on a copy, before the first step. Their findings are among "
        "those of the run."
    )

    def __init__(self, findings: Findings) -> None:
        self._findings: Findings | None = findings

    def measure(self, snapshot: Snapshot) -> Any:
        """The findings, once."""
        found, self._findings = self._findings, None
        return found
