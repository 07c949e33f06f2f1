"""Layers of a saved model whose weights are still what their initializer gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.finding import Adjustment, Evidence, Severity
from tb_cnndiag.judging.conditions import Above
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.signals.base import Signal, Signals, Track
from tb_cnndiag.judging.signals.certain import INITIAL_P, untouched
from tb_cnndiag.judging.thresholds import Limit


def _tested(signals: Signals) -> list[int]:
    track = signals(INITIAL_P)
    return [row for row in range(len(signals.layers)) if len(track) and track.last(row) == track.last(row)]


def _untouched(signals: Signals) -> Track:
    tested = _tested(signals)
    if not tested:
        return Track.unknown("no layer has an initializer that can be tested")
    found = set(untouched(signals, 0.0))
    values = [signals(INITIAL_P).last(row) if row in found else (0.0 if row in tested else float("nan")) for row in
              range(len(signals.layers))]  # fmt: skip
    return Track.constant(values, "no layer was tested")


UNTOUCHED = Signal("probability under the initializer", "share", _untouched)
"""Probability of the weights of each layer under its initializer; 0 where the bias or the statistics have changed."""


def _everything(case: Case) -> bool:
    return len(untouched(case.signals, case.limits["probability"])) == len(_tested(case.signals)) > 1


def _severity(case: Case) -> Severity:
    """A layer that is frozen may be meant to keep its weights, as in a random projection."""
    return "warning" if (case.layer.trainable and not case.layer.output) or _everything(case) else "info"


def _message(case: Case) -> str:
    layer = case.layer
    name = layer.initializer or "its initializer"
    test = f"a test against {name} gives a probability of {case.value('probability'):.2g}"
    frozen = "" if layer.trainable else " It is frozen."
    return f"The kernel of {layer.path} is what its initializer gave: {test}, and its bias is untouched.{frozen}"


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    reason = "the layer passes on what its random weights make of the input"
    current = "True" if case.layer.trainable else "False"
    if case.layer.trainable:
        return (Adjustment(case.layer.path, "weights", "initial", "trained", reason),)
    return (Adjustment(case.layer.path, "trainable", current, "True", reason),)


class UntrainedLayer(Fault):
    """Test of each kernel against its initializer's distribution."""

    id = "untrained_layer"
    title = "Untrained layer"
    what = "The weights of a layer of a saved model are still what its initializer gave."
    why = (
        "The layer passes on what random weights make of the input. Often the weights were not loaded, the layer was "
        "frozen by mistake, or no gradient reached it."
    )
    advice = "Load its weights, make it trainable, or check that a gradient reaches it."
    source = (
        "Kolmogorov–Smirnov test of the weights against the initializer's distribution; Marchenko & Pastur 1967: a "
        "random matrix has no eigenvalue above the edge of the bulk."
    )
    diagnostic = "untouched_weights"
    of_audits = True
    limits: ClassVar[Mapping[str, Limit]] = {
        "probability": Limit(
            0.01, "share", "Probability under the initializer above which a kernel counts as untrained.", "convention"
        ),
    }
    kinds = (
        Kind(
            where=_tested,
            when=Above(UNTOUCHED, "probability"),
            severity=_severity,
            message=_message,
            adjustments=_adjustments,
            reported=lambda case: {"weights": Evidence(float(case.layer.units * case.layer.fan_in), None, "count")},
        ),
    )
