"""Filters that have learned the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import WIDTH_PARAMETER, Fault, Limit, streak
from tb_cnndiag.payloads import Dendrogram, LayerInfo


class RedundantFilters(Fault):
    """Share of filters with a twin, beyond what chance gives."""

    id = "redundant_filters"
    title = "Redundant filters"
    what = "Filters that point the same way as another of their layer, closer than chance explains at their fan-in."
    why = "They compute the same thing twice: the layer costs more time and memory than what it says is worth."
    advice = "Give the layer as many filters as it has groups of different ones, or merge the twins by surgery."
    source = (
        "Wang & Li 2020 (JUSTC 50(7)): cosine similarity and hierarchical clustering of filters; the limit for twins "
        "is the distribution of the cosine of random vectors, cos² ~ Beta(1/2, (D−1)/2), corrected for all pairs."
    )
    diagnostic = "filter_similarity"
    limits: ClassVar[Mapping[str, Limit]] = {
        "twin_ratio": Limit(0.3, "share", "filters with a twin from which it is a fault"),
        "fan_in": Limit(16, "count", "weights per filter below which there are few directions to be different in"),
        "snapshots": Limit(2, "count", "consecutive looks at which it must hold"),
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
            when = streak(series.steps[measured], ratios >= limits["twin_ratio"], limits["snapshots"])
            if when is None or layer.output or layer.role == "depthwise_conv" or layer.fan_in < limits["fan_in"]:
                continue
            groups = _groups(history, layer)
            last = widths.values[-1, row] if len(widths) else np.nan
            width = int(last) if np.isfinite(last) and last > 0 else layer.units - sum(len(g) - 1 for g in groups)
            twins = round(float(ratios[-1]) * layer.units)
            yield self.finding(
                history,
                layer,
                "warning",
                when,
                f"{layer.path}: {twins} of {layer.units} filters have a twin; {width} different ones would do.",
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
