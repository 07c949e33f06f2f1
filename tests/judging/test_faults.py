"""How a fault is judged from its kinds: which are reported, where, how severe, and how the judgment ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from tb_cnndiag.finding import Adjustment, Evidence
from tb_cnndiag.judging.conditions import Above, Condition, Is, Known
from tb_cnndiag.judging.faults import BUILTIN, OF_PREFLIGHT, available
from tb_cnndiag.judging.faults.base import Fault, Judged, Kind
from tb_cnndiag.judging.judge import verdict
from tb_cnndiag.judging.signals.base import Signal, Signals, Track
from tb_cnndiag.judging.thresholds import SHARED, Limit
from tests.judging.boundaries import of_layers, of_training
from tests.judging.boundaries.boundary import FAULTS
from tests.judging.faults.made import NAN, history

SIGNALS = Signals(history({}, scalars={"loss": [1.0] * 4}))


def above(*values: float, reason: str = "not measured") -> Condition:
    """Whether each layer's value is above 0.5: one value for each of the four layers, or one for the model."""
    known = not np.isnan(values).all()
    track = Track.constant(values) if known else Track.unknown(reason)
    return Above(Signal("made", "share", lambda _: track), "half")


def fact(value: float) -> Condition:
    """The same of something that is known without any snapshot."""
    return Above(Signal("made", "count", lambda _: Track.constant([value]), fact=True), "half")


def kind(when: Condition, rows: list[int] | None = None, **known: Any) -> Kind:
    where = None if rows is None else lambda signals: rows
    return Kind(when=when, message=known.pop("message", lambda case: "found"), where=where, **known)


def judged(*kinds: Kind, applies: str = "") -> Judged:
    class Made(Fault):
        id = "made"
        title = "Made"
        diagnostic = "charts"
        limits: ClassVar[Mapping[str, Limit]] = {"half": Limit(0.5, "share", "Above.")}

        def does_not_apply(self, signals: Signals) -> str:
            return applies

    Made.kinds = kinds
    return Made().judge(SIGNALS, {"half": 0.5})


def places(*kinds: Kind) -> list[tuple[str | None, str]]:
    return [(finding.layer, finding.message) for finding in judged(*kinds).findings]


def test_each_layer_is_reported_once_by_the_first_kind_that_is_true() -> None:
    first = kind(above(0.9, 0.1, 0.1, 0.9), [0, 1, 2], message=lambda case: "first")
    second = kind(above(0.9, 0.9, 0.1, 0.9), [0, 1, 2], message=lambda case: "second")
    assert places(first, second) == [("conv1", "first"), ("conv2", "second")]
    assert places(second, first) == [("conv1", "second"), ("conv2", "second")]


def test_the_whole_model_is_reported_if_no_other_kind_was_found() -> None:
    of_layer, of_model = kind(above(0.9, 0, 0, 0), [0]), kind(above(0.9), message=lambda case: "the model")
    assert places(of_layer, of_model) == [("conv1", "found")]
    assert places(kind(above(0.1, 0, 0, 0), [0]), of_model) == [(None, "the model")]
    assert places(of_model, of_model) == [(None, "the model")]
    assert places(kind(above(0.9), at=lambda case: 2)) == [("fc", "found")]


@pytest.mark.parametrize(
    ("kinds", "status", "reason"),
    [
        ((kind(above(0.1)),), "clear", ""),
        ((kind(above(NAN, reason="no probe")),), "unknown", "no probe"),
        ((kind(above(NAN, reason="no probe")), kind(above(NAN, reason="no loss"))), "unknown", "no probe; no loss"),
        ((kind(above(NAN, reason="no probe")), kind(above(NAN, reason="no probe"))), "unknown", "no probe"),
        ((kind(above(NAN, reason="no probe")), kind(above(0.1))), "clear", "no probe"),
        ((kind(above(NAN, reason="no probe")), kind(above(0.9))), "found", ""),
        ((kind(above(0.9, 0, 0, 0), []),), "not_applicable", "no layer can have it"),
        ((kind(above(0.9, 0, 0, 0), []), kind(above(0.1))), "clear", ""),
        ((kind(above(NAN, 0.1, 0, 0), [0, 1]),), "clear", ""),
        ((), "not_applicable", "no layer can have it"),
    ],
)
def test_how_a_judgment_ends(kinds: tuple[Kind, ...], status: str, reason: str) -> None:
    found = judged(*kinds)
    assert (found.status, found.reason) == (status, reason)
    assert bool(found.findings) == (status == "found")


MISSING = above(NAN, reason="no probe")
NO_FACT = Is(lambda signals: False)


