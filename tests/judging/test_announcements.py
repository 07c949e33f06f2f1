"""What is announced during a training, and what is taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tb_cnndiag.finding import Finding
from tb_cnndiag.judging.announcements import Announcer, sentences


def finding(fault: str = "dead_units", layer: str | None = "conv", severity: Any = "error", **more: Any) -> Finding:
    return Finding(".", fault, layer, severity, 0, 9, f"{layer}: {fault}.", title=fault.replace("_", " "), **more)


def announced(*snapshots: list[Finding]) -> list[list[str]]:
    announcer = Announcer()
    return [[f.fault for f in announcer.update(found).announced] for found in snapshots]


def test_the_next_two_snapshots_confirm() -> None:
    assert announced(*[[finding()]] * 4) == [[], [], ["dead_units"], []]
    assert announced([finding()], [], *[[finding()]] * 3) == [[], [], [], [], ["dead_units"]]


def test_what_cannot_change_needs_no_confirmation() -> None:
    assert announced([finding("nan_or_inf")]) == [["nan_or_inf"]]


def test_when_a_training_ends_nothing_waits() -> None:
    assert [f.fault for f in Announcer().update([finding("too_few_epochs", None)], ended=True).announced] == [
        "too_few_epochs"
    ]
    assert announced(*[[finding("stale_batch_statistics")]] * 5) == [[]] * 5


def test_a_cause_is_announced_with_its_effects_and_stops_for_their_error() -> None:
    cause = finding("unnormalised_input", "conv1")
    effect = finding("nan_or_inf", None, caused_by=cause)
    announcer = Announcer()
    news = announcer.update([cause, effect])
    assert [f.fault for f in news.announced] == ["unnormalised_input", "nan_or_inf"]
    assert news.stops
    (sentence,) = sentences(news)
    assert sentence == "step 9: error: conv1: unnormalised_input. It causes: nan or inf."


def test_an_info_is_not_announced() -> None:
    assert announced(*[[finding(severity="info")]] * 3) == [[], [], []]


def test_a_more_severe_finding_is_announced_again() -> None:
    warned, failed = finding(severity="warning"), finding()
    news = announced(*[[warned]] * 3, *[[failed]] * 3)
    assert news == [[], [], ["dead_units"], [], [], ["dead_units"]]


def test_what_no_longer_holds_is_taken_back_aloud() -> None:
    announcer = Announcer()
    for _ in range(3):
        announcer.update([finding()])
    assert not announcer.update([]).retracted  # one snapshot may be chance, too
    news = announcer.update([])
    assert [f.fault for f in news.retracted] == ["dead_units"]
    assert sentences(news) == ["No longer found: dead units in conv."]
    assert not announcer.update([]).retracted


def test_layers_of_the_same_fault_share_a_sentence() -> None:
    announcer = Announcer()
    found = [finding(layer=f"conv{i}") for i in range(8)]
    for _ in range(2):
        announcer.update(found)
    (sentence,) = sentences(announcer.update(found))
    assert "The same in 7 more layers: conv1, conv2, conv3, conv4, conv5, …" in sentence


KEYS = st.tuples(st.sampled_from(["a", "b", "nan_or_inf"]), st.sampled_from(["x", "y"]))
RUNS = st.lists(st.dictionaries(KEYS, st.sampled_from(["info", "warning", "error"])), max_size=8)


@given(RUNS)
def test_what_holds_in_the_end_is_announced_once_per_severity_and_never_lost(run: list[dict[Any, Any]]) -> None:
    announcer = Announcer()
    known: dict[Any, int] = {}
    for number, snapshot in enumerate(run):
        found = [replace(finding(fault, layer), severity=severity) for (fault, layer), severity in snapshot.items()]
        news = announcer.update(found, ended=number == len(run) - 1)
        for each in news.retracted:
            assert known.pop((each.fault, each.layer)) > 0
        for each in news.announced:
            assert each.rank() > known.get((each.fault, each.layer), 0)
            known[each.fault, each.layer] = each.rank()
    if run:
        holding = {key for key, severity in run[-1].items() if severity != "info"}
        assert holding <= known.keys() <= run[-1].keys()
