"""Two linear layers in series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment
from tb_cnndiag.judging.conditions import Above
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.signals.series_of_layers import LINEAR_PAIRS, linear_pairs
from tb_cnndiag.judging.thresholds import Limit


def _message(case: Case) -> str:
    assert case.row is not None
    follower = case.signals.layers[linear_pairs(case.signals)[case.row]].path
    return f"There is no activation between {case.layer.path} and {follower}: together they are one linear layer."


class MissingActivation(Fault):
    """A linear layer whose output feeds another layer with a kernel, and nothing else."""

    id = "missing_activation"
    title = "Missing activation"
    what = "A layer without an activation feeds another layer: two linear layers in series are one linear layer."
    why = "The second layer adds cost, but computes nothing that one layer could not compute."
    advice = "Give the layer an activation such as ReLU, or remove one of the two layers."
    source = (
        "NeuraLint (Nikanjam et al., TOSEM 2021), rule on missing activations; Goodfellow et al. 2016, section 6.1."
    )
    diagnostic = "activation_density"
    limits: ClassVar[Mapping[str, Limit]] = {
        "layers": Limit(0, "count", "Number of linear layers in series above which they are a fault.", "by definition")
    }
    kinds = (
        Kind(
            where=lambda signals: list(linear_pairs(signals)) or list(range(len(signals.layers)))[:1],
            when=Above(LINEAR_PAIRS, "layers", strict=True),
            severity="warning",
            message=_message,
            adjustments=lambda case: (
                Adjustment.of(
                    SetParameter(case.layer.path, "activation", "relu"),
                    "linear",
                    "makes them more than one linear layer",
                ),
            ),
        ),
    )
