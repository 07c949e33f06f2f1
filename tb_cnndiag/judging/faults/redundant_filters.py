"""Filters that compute the same thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence
from tb_cnndiag.judging.conditions import Above
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import WIDTH_PARAMETER
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.certain import EXACT_TWINS, audited
from tb_cnndiag.judging.signals.layers import FAN_IN
from tb_cnndiag.judging.signals.similarity import SUGGESTED_WIDTH, TWIN_SHARE, twin_groups
from tb_cnndiag.judging.thresholds import EPOCHS, Limit
from tb_cnndiag.wording import plural


def _wide(signals: Signals) -> list[int]:
    """Hidden layers whose filters mix several channels; filters must be long enough to differ."""
    return [row for row, layer in enumerate(signals.layers) if not layer.output and layer.role != "depthwise_conv"]


def _width(case: Case) -> int:
    assert case.row is not None
    widths = case.signals(SUGGESTED_WIDTH)
    last = widths.values[-1, case.row] if len(widths) else np.nan
    if np.isfinite(last) and last > 0:
        return int(last)
    return case.layer.units - sum(len(group) - 1 for group in twin_groups(case.signals, case.layer))


def _message(case: Case) -> str:
    twins, width = round(case.value("twin_ratio") * case.layer.units), _width(case)
    enough = f": {width:,} filters are enough" if width < case.layer.units else ""
    return f"In {case.layer.path}, {twins:,} of {case.layer.units:,} filters have a twin{enough}."


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    parameter, width = WIDTH_PARAMETER.get(case.layer.role), _width(case)
    if parameter is None or width >= case.layer.units:
        return ()
    change = SetParameter(case.layer.path, parameter, width)
    return (Adjustment.of(change, str(case.layer.units), "one filter for each group of twins"),)


def _compared_exactly(signals: Signals) -> list[int]:
    return [row for row in audited(signals) if not signals.layers[row].output]


def _exact_message(case: Case) -> str:
    twins = int(case.value("exact_twins"))
    compute = "computes" if twins == 1 else "compute"
    counts = f"{plural(twins, 'filter')} of {case.layer.units:,} {compute} exactly what another one computes"
    return f"In {case.layer.path}, {counts}."


def _without_twins(case: Case) -> tuple[Adjustment, ...]:
    parameter, width = WIDTH_PARAMETER.get(case.layer.role), case.layer.units - int(case.value("exact_twins"))
    if parameter is None or width < 1:
        return ()
    change = SetParameter(case.layer.path, parameter, width)
    return (Adjustment.of(change, str(case.layer.units), "the answers stay the same"),)


class RedundantFilters(Fault):
    """Share of filters with a twin: a filter more similar than chance explains."""

    id = "redundant_filters"
    title = "Redundant filters"
    what = "Many filters of a layer have a twin: a filter more similar than chance explains at this fan-in."
    why = "Twins compute the same thing twice: the layer costs more time and memory than it needs."
    advice = "Reduce the layer to the number of distinct filters, or merge the twins by surgery."
    source = (
        "Wang & Li 2020 (JUSTC 50(7)): cosine similarity and hierarchical clustering of filters; the threshold for "
        "twins is the distribution of the cosine of random vectors, cos² ~ Beta(1/2, (D−1)/2), corrected for all pairs."
    )
    diagnostic = "filter_similarity"
    limits: ClassVar[Mapping[str, Limit]] = {
        "twin_ratio": Limit(0.3, "share", "Share of filters with a twin above which a layer is faulty."),
        "fan_in": Limit(16, "count", "Number of weights per filter below which filters are too short to differ."),
        "epochs": EPOCHS,
        "exact_twins": Limit(
            0, "count", "Number of exact twins in a saved model above which they are reported.", "they are certain"
        ),
    }
    kinds = (
        Kind(
            where=_wide,
            when=Above(TWIN_SHARE, "twin_ratio").for_epochs() & Above(FAN_IN, "fan_in"),
            severity="warning",
            message=_message,
            units=lambda case: twin_groups(case.signals, case.layer),
            adjustments=_adjustments,
            reported=lambda case: {"suggested_width": Evidence(float(_width(case)), None, "count")},
        ),
        Kind(
            where=_compared_exactly,
            when=Above(EXACT_TWINS, "exact_twins", strict=True),
            severity="info",
            message=_exact_message,
            units=lambda case: twin_groups(case.signals, case.layer),
            adjustments=_without_twins,
        ),
    )
