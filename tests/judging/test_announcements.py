"""What is announced during a training, and what is taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb_cnndiag.finding import Finding
from tb_cnndiag.judging.announcements import Announcer, News, sentences


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


def test_a_confirmed_effect_is_announced_with_its_cause_and_a_confirmed_cause_with_its_effects() -> None:
    cause, effect = finding("bad_init", "a"), finding("dead_units", "b")
    caused = replace(effect, caused_by=cause)
    late_cause, late_effect = Announcer(), Announcer()
    for _ in range(2):
        late_cause.update([effect])
        late_effect.update([cause])
    assert [f.fault for f in late_cause.update([cause, caused]).announced] == ["bad_init", "dead_units"]
    assert [f.fault for f in late_effect.update([cause, caused]).announced] == ["bad_init", "dead_units"]


def test_an_info_is_not_announced_with_what_it_causes() -> None:
    cause = finding("bad_init", "a", "info")
    announcer = Announcer()
    for _ in range(3):
        news = announcer.update([cause, finding("dead_units", "b", caused_by=cause)])
    assert [f.fault for f in news.announced] == ["dead_units"]
    (sentence,) = sentences(news)
    assert sentence == "step 9: error: b: dead_units. Because of: bad init in a."


def test_confirmations_are_of_the_severity_that_holds_now() -> None:
    """A warning that becomes an error begins anew; an error that becomes a warning was confirmed as one."""
    warned, failed = finding(severity="warning"), finding()
    assert announced([warned], [warned], [failed], [failed], [failed]) == [[], [], [], [], ["dead_units"]]
    assert announced([failed], [failed], [warned]) == [[], [], ["dead_units"]]


def test_only_errors_stop_a_training() -> None:
    for severity, stops in (("warning", False), ("error", True)):
        assert Announcer().update([finding("nan_or_inf", severity=severity)]).stops == stops
    assert not News().stops


def test_what_a_training_before_has_announced_is_no_news() -> None:
    known, fresh = finding(layer="a", severity="warning"), finding(layer="b")
    announcer = Announcer.after([known, finding(layer="c", severity="info")])
    news = announcer.update([known, fresh, finding(layer="c")], ended=True)
    assert [f.layer for f in news.announced] == ["b", "c"]
    assert [
        f.layer for f in Announcer.after([known]).update([replace(known, severity="error")], ended=True).announced
    ] == ["a"]
    assert [f.layer for f in Announcer.after([known]).update([], ended=True).retracted] == ["a"]


def test_what_comes_back_in_time_is_not_taken_back() -> None:
    announcer = Announcer.after([finding()])
    assert announcer.update([]) == News()
    assert announcer.update([finding()]) == News()
    assert announcer.update([]) == News()
    assert [f.fault for f in announcer.update([]).retracted] == ["dead_units"]
    # It is announced again if it is confirmed again.
    for _ in range(2):
        assert announcer.update([finding()]) == News()
    assert [f.fault for f in announcer.update([finding()]).announced] == ["dead_units"]


def test_sentences_name_at_most_five_layers_or_effects() -> None:
    for count, end in ((5, "a4."), (6, "a4, …")):
        found = [finding(layer="first"), *(finding(layer=f"a{i}") for i in range(count))]
        (sentence,) = sentences(News(tuple(found)))
        expected = f"first: dead_units. The same in {count} more layers: a0, a1, a2, a3, {end}"
        assert sentence == f"step 9: error: {expected}"
        cause = finding("bad_init", "c", "warning")
        effects = [finding(layer=f"a{i}", caused_by=cause) for i in range(count)]
        (sentence,) = sentences(News((cause, *effects)))
        named = ", ".join(f"dead units in a{i}" for i in range(5))
        assert sentence == f"step 9: c: bad_init. It causes: {named}{'.' if count == 5 else ', …'}"


def test_sentences_are_one_per_fault_and_severity() -> None:
    found = [finding(layer="a"), finding(layer="b", severity="warning"), finding(layer=None), finding("bad_init", "a")]
    assert sentences(News(tuple(found), (finding("overfitting", None),))) == [
        "step 9: error: a: dead_units. The same in 1 more layer: the model.",
        "step 9: b: dead_units.",
        "step 9: error: a: bad_init.",
        "No longer found: overfitting.",
    ]


def test_a_finding_without_a_title_is_named_by_its_fault() -> None:
    untitled = replace(finding("my_fault", "a"), title="")
    assert sentences(News((), (untitled,))) == ["No longer found: my_fault in a."]
    late = replace(finding("mine", "b", caused_by=untitled), last_step=12345)
    assert sentences(News((late,))) == ["step 12,345: error: b: mine. Because of: my_fault in a."]


@pytest.mark.parametrize(
    ("fault", "snapshots"),
    [
        ("nan_or_inf", 1),
        ("dead_units", 3),
        ("stale_batch_statistics", None),
        ("too_few_epochs", None),
        ("underfitting", None),
        ("redundant_filters", None),
    ],
)
def test_what_says_something_about_the_result_waits_for_the_end(fault: str, snapshots: int | None) -> None:
    announcer = Announcer()
    news = [announcer.update([finding(fault)]).announced for _ in range(6)]
    assert next((count + 1 for count, found in enumerate(news) if found), None) == snapshots
    ended = announcer.update([finding(fault)], ended=True).announced
    assert bool(ended) == (snapshots is None)