@pytest.mark.parametrize(
    ("others", "status"),
    [
        ((kind(NO_FACT),), "unknown"),
        ((kind(fact(0.1)),), "unknown"),
        ((kind(Known(MISSING)),), "unknown"),
        ((kind(MISSING & fact(0.1)),), "unknown"),
        ((kind(above(0.9) & NO_FACT),), "unknown"),  # what was recorded does not say no
        ((kind(above(0.1) & NO_FACT),), "clear"),
        ((kind(Known(above(0.1))),), "clear"),
        ((kind(~above(0.9) & NO_FACT),), "clear"),
        ((kind(above(0.1) | NO_FACT),), "clear"),
        ((kind(NO_FACT | fact(0.1)),), "unknown"),
        ((kind((above(0.1) & fact(0.9)).for_epochs("half")),), "clear"),
        ((kind(NO_FACT), kind(above(0.1, 0, 0, 0), [0])), "clear"),
    ],
)
def test_facts_about_a_run_do_not_pass_what_was_not_recorded(others: tuple[Kind, ...], status: str) -> None:
    """That a kind cannot be says nothing of another one, whose data are missing; alone, it is an answer."""
    assert (judged(kind(MISSING), *others).status, judged(*others, kind(MISSING)).status) == (status, status)
    assert judged(*others).status == "clear"


def test_what_does_not_apply_is_not_judged() -> None:
    found = judged(kind(above(0.9)), applies="no such layer")
    assert (found.findings, found.status, found.reason) == ((), "not_applicable", "no such layer")


def test_what_a_kind_explains_counts_where_it_was_found() -> None:
    first = kind(above(0.9), instead_of=("a", "b"), causes={"x": "why"})
    second = kind(above(0.9, 0, 0, 0), [0], instead_of=("c",), causes={"y": "how"})
    silent = kind(above(0.1, 0, 0, 0), [0], instead_of=("d",), causes={"z": "no"})
    found = judged(silent, second)
    assert (found.instead_of, found.causes) == ({"c"}, {"y": "how"})
    found = judged(silent, first)
    assert (found.instead_of, found.causes) == ({"a", "b"}, {"x": "why"})


def test_a_finding_has_all_that_its_kind_says() -> None:
    change = Adjustment(None, "rate", "1", "2", "why")
    (finding,) = judged(
        kind(
            above(0.1, 0.75, 0, 0), [1],
            message=lambda case: f"{case.layer.path} {case.value('half'):g} {case.value('other'):g}",
            severity=lambda case: "warning", units=lambda case: (1, 3), adjustments=lambda case: (change,),
            reported=lambda case: {"extra": Evidence(3.0, None, "count")},
        )
    ).findings  # fmt: skip
    assert (finding.message, finding.severity, finding.units, finding.adjustments) == (
        "conv2 0.75 nan", "warning", (1, 3), (change,)
    )  # fmt: skip
    assert finding.evidence == {"half": Evidence(0.75, 0.5, "share"), "extra": Evidence(3.0, None, "count")}
    assert (finding.fault, finding.title, finding.diagnostic, finding.run) == ("made", "Made", "charts", ".")
    assert (finding.first_step, finding.last_step) == (0, 30)
    (usual,) = judged(kind(above(0.75))).findings
    assert (usual.severity, usual.units, usual.adjustments) == ("error", (), ())


@pytest.mark.parametrize(
    ("fault", "run"),
    [
        ("exploding_gradient", of_layers._exploding(50)),
        ("vanishing_gradient", of_layers._vanishing(snapshots=1)),
        ("frozen_layer", of_layers._missing(1)),
        ("learning_rate_too_high", of_training.course([1, 1], 0.3)),
    ],
)
def test_an_error_of_a_run_that_is_too_short_is_a_warning(fault: str, run: Any) -> None:
    (finding,) = verdict(run, faults=[FAULTS[fault]]).findings
    assert (finding.severity, finding.first_step) == ("warning", 0)


def test_what_is_judged_in_trainings_and_in_audits_alone() -> None:
    in_all = {
        "nan_or_inf", "unnormalised_input", "output_loss_mismatch", "saturated_activation", "dead_units",
        "missing_activation", "collapsed_output", "stale_batch_statistics", "redundant_filters",
    }  # fmt: skip
    assert {kind.id for kind in BUILTIN if kind.of_audits} == {"units_without_effect", "untrained_layer"}
    assert {kind.id for kind in BUILTIN if not kind.of_audits and not kind.of_trainings} == in_all
    assert not any(kind.of_audits or kind.of_trainings for kind in OF_PREFLIGHT)
    assert available()[: len(BUILTIN) + len(OF_PREFLIGHT)] == (*BUILTIN, *OF_PREFLIGHT)


def test_a_threshold_of_one_fault_is_not_shared() -> None:
    shared = SHARED["epochs"]
    own = shared.at(7)
    assert (own.value, own.concept, own.description, own.unit) == (7, "", shared.description, shared.unit)
    assert shared.at(7, "Another meaning.").description == "Another meaning."
    assert (shared.value, shared.concept) == (2, "epochs")
    assert all(limit.concept == name for name, limit in SHARED.items())
