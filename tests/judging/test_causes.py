"""Causes along the layer graph, on random findings and graphs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tb_cnndiag.finding import SEVERITIES, Finding
from tb_cnndiag.judging.causes import CAUSES, Along, Ways, explained, graph
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
        allowed = {Along.SIGNALS: forward, Along.GRADIENTS: backward, Along.BOTH: forward or backward}
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
