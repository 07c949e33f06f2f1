"""Which units a small page shows: those that findings name, then medoids, then the others, counted from the page."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_cnndiag.finding import Finding
from tb_cnndiag.payloads import Graph, Images, LayerInfo, Patches
from tb_cnndiag.report.html import report
from tb_cnndiag.report.inlined import Keep, Log, fitted, left_out
from tb_cnndiag.report.pictured_units import PicturedUnits
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec import Measurement, decode
from tb_cnndiag.summaries.reader import read_run
from tests.e2e.made_log import write


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("logs")
    write(directory)
    return directory


def _messages(page: str) -> dict[tuple[str, str], list[Any]]:
    """What the page holds, by run and tag."""
    found = re.search(r'<script type="application/json" id="cnndiag-data">(.*?)</script>', page, re.DOTALL)
    assert found
    stored = json.loads(found.group(1))["measurements"]
    return {
        (key.split("\n")[0].split("/")[0], key.split("\n")[1]): [
            decode(item) for item in pb.MeasurementList.FromString(base64.b64decode(data)).items
        ]
        for key, data in stored.items()
    }


def _shown(page: str) -> set[tuple[str, str, int]]:
    """The units that have patches or images in the page."""
    units = set()
    for (run, _), messages in _messages(page).items():
        for message in messages:
            payload = message.payload
            if isinstance(payload, Patches):
                own = range(len(payload.images)) if payload.listed is None else payload.listed
                units |= {(run, message.layer, int(unit)) for unit in own}
            elif isinstance(payload, Images):
                units |= {(run, message.layer, image.unit) for image in payload.images}
    return units


def _stages(logs: Path, page: str) -> list[set[tuple[str, str, int]]]:
    """Units that findings of the page name, medoids, and all units that have pictures in the log."""
    named, medoids, everything = set(), set(), set()
    for (run, tag), messages in _messages(page).items():
        if tag == "cnndiag/findings":
            for finding in messages[-1].payload:
                for group in finding.units:
                    for unit in group if isinstance(group, tuple) else (group,):
                        named.add((run, finding.layer, unit))
    for run in ("faulty", "healthy", "short"):
        logged = list(read_run(logs / run / "cnndiag"))
        paths = [layer.path for layer in next(m.payload.layers for m in logged if m.diagnostic == "run_info")]
        graph = [m.payload for m in logged if isinstance(m.payload, Graph)][-1]
        for row, (unit, *_) in zip(graph.rows, graph.typical, strict=True):
            medoids.add((run, paths[row], int(unit)))
        for message in logged:
            if isinstance(message.payload, Patches):
                everything |= {(run, message.layer, unit) for unit in range(len(message.payload.images))}
            elif isinstance(message.payload, Images):
                everything |= {(run, message.layer, image.unit) for image in message.payload.images}
    return [named & everything, (medoids & everything) - named, everything - named - medoids]


def test_units_that_findings_name_come_first_then_medoids_then_the_rest(made: Path) -> None:
    whole = report(made)
    stages = _stages(made, whole)
    assert all(stages)
    everything = set().union(*stages)
    assert _shown(whole) == everything
    assert "Patches and pictures of" not in whole
    smallest = 1.0
    seen = set()
    while smallest > 0.3:
        smallest *= 0.98
        try:
            page = report(made, smallest)
        except ValueError:
            break
        assert len(page.encode()) <= smallest * 1e6
        shown = _shown(page)
        counts = [len(shown & stage) for stage in stages]
        assert sum(counts) == len(shown)
        for before, after in ((0, 1), (1, 2)):
            assert counts[before] == len(stages[before]) or not counts[after]
        said = re.search(r"Patches and pictures of ([\d,]+) of ([\d,]+) units are included: (.*?)\. Those of", page)
        if len(shown) == len(everything):
            assert not said
            continue
        assert said
        assert [int(said.group(i).replace(",", "")) for i in (1, 2)] == [len(shown), len(everything)]
        words = ("that findings name", "medoids of clusters", "others")
        expected = [
            f"all {n} {what}" if n == len(stage) else f"{n} of the {len(stage)} {what}"
            for n, stage, what in zip(counts, stages, words, strict=True)
        ]
        assert said.group(3) == f"{expected[0]}, {expected[1]} and {expected[2]}"
        assert "--max-size" in page[said.start() :]
        seen.add(tuple(count == len(stage) for count, stage in zip(counts, stages, strict=True)))
    assert {(True, True, False), (False, False, False)} <= seen


def _patches(units: int) -> Measurement:
    rows = np.arange(units)[:, None] + np.arange(9)
    return Measurement("top_patches", 0, 0, Patches(rows, rows, rows.astype(np.float32), 64), "conv", table="t")


class _History:
    run = "r"
    layers = (LayerInfo("conv", units=40),)

    def latest(self, _diagnostic: str) -> None:
        return None


def test_a_cut_message_holds_its_units_exactly_and_says_that_others_are_left_out() -> None:
    log = Log("r")
    log.add(_patches(40))
    finding = Finding("r", "dead_units", "conv", "error", 0, 0, "", units=(7, 3))
    pictured = PicturedUnits.of([(_History(), [finding])], log.pictured())  # type: ignore[list-item]
    assert [each.unit for each in pictured.order[:4]] == [7, 3, 0, 1]
    (data,) = log.kept("cnndiag/top_patches/conv", Keep(1, 1, 1, 3), pictured)
    cut = decode(data)
    assert cut is not None
    assert isinstance(cut.payload, Patches)
    assert cut.payload.listed is not None
    assert cut.payload.listed.tolist() == [0, 3, 7]
    whole = _patches(40).payload
    assert isinstance(whole, Patches)
    for unit in range(40):
        kept = unit in (0, 3, 7)
        assert (cut.payload.images[unit] == (whole.images[unit] if kept else -1)).all()
        assert not kept or (cut.payload.positions[unit] == whole.positions[unit]).all()
    assert (
        "Patches and pictures of 3 of 40 units are included: all 2 that findings name and 1 of the 38 others. "
        "Those of 37 units are left out: 37 of conv."
    ) in left_out([log], Keep(1, 1, 1, 3), pictured)
    assert not log.kept("cnndiag/top_patches/conv", Keep(0, 0, 2, 0), pictured)
    assert fitted([log], 100_000, pictured) is not None
