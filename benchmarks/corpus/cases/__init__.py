"""All cases: a file for each fault, and healthy ones by subject."""

from __future__ import annotations

from importlib import import_module

from benchmarks.corpus.case import Case

FAULTS = (
    "bad_init", "batch_too_small_for_bn", "collapsed_output", "dead_units", "exploding_gradient", "frozen_layer",
    "learning_rate_too_high", "learning_rate_too_low", "missing_activation", "nan_or_inf", "output_loss_mismatch",
    "overfitting", "redundant_filters", "saturated_activation", "underfitting", "unnormalised_input",
    "vanishing_gradient",
)  # fmt: skip
HEALTHY = tuple(f"healthy_{subject}" for subject in ("plain", "signals", "images", "targets", "training"))

CASES: tuple[Case, ...] = tuple(
    case for name in (*FAULTS, *HEALTHY) for case in import_module(f"{__name__}.{name}").CASES
)
