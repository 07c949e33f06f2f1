"""What is measured: one file per diagnostic, registered in ``BUILTIN``."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import Diagnostic, LayerDiagnostic, LayerLook, LayerResult, Look, ModelDiagnostic
from tb_cnndiag.diagnostics.dead_units import DeadUnits
from tb_cnndiag.diagnostics.gradient_flow import GradientFlow
from tb_cnndiag.diagnostics.training_curve import TrainingCurve
from tb_cnndiag.diagnostics.update_ratio import UpdateRatio

BUILTIN: tuple[type[Diagnostic], ...] = (
    TrainingCurve,
    DeadUnits,
    GradientFlow,
    UpdateRatio,
)

__all__ = ["BUILTIN", "Diagnostic", "LayerDiagnostic", "LayerLook", "LayerResult", "Look", "ModelDiagnostic"]
