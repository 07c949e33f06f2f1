"""Thresholds of what is certain about a saved model."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.payloads import UnitStates
from tests.judging.boundaries.boundary import Boundary, layer, with_layers
from tests.judging.faults.made import LAYERS, NAN, history

UNITS, PARAMETERS = 1000, 1_000_000


def _audited(row: int = 1, *, of_run: int = PARAMETERS, **values: float) -> History:
    """A saved model, one layer of which has 1,000 units and these counts in the columns of the proofs."""
    counts = {
        "idle_units": 0.0,
        "constant_units": 0.0,
        "called": 1.0,
        "masked_share": 0.0,
        "zero_filters": 0.0,
    } | values
    idle = int(counts["idle_units"])
    states = UnitStates(np.array([3] * idle + [1] * (UNITS - idle), np.uint8), 0, 0)
    other = {"called": 1.0}
    return history(
        {f"certain_units.{name}": [layer(row, value, other.get(name, 0.0))] for name, value in counts.items()},
        info=with_layers({row: {"units": UNITS}}, origin="audit", parameters=of_run),
        payloads=[("certain_units", LAYERS[row].path, states)],
    )


def _initial(probability: float, row: int = 1) -> History:
    rows = {
        "untouched_weights.initial_p": [layer(row, probability, NAN)],
        "untouched_weights.initial_bias": [[1.0] * 4],
    }
    return history(rows, info=with_layers({}, origin="audit"))


def _variance(largest: float) -> History:
    rows = {
        "certain_units.idle_units": [[0.0] * 4],
        "untouched_weights.largest_variance": [layer(0, largest, NAN)],
    }
    info = with_layers({0: {"normalization_class": "BatchNormalization"}}, origin="audit")
    return history(rows, info=info)


BOUNDARIES = (
    Boundary("units_without_effect", "units", 0, "clear", "info", lambda n: _audited(idle_units=n), sides=(0, 1)),
    Boundary(
        "units_without_effect", "layer_share", 0.2, "info", "warning",
        lambda share: _audited(idle_units=round(UNITS * share)), sides=(0.199, 0.2), shown=None,
    ),
    Boundary(
        "units_without_effect", "parameters", 0.05, "info", "warning",
        lambda share: _audited(idle_units=1, removable_parameters=round(PARAMETERS * share)), shown=None,
    ),
    Boundary("units_without_effect", "called", 1, "warning", "clear", lambda n: _audited(called=n), sides=(0, 1)),
    Boundary("untrained_layer", "probability", 0.01, "clear", "warning", _initial),
    Boundary("redundant_filters", "exact_twins", 0, "clear", "info", lambda n: _audited(exact_twins=n), sides=(0, 1)),
    Boundary("stale_batch_statistics", "exploding", 1e8, "clear", "warning", _variance),
)  # fmt: skip
