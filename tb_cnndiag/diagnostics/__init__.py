"""The diagnostics that are measured: one file each, registered in ``BUILTIN``."""

from __future__ import annotations

import functools

from tb_cnndiag.diagnostics.activation_density import ActivationDensity
from tb_cnndiag.diagnostics.base import (
    Diagnostic,
    LayerDiagnostic,
    LayerResult,
    LayerSnapshot,
    ModelDiagnostic,
    Snapshot,
)
from tb_cnndiag.diagnostics.batch_statistics import BatchStatistics
from tb_cnndiag.diagnostics.certain_units import CertainUnits
from tb_cnndiag.diagnostics.class_selectivity import ClassSelectivity
from tb_cnndiag.diagnostics.dead_units import DeadUnits
from tb_cnndiag.diagnostics.feature_dimension import FeatureDimension
from tb_cnndiag.diagnostics.feature_maps import FeatureMaps
from tb_cnndiag.diagnostics.filter_clusters import FilterClusters
from tb_cnndiag.diagnostics.filter_images import FilterImages
from tb_cnndiag.diagnostics.filter_similarity import FilterSimilarity
from tb_cnndiag.diagnostics.functional_similarity import FunctionalSimilarity
from tb_cnndiag.diagnostics.gradient_flow import GradientFlow
from tb_cnndiag.diagnostics.gradient_noise import GradientNoise
from tb_cnndiag.diagnostics.kernel_rank import KernelRank
from tb_cnndiag.diagnostics.layer_similarity import LayerSimilarity
from tb_cnndiag.diagnostics.model_input import ModelInput
from tb_cnndiag.diagnostics.model_output import ModelOutput
from tb_cnndiag.diagnostics.probe_atlas import ProbeAtlas
from tb_cnndiag.diagnostics.probe_images import ProbeImages
from tb_cnndiag.diagnostics.saturation import Saturation
from tb_cnndiag.diagnostics.top_patches import TopPatches
from tb_cnndiag.diagnostics.training_curve import TrainingCurve
from tb_cnndiag.diagnostics.unit_clusters import UnitClusters
from tb_cnndiag.diagnostics.untouched_weights import UntouchedWeights
from tb_cnndiag.diagnostics.update_ratio import UpdateRatio
from tb_cnndiag.diagnostics.weight_health import WeightHealth
from tb_cnndiag.diagnostics.weight_spectrum import WeightSpectrum
from tb_cnndiag.extensions import registered

BUILTIN: tuple[type[Diagnostic], ...] = (
    TrainingCurve,
    FilterSimilarity,
    FilterClusters,
    FilterImages,
    FeatureMaps,
    TopPatches,
    ClassSelectivity,
    DeadUnits,
    ActivationDensity,
    GradientFlow,
    GradientNoise,
    UpdateRatio,
    Saturation,
    WeightHealth,
    BatchStatistics,
    KernelRank,
    FunctionalSimilarity,
    FeatureDimension,
    LayerSimilarity,
    UnitClusters,
    ProbeImages,
    ProbeAtlas,
    ModelInput,
    ModelOutput,
)
# What an audit measures in addition. The callback measures these only if they are named.
OF_AUDITS: tuple[type[Diagnostic], ...] = (CertainUnits, UntouchedWeights, WeightSpectrum)


@functools.cache
def available() -> tuple[type[Diagnostic], ...]:
    """The built-in diagnostics, and those that other packages register as ``tb_cnndiag.diagnostics``."""
    return (*BUILTIN, *registered("tb_cnndiag.diagnostics", Diagnostic, {kind.name for kind in BUILTIN}))


__all__ = [
    "BUILTIN",
    "Diagnostic",
    "LayerDiagnostic",
    "LayerResult",
    "LayerSnapshot",
    "ModelDiagnostic",
    "Snapshot",
    "available",
]
