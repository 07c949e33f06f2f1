"""The faults that are judged: one file per fault, registered in ``BUILTIN``."""

from __future__ import annotations

import functools

from tb_cnndiag.extensions import registered
from tb_cnndiag.judging.faults.bad_init import BadInit
from tb_cnndiag.judging.faults.base import Fault, Kind
from tb_cnndiag.judging.faults.batch_too_small_for_bn import BatchTooSmallForBn
from tb_cnndiag.judging.faults.before_training import OF_PREFLIGHT
from tb_cnndiag.judging.faults.collapsed_output import CollapsedOutput
from tb_cnndiag.judging.faults.dead_units import DeadUnitsFault
from tb_cnndiag.judging.faults.discriminator_overpowers import DiscriminatorOverpowers
from tb_cnndiag.judging.faults.exploding_gradient import ExplodingGradient
from tb_cnndiag.judging.faults.frozen_layer import FrozenLayer
from tb_cnndiag.judging.faults.learning_rate_too_high import LearningRateTooHigh
from tb_cnndiag.judging.faults.learning_rate_too_low import LearningRateTooLow
from tb_cnndiag.judging.faults.missing_activation import MissingActivation
from tb_cnndiag.judging.faults.mode_collapse import ModeCollapse
from tb_cnndiag.judging.faults.nan_or_inf import NanOrInf
from tb_cnndiag.judging.faults.output_loss_mismatch import OutputLossMismatch
from tb_cnndiag.judging.faults.overfitting import Overfitting
from tb_cnndiag.judging.faults.redundant_filters import RedundantFilters
from tb_cnndiag.judging.faults.saturated_activation import SaturatedActivation
from tb_cnndiag.judging.faults.stale_batch_statistics import StaleBatchStatistics
from tb_cnndiag.judging.faults.too_few_epochs import TooFewEpochs
from tb_cnndiag.judging.faults.underfitting import Underfitting
from tb_cnndiag.judging.faults.units_without_effect import UnitsWithoutEffect
from tb_cnndiag.judging.faults.unnormalised_input import UnnormalizedInput
from tb_cnndiag.judging.faults.untrained_layer import UntrainedLayer
from tb_cnndiag.judging.faults.vanishing_gradient import VanishingGradient
from tb_cnndiag.judging.thresholds import Limit

BUILTIN: tuple[type[Fault], ...] = (
    NanOrInf,
    UnnormalizedInput,
    OutputLossMismatch,
    BadInit,
    LearningRateTooHigh,
    ExplodingGradient,
    SaturatedActivation,
    DeadUnitsFault,
    VanishingGradient,
    MissingActivation,
    FrozenLayer,
    LearningRateTooLow,
    CollapsedOutput,
    DiscriminatorOverpowers,
    ModeCollapse,
    BatchTooSmallForBn,
    StaleBatchStatistics,
    TooFewEpochs,
    Underfitting,
    Overfitting,
    RedundantFilters,
    UnitsWithoutEffect,
    UntrainedLayer,
)


@functools.cache
def available() -> tuple[type[Fault], ...]:
    """The built-in faults, those of preflight, and those that other packages register as ``tb_cnndiag.faults``."""
    known = (*BUILTIN, *OF_PREFLIGHT)
    return (*known, *registered("tb_cnndiag.faults", Fault, {kind.id for kind in known}))


__all__ = ["BUILTIN", "OF_PREFLIGHT", "Fault", "Kind", "Limit", "available"]
