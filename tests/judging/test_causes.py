"""Causes along the layer graph, on random findings and graphs."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tb_cnndiag.finding import SEVERITIES, Finding
from tb_cnndiag.judging.causes import CAUSES, Along, Graph, Ways, explained, graph, with_causes
from tb_cnndiag.judging.faults import BUILTIN
from tb_cnndiag.payloads import LayerInfo

IDS = [kind.id for kind in BUILTIN]


@st.composite
def networks(draw: st.DrawFn) -> list[LayerInfo]:
    """Layers in network order, each fed by any earlier ones."""
    count = draw(st.integers(1, 7))
    return [
        LayerInfo(f"l{row}", inputs=tuple(draw(st.sets(st.integers(0, row - 1)))) if row else ())
        for row in range(count)
    ]


@st.composite
def judged(draw: st.DrawFn) -> tuple[list[LayerInfo], list[Finding]]:
    layers = draw(networks())
    paths = st.sampled_from([None, *(layer.path for layer in layers)])
    keys = draw(st.lists(st.tuples(st.sampled_from(IDS), paths), unique=True, max_size=10))
    return layers, [
        Finding(
            ".", fault, layer, draw(st.sampled_from(SEVERITIES)), draw(st.integers(0, 3)), draw(st.integers(3, 9)), ""
        )
        for fault, layer in keys
    ]


def paths_between(layers: list[LayerInfo], first: int, second: int) -> bool:
    """Depth-first search, from the later layer back."""
    return first == second or any(paths_between(layers, first, source) for source in layers[second].inputs)


@given(judged())
def test_no_finding_is_lost_and_causes_are_at_least_as_severe(run: tuple[list[LayerInfo], list[Finding]]) -> None:
    layers, findings = run
    found = explained(findings, CAUSES, Ways(layers))
    assert sorted((f.fault, f.layer or "") for f in found) == sorted((f.fault, f.layer or "") for f in findings)
    before = {(f.fault, f.layer): f.rank() for f in findings}
    position = {(f.fault, f.layer): i for i, f in enumerate(found)}
    for finding in found:
        assert finding.rank() >= before[finding.fault, finding.layer]
        cause = finding.caused_by
        if cause is not None:
            assert cause.rank() >= finding.rank()
            assert position[cause.fault, cause.layer] < position[finding.fault, finding.layer]
            assert found[position[cause.fault, cause.layer]] == cause
            assert cause.fault in {edge.cause for edge in CAUSES[finding.fault]}


@given(judged())
def test_a_cause_shares_a_path_with_its_effect(run: tuple[list[LayerInfo], list[Finding]]) -> None:
    layers, findings = run
    known = any(layer.inputs for layer in layers)
    row = {layer.path: number for number, layer in enumerate(layers)}
    for finding in explained(findings, CAUSES, Ways(layers)):
        cause = finding.caused_by
        if cause is None or cause.layer is None or finding.layer is None or not known:
            continue
        edge = next(edge for edge in CAUSES[finding.fault] if edge.cause == cause.fault)
        if edge.along is Along.TRAINING:
            continue
        forward = paths_between(layers, row[cause.layer], row[finding.layer])
        backward = paths_between(layers, row[finding.layer], row[cause.layer])
        allowed = {
            Along.SIGNALS: forward,
            Along.GRADIENTS: backward,
            Along.BOTH: forward or backward,
            Along.OUTPUTS: False,
        }
        assert allowed[edge.along]


def finding(fault: str, layer: str | None, severity: str = "error") -> Finding:
    return Finding(".", fault, layer, severity, 0, 9, "")  # type: ignore[arg-type]


def test_parts_that_share_no_path_do_not_explain_each_other() -> None:
    parts = [LayerInfo("generator/a"), LayerInfo("generator/b", inputs=(0,)), LayerInfo("discriminator/a")]
    findings = [finding("dead_units", "generator/b"), finding("unnormalised_input", "discriminator/a", "warning")]
    for layers in (parts, [replace(layer, inputs=()) for layer in parts]):
        found = explained(findings, CAUSES, Ways(layers, "generator, discriminator"))
        assert all(each.caused_by is None for each in found)


def test_layers_without_known_connections_are_a_chain() -> None:
    layers = [LayerInfo("a"), LayerInfo("b"), LayerInfo("c")]
    found = explained([finding("unnormalised_input", "a"), finding("dead_units", "c")], CAUSES, Ways(layers))
    assert found[1].caused_by == found[0]


def test_gradients_go_backward_and_signals_forward() -> None:
    ways = Ways([LayerInfo("a"), LayerInfo("b", inputs=(0,)), LayerInfo("c", inputs=(0,))])
    assert ways.reach("a", "b", Along.SIGNALS)
    assert not ways.reach("b", "a", Along.SIGNALS)
    assert ways.reach("b", "a", Along.GRADIENTS)
    assert not ways.reach("b", "c", Along.BOTH)
    assert ways.reach("b", "c", Along.TRAINING)
    assert ways.reach(None, "c", Along.SIGNALS)
    assert ways.reach("a", None, Along.OUTPUTS)
    assert not ways.reach("a", "c", Along.OUTPUTS)


def test_a_clipped_loss_stops_all_layers_not_one() -> None:
    """Where a softmax gives exactly 0 and 1, the clipped cross-entropy has no slope: on JAX, with inputs × 1,000."""
    layers = [LayerInfo("a"), LayerInfo("b", inputs=(0,))]
    scale = finding("unnormalised_input", "a")
    for layer, caused in ((None, True), ("b", False)):
        found = explained([finding("frozen_layer", layer), scale], CAUSES, Ways(layers))
        frozen = next(each for each in found if each.fault == "frozen_layer")
        assert (frozen.caused_by is not None) == caused
        assert not caused or found[0].fault == "unnormalised_input"


def test_another_package_names_its_causes() -> None:
    known = graph({"mine": ("bad_init",), "dead_units": ()})
    found = explained([finding("mine", "b"), finding("bad_init", "a")], known, Ways([LayerInfo("a"), LayerInfo("b")]))
    assert [f.fault for f in found] == ["bad_init", "mine"]
    assert found[1].caused_by == found[0]


@pytest.mark.parametrize("effect", CAUSES)
def test_every_edge_names_faults_that_exist_and_says_why(effect: str) -> None:
    assert effect in IDS
    for edge in CAUSES[effect]:
        assert edge.cause in IDS
        assert edge.reason


def test_a_fault_causes_itself_only_in_another_layer() -> None:
    layers = [LayerInfo("a"), LayerInfo("b", inputs=(0,))]
    found = explained([finding("dead_units", "b"), finding("dead_units", "a")], CAUSES, Ways(layers))
    assert [(f.layer, f.caused_by and f.caused_by.layer) for f in found] == [("a", None), ("b", "a")]


@given(networks())
def test_ways_are_those_of_a_search_for_paths(layers: list[LayerInfo]) -> None:
    assume(any(layer.inputs for layer in layers))  # otherwise they are taken as a chain
    ways = Ways(layers)
    for first, cause in enumerate(layers):
        for second, effect in enumerate(layers):
            forward = first <= second and paths_between(layers, first, second)
            backward = second <= first and paths_between(layers, second, first)
            assert ways.reach(cause.path, effect.path, Along.SIGNALS) == forward
            assert ways.reach(cause.path, effect.path, Along.GRADIENTS) == backward
            assert ways.reach(cause.path, effect.path, Along.BOTH) == (forward or backward)
            assert ways.reach(cause.path, effect.path, Along.TRAINING)
    assert not ways.reach(layers[0].path, "elsewhere", Along.SIGNALS)
    assert not ways.reach("elsewhere", layers[0].path, Along.GRADIENTS)


def caused(findings: list[Finding], effect: str, known: Graph = CAUSES) -> str | None:
    """The cause of the finding of a fault in a model of two layers."""
    found = explained(findings, known, Ways([LayerInfo("a"), LayerInfo("b", inputs=(0,))]))
    (finding,) = (each for each in found if each.fault == effect)
    return finding.caused_by.fault if finding.caused_by else None


@pytest.mark.parametrize("effect", CAUSES)
def test_the_first_cause_that_the_graph_names_is_chosen(effect: str) -> None:
    """Of each two that were found in the same layer, in either order; one that may be intended only if it is alone."""
    others = [edge.cause for edge in CAUSES[effect] if edge.cause != effect]
    place = None if any(edge.along is Along.OUTPUTS for edge in CAUSES[effect]) else "a"
    for position, first in enumerate(others):
        assert caused([finding(effect, place), finding(first, "a")], effect) == first
        for second in others[position + 1 :]:
            for causes in ([first, second], [second, first]):
                found = [*(finding(cause, "a") for cause in causes), finding(effect, place)]
                assert caused(found, effect) == first
            intended = [finding(first, "a", "info"), finding(second, "a", "warning"), finding(effect, place)]
            assert caused(intended, effect) == second
            both = [finding(second, "a", "info"), finding(first, "a", "info"), finding(effect, place)]
            assert caused(both, effect) == first


def test_no_fault_is_its_own_cause_through_others() -> None:
    """Of the edges between different faults: the graph has no ring, so the order of findings decides nothing."""

    def origins(fault: str, seen: frozenset[str] = frozenset()) -> set[str]:
        assert fault not in seen, fault
        before = {edge.cause for edge in CAUSES.get(fault, ()) if edge.cause != fault}
        return before.union(*(origins(cause, seen | {fault}) for cause in before))

    for fault in CAUSES:
        assert fault not in origins(fault)


@pytest.mark.parametrize(("first_step", "expected"), [(9, "bad_init"), (10, None)])
def test_what_began_after_the_end_of_an_effect_did_not_cause_it(first_step: int, expected: str | None) -> None:
    late = replace(finding("bad_init", "a"), first_step=first_step)
    assert caused([late, finding("dead_units", "a")], "dead_units") == expected


def test_findings_are_ordered_by_generation_then_severity_then_depth() -> None:
    layers = [LayerInfo("a"), LayerInfo("b", inputs=(0,)), LayerInfo("c", inputs=(1,))]
    findings = [
        finding("redundant_filters", "c", "warning"),
        finding("overfitting", None, "info"),
        finding("missing_activation", "b", "warning"),
        finding("missing_activation", "a", "warning"),
        finding("dead_units", "b", "error"),
        finding("collapsed_output", "c", "error"),
        finding("bad_init", "a", "info"),
    ]
    found = explained(findings, CAUSES, Ways(layers))
    assert [(each.fault, each.layer, each.severity) for each in found] == [
        # The cause of errors is an error, and so comes before warnings; the whole model comes before its layers.
        ("bad_init", "a", "error"),
        ("missing_activation", "a", "warning"),
        ("missing_activation", "b", "warning"),
        ("overfitting", None, "info"),
        ("dead_units", "b", "error"),
        ("collapsed_output", "c", "error"),
        ("redundant_filters", "c", "warning"),
    ]
    causes = {each.fault: each.caused_by.fault for each in found if each.caused_by}
    assert causes == {"dead_units": "bad_init", "redundant_filters": "dead_units", "collapsed_output": "dead_units"}
    assert found[4].caused_by == found[0]
    assert all(each.caused_by == found[4] for each in found[5:])


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_the_cause_of_a_cause_is_as_severe_as_what_follows(order: tuple[int, ...]) -> None:
    """In any order of the findings."""
    findings = [
        finding("collapsed_output", "b", "error"),
        finding("dead_units", "a", "warning"),
        finding("unnormalised_input", "a", "info"),
    ]
    found = explained([findings[i] for i in order], CAUSES, Ways([LayerInfo("a"), LayerInfo("b", inputs=(0,))]))
    assert [(each.fault, each.severity) for each in found] == [
        ("unnormalised_input", "error"), ("dead_units", "error"), ("collapsed_output", "error"),
    ]  # fmt: skip


def test_a_kind_of_a_fault_can_be_the_first_cause_of_what_usually_causes_it() -> None:
    """Regularization that is too strong kills units, which otherwise cause underfitting."""
    findings = [finding("underfitting", None), finding("dead_units", "a"), finding("nan_or_inf", None)]
    assert caused(findings[:2], "underfitting") == "dead_units"
    turned = with_causes(CAUSES, "underfitting", {"dead_units": "it is regularized"})
    assert caused(findings[:2], "dead_units", turned) == "underfitting"
    assert caused(findings[:2], "underfitting", turned) is None
    assert caused(findings, "dead_units", turned) == "underfitting"
    assert caused(findings, "underfitting", turned) == "nan_or_inf"
    assert [edge.reason for edge in turned["dead_units"] if edge.cause == "underfitting"] == ["it is regularized"]
    assert turned["overfitting"] == CAUSES["overfitting"]


def test_rows_and_parts() -> None:
    ways = Ways([LayerInfo("g/a"), LayerInfo("g/b"), LayerInfo("d/a"), LayerInfo("d/b", inputs=(2,))], "g, d")
    assert [ways.row(path) for path in ("g/a", "d/b", None, "elsewhere")] == [0, 3, -1, -1]
    assert ways.reach("g/a", "g/b", Along.SIGNALS)  # without known connections, a part is a chain
    assert ways.reach("d/a", "d/b", Along.SIGNALS)
    assert not ways.reach("g/b", "d/a", Along.BOTH)
    alone = Ways([LayerInfo("g/a"), LayerInfo("d/a")], "one model")
    assert alone.reach("g/a", "d/a", Along.SIGNALS)
