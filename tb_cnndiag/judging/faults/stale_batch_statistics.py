"""Moving averages of batch normalizations that lag behind the statistics of the batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.finding import Adjustment, Severity
from tb_cnndiag.judging.conditions import Above, Some
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import SETTLED
from tb_cnndiag.judging.signals.base import Signal, Signals, Track
from tb_cnndiag.judging.signals.batch_statistics import (
    INFERENCE_GAP,
    LARGEST_SHIFT,
    LARGEST_VARIANCE_CHANGE,
    MEAN_SHIFT,
    VARIANCE_CHANGE,
    normalized_by_batch,
)
from tb_cnndiag.judging.signals.certain import LARGEST_VARIANCE, ZERO_VARIANCES, audited, stale_rows
from tb_cnndiag.judging.thresholds import Limit
from tb_cnndiag.wording import number, plural


def _first_stale(case: Case) -> int:
    """The first normalized layer whose moving statistics are far from those of the probe."""
    shift, change = case.signals(MEAN_SHIFT), case.signals(VARIANCE_CHANGE)
    rows = normalized_by_batch(case.signals)
    limits = case.limits
    stale = (r for r in rows if shift.last(r) >= limits["shift"] or change.last(r) >= limits["variance"])
    return next(stale, rows[0])


def _message(case: Case) -> str:
    path = case.signals.layers[_first_stale(case)].path
    points, steps = number(100 * case.value("gap")), case.signals.history.last_step
    lag = f"after {steps:,} steps the moving averages behind {path} are not those of the batches"
    return f"The accuracy in inference mode is {points} percentage points lower than in training: {lag}."


def _severity(case: Case) -> Severity:
    return "error" if case.value("gap") >= case.limits["useless"] else "warning"


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    reason = "averages settle within 1/(1 − momentum) steps several times over"
    found = [Adjustment(None, "momentum", "0.99 by default", "0.9", reason)]
    if case.signals.history.last_step < SETTLED:
        found.append(Adjustment(None, "epochs", f"{case.signals.history.last_step} steps", f"{SETTLED} steps", reason))
    return tuple(found)


def _saved(signals: Signals) -> list[int]:
    """Rows of the layers of a saved model that a BatchNormalization follows."""
    return [row for row in audited(signals) if signals.layers[row].normalization_class == "BatchNormalization"]


def _untouched(signals: Signals) -> Track:
    stale = set(stale_rows(signals))
    values = [float(row in stale) for row in range(len(signals.layers))]
    return Track.constant(values or [float("nan")], "the run has no layers")


UNTOUCHED_STATISTICS = Signal("untouched statistics of a trained layer", "count", _untouched)
"""1 for a trained layer behind which all moving statistics have their initial values, else 0."""


def _fresh(case: Case) -> tuple[Adjustment, ...]:
    reason = "inference mode uses these averages"
    return (Adjustment(case.layer.path, "moving statistics", "as saved", "computed on training data", reason),)


class StaleBatchStatistics(Fault):
    """Moving against batch statistics, while the model is worse in inference mode than in training."""

    id = "stale_batch_statistics"
    title = "Stale batch statistics"
    what = (
        "The moving mean and variance of a BatchNormalization differ from the statistics of the batches: the model "
        "works in training, but not in inference mode."
    )
    why = (
        "With momentum 0.99, moving averages need several hundred steps to reach the statistics of the batches. Until "
        "then, evaluate and predict see another network than training does."
    )
    advice = "Set momentum=0.9, train for more steps, or compute the statistics anew before the evaluation."
    source = (
        "Ioffe & Szegedy 2015, Batch Normalization (arXiv:1502.03167), section 3.1; Keras, BatchNormalization: "
        "moving_mean = moving_mean × momentum + mean(batch) × (1 − momentum)."
    )
    diagnostic = "batch_statistics"
    limits: ClassVar[Mapping[str, Limit]] = {
        "gap": Limit(0.25, "share", "Accuracy in training minus accuracy in inference mode above which it suffers."),
        "useless": Limit(0.5, "share", "The same difference above which the severity is an error."),
        "shift": Limit(
            1,
            "deviations",
            "Shift of the moving mean, in deviations of the batch, above which it is stale.",
            "FAULTS.md",
        ),
        "variance": Limit(
            4, "ratio", "Ratio of moving and batch variance, either way, above which it is stale.", "FAULTS.md"
        ),
        "exploding": Limit(1e8, "variance", "Moving variance of a saved model above which signals explode."),
    }
    former: ClassVar[Mapping[str, str | None]] = {"epochs": None, "zero_variances": None, "untouched": None}
    kinds = (
        Kind(
            when=Above(INFERENCE_GAP, "gap")
            & (Above(LARGEST_SHIFT, "shift") | Above(LARGEST_VARIANCE_CHANGE, "variance")),
            at=_first_stale,
            severity=_severity,
            message=_message,
            adjustments=_adjustments,
        ),
        Kind(
            where=_saved,
            when=Some(UNTOUCHED_STATISTICS, "untouched"),
            severity="warning",
            message=lambda case: (
                f"{case.layer.path} was trained, but the moving averages behind it are exactly 0 and 1, as initialized."
            ),
            adjustments=_fresh,
        ),
        Kind(
            where=_saved,
            when=Above(LARGEST_VARIANCE, "exploding"),
            severity="warning",
            message=lambda case: (
                f"The moving variance behind {case.layer.path} reaches {number(case.value('exploding'))}: its signals "
                "explode."
            ),
            adjustments=_fresh,
        ),
        Kind(
            where=_saved,
            when=Some(ZERO_VARIANCES, "zero_variances"),
            severity="info",
            message=lambda case: (
                f"{plural(int(case.value('zero_variances')), 'channel')} behind {case.layer.path} had no variance in "
                "training: their moving variance is exactly 0."
            ),
        ),
    )

    def does_not_apply(self, signals: Signals) -> str:
        """Without batch normalization."""
        return "" if normalized_by_batch(signals) else "no layer is normalized over the batch"
