"""Filters that compute the same thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import WIDTH_PARAMETER, Fault, Limit, consecutive_snapshots
from tb_cnndiag.judging.signals.persistence import streak
from tb_cnndiag.payloads import Dendrogram, LayerInfo


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
        "snapshots": consecutive_snapshots(2),
    }
    follows = (
        "nan_or_inf",
        "bad_init",
        "dead_units",
        "learning_rate_too_high",
        "learning_rate_too_low",
        "collapsed_output",
        "underfitting",
    )

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per layer with too many twins."""
        series = history.series("filter_similarity", "twin_ratio")
        widths = history.series("filter_clusters", "suggested_width")
        for row, layer in enumerate(history.layers):
            measured = ~np.isnan(series.values[:, row])
            ratios = series.values[measured, row]
            persistence = streak(series.steps[measured], ratios >= limits["twin_ratio"], limits["snapshots"])
            if persistence is None or layer.output or layer.role == "depthwise_conv" or layer.fan_in < limits["fan_in"]:
                continue
            groups = _groups(history, layer)
            last = widths.values[-1, row] if len(widths) else np.nan
            width = int(last) if np.isfinite(last) and last > 0 else layer.units - sum(len(g) - 1 for g in groups)
            twins = round(float(ratios[-1]) * layer.units)
            yield self.finding(
                history,
                layer,
                "warning",
                persistence,
                f"In {layer.path}, {twins:,} of {layer.units:,} filters have a twin: {width:,} filters are enough.",
                evidence={
                    "twin_ratio": Evidence(float(ratios[-1]), limits["twin_ratio"], "share"),
                    "suggested_width": Evidence(float(width), None, "count"),
                },
                units=groups,
                adjustments=_adjustments(layer, width),
            )


def _groups(history: History, layer: LayerInfo) -> tuple[tuple[int, ...], ...]:
    tree = history.latest("filter_clusters", layer.path)
    if not isinstance(tree, Dendrogram):
        return ()
    members = [np.flatnonzero(tree.groups == group) for group in range(int(tree.groups.max(initial=-1)) + 1)]
    return tuple(sorted(tuple(int(unit) for unit in group) for group in members if len(group) > 1))


def _adjustments(layer: LayerInfo, width: int) -> tuple[Adjustment, ...]:
    parameter = WIDTH_PARAMETER.get(layer.role)
    if parameter is None or width >= layer.units:
        return ()
    change = SetParameter(layer.path, parameter, width)
    return (Adjustment.of(change, str(layer.units), "one filter for each group of twins"),)
