"""Every declared threshold decides at its documented value, as it says, and can be moved."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from tb_cnndiag.judging.faults import BUILTIN
from tb_cnndiag.judging.judge import verdict
from tb_cnndiag.judging.thresholds import SHARED_ID
from tests.judging.boundaries.boundary import FAULTS, UNITS, Boundary, result
from tests.judging.boundaries.finding import BOUNDARIES

each_boundary = pytest.mark.parametrize("boundary", BOUNDARIES, ids=lambda boundary: boundary.name)


def test_no_declared_threshold_is_missing() -> None:
    declared = {(kind.id, name) for kind in BUILTIN for name in kind.limits}
    assert {(boundary.fault, boundary.limit) for boundary in BOUNDARIES} == declared
    assert len({boundary.name for boundary in BOUNDARIES}) == len(BOUNDARIES)
    assert all(limit.unit in UNITS for kind in BUILTIN for limit in kind.limits.values())


@each_boundary
def test_a_threshold_decides_at_its_value(boundary: Boundary) -> None:
    assert FAULTS[boundary.fault].limits[boundary.limit].value == boundary.value
    assert result(boundary.fault, boundary.run(boundary.below)) == boundary.low
    assert result(boundary.fault, boundary.run(boundary.above)) == boundary.high


@each_boundary
def test_a_threshold_that_is_moved_decides_elsewhere(boundary: Boundary) -> None:
    """The same two histories are on the other side of it; so it is for one fault, and for all that share it."""
    width = boundary.above - boundary.below
    concept = FAULTS[boundary.fault].limits[boundary.limit].concept
    for limit, value, expected in (
        (boundary.above + width, boundary.above, boundary.low),
        (boundary.below - width, boundary.below, boundary.high),
    ):
        if limit <= 0:
            continue
        ways: list[Mapping[str, Mapping[str, float]]] = [{boundary.fault: {boundary.limit: limit}}]
        if concept:
            ways.append({SHARED_ID: {concept: limit}})
        for moved in ways:
            assert result(boundary.fault, boundary.run(value), moved) == expected


@pytest.mark.parametrize(
    "boundary",
    [boundary for boundary in BOUNDARIES if boundary.at and not boundary.sides],
    ids=lambda boundary: boundary.name,
)
def test_a_value_at_the_threshold(boundary: Boundary) -> None:
    """At the nearest power of two, which no multiplication rounds, with the threshold moved there."""
    value = 2.0 ** round(math.log2(boundary.value))
    expected = boundary.high if boundary.at == "high" else boundary.low
    assert result(boundary.fault, boundary.run(value), {boundary.fault: {boundary.limit: value}}) == expected


@pytest.mark.parametrize(
    "boundary", [boundary for boundary in BOUNDARIES if boundary.shown is not None], ids=lambda boundary: boundary.name
)
def test_the_evidence_is_what_was_compared_with_the_threshold(boundary: Boundary) -> None:
    shown = boundary.shown or boundary.limit
    seen = False
    for value in (boundary.below, boundary.above):
        judged = verdict(boundary.run(value), faults=[FAULTS[boundary.fault]])
        for finding in judged.findings[:1]:
            if shown in finding.evidence:
                seen = True
                assert finding.evidence[shown].value == pytest.approx(value, rel=1e-5)
                assert finding.evidence[shown].limit == boundary.value
                # A threshold of a single output is compared with what is relative to the targets.
                assert finding.evidence[shown].unit in (FAULTS[boundary.fault].limits[boundary.limit].unit, "ratio")
    assert seen
