"""What is judged: one file per fault, registered in ``BUILTIN``."""

from __future__ import annotations

from tb_cnndiag.faults.base import Fault, Limit
from tb_cnndiag.faults.dead_units import DeadUnits
from tb_cnndiag.faults.nan_or_inf import NanOrInf
from tb_cnndiag.faults.redundant_filters import RedundantFilters
from tb_cnndiag.faults.vanishing_gradient import VanishingGradient

BUILTIN: tuple[type[Fault], ...] = (
    NanOrInf,
    DeadUnits,
    VanishingGradient,
    RedundantFilters,
)

__all__ = ["BUILTIN", "Fault", "Limit"]
