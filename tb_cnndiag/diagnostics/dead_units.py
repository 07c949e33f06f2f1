"""Units that never fire, rarely fire, or contribute almost nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import ColumnInfo, FloatArray, UnitState, UnitStates

# A unit that fires on a smaller share of the samples is nearly dead.
NEARLY_DEAD_SHARE = 0.01
# A unit is dormant if its dormant score is at most this: τ of Sokar et al. 2023.
DORMANT_SCORE = 0.025
# An output varies if its range exceeds this share of its magnitude; float32 means have rounding errors of this size.
CONSTANT_TOLERANCE = 1e-5


class DeadUnits(LayerDiagnostic):
    """State of every unit on the probe."""

    name = "dead_units"
    title = "Dead units"
    description = (
        "A dead unit gives the same output for every input, passes no gradient back and cannot recover, so its filter "
        "is computed for nothing. Each row is a unit and each column is a snapshot; a unit that fires on only a few "
        "samples is not dead."
    )
    needs = ("sample_max", "unit_mean", "unit_mean_abs")
    columns = (
        ColumnInfo(
            "dead_ratio",
            "Dead units",
            "share",
            "Share of units that never fire, neither on the probe nor in training, or whose output never changes.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "nearly_dead_ratio",
            "Nearly dead units",
            "share",
            "Share of units that fire on some but fewer than 1 % of the probe's samples, or only in training.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "dormant_ratio",
            "Dormant units",
            "share",
            "Share of units whose mean magnitude is at most 2.5 % of the layer's mean (Sokar et al. 2023).",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "magnitude",
            "Mean magnitude",
            "activation",
            "Mean |activation| over samples, positions and units; it should stay similar from layer to layer.",
            logarithmic=True,
        ),
    )
    layer_kind = "unit_states"
    scalar_columns = ("dead_ratio",)

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Determine the state of each unit from its maximum on each sample; see :func:`unit_states`."""
        sample_max = snapshot.data["sample_max"]
        fired = snapshot.data.get("training_fired")
        rectified = snapshot.layer.activation in RECTIFIED
        states = unit_states(sample_max, snapshot.data["unit_mean"], rectified=rectified, fired=fired)
        observed = states != UnitState.NOT_OBSERVED
        if not observed.any():
            return LayerResult()
        samples = int(snapshot.data.get("samples", np.asarray(len(sample_max))))
        return LayerResult(
            values={
                "dead_ratio": float(np.mean(states[observed] == UnitState.DEAD)),
                "nearly_dead_ratio": float(np.mean(states[observed] == UnitState.NEARLY_DEAD)),
                "dormant_ratio": float(np.mean(dormant_scores(snapshot.data["unit_mean_abs"]) <= DORMANT_SCORE)),
                "magnitude": float(np.mean(snapshot.data["unit_mean_abs"])),
            },
            payload=UnitStates(
                states,
                samples,
                samples * int(snapshot.data.get("positions", np.asarray(1))),
                None if fired is None else fired == 0,
                int(snapshot.data.get("training_batches", np.asarray(0))),
                int(snapshot.data.get("training_samples", np.asarray(0))),
            ),
        )


def unit_states(
    sample_max: FloatArray, unit_mean: FloatArray, *, rectified: bool, fired: FloatArray | None = None
) -> NDArray[np.uint8]:
    """The :class:`UnitState` of each unit, ``(units,)`` uint8.

    A rectified unit is dead if its maximum over all samples is ≤ 0, unless it fired in training: then it is nearly
    dead. Any unit is dead if its output is constant, i.e. its maximum is the same on all samples and equals its mean. A
    unit with a value that is not finite is not observed.

    Args:
        sample_max: ``(samples, units)``, maximum over positions.
        unit_mean: ``(units,)``.
        rectified: Whether the activation is a rectifier.
        fired: ``(units,)``, above 0 for units that fired in training.
    """
    finite = np.isfinite(sample_max).all(axis=0)
    safe = np.where(finite, sample_max, 0.0)
    states = np.full(sample_max.shape[1], UnitState.ALIVE, np.uint8)
    top = safe.max(axis=0, initial=-np.inf)
    if rectified:
        states[np.mean(safe > 0, axis=0) < NEARLY_DEAD_SHARE] = UnitState.NEARLY_DEAD
    # The output can also be constant above 0, e.g. if the scale of the normalization is 0.
    slack = CONSTANT_TOLERANCE * np.abs(top) + np.finfo(np.float32).tiny
    constant = (top - safe.min(axis=0, initial=np.inf) <= slack) & (top - unit_mean <= slack)
    silent = (top <= 0) & rectified
    states[(constant & ~silent) | (silent if fired is None else silent & (fired == 0))] = UnitState.DEAD
    states[~finite] = UnitState.NOT_OBSERVED
    return states


def dormant_scores(unit_mean_abs: FloatArray) -> FloatArray:
    """Mean magnitude of each unit divided by the layer's mean, ``(units,)`` ≥ 0 (Sokar et al. 2023, eq. 1).

    NaN if the layer's mean is not finite.
    """
    mean = float(np.mean(unit_mean_abs))
    if not np.isfinite(mean):
        return np.full_like(unit_mean_abs, np.nan)
    return unit_mean_abs / mean if mean > 0 else np.zeros_like(unit_mean_abs)
