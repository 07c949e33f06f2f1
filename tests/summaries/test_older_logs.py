"""Logs of older versions stay readable: a log of version 0.1.0 gives the same findings as with that version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tb_cnndiag import diagnose, load
from tb_cnndiag.history import History
from tb_cnndiag.summaries.reader import read_run

LOG = Path(__file__).parent / "log_of_0_1_0"


def test_findings_are_those_of_the_older_version() -> None:
    then = json.loads((LOG / "findings.json").read_text())
    now = diagnose(LOG)
    assert len(now) == len(then) >= 2
    for finding, was in zip(now, then, strict=True):
        for name in ("fault", "layer", "severity", "first_step", "last_step"):
            assert getattr(finding, name) == was[name]
        assert [list(unit) if isinstance(unit, tuple) else unit for unit in finding.units] == was["units"]
        # All that was compared is shown now, e.g. the loss that makes constant outputs a collapse.
        for name, expected in was["evidence"].items():
            evidence = finding.evidence[name]
            assert evidence.value == pytest.approx(expected["value"], rel=1e-6)
            assert evidence.limit == expected["limit"]


def test_messages_of_the_older_version_are_read() -> None:
    history = History.of(read_run(LOG / "cnndiag"))
    assert history.snapshots == 6
    assert history.last_step == 80
    assert [layer.path for layer in history.layers] == ["conv1", "conv2", "head"]
    assert [finding.fault for finding in history.findings] == ["dead_units", "collapsed_output"]
    assert history.info is not None
    assert history.info.probe.source == "given"
    assert {"dead_units", "weight_health"} <= {diagnostic.name for diagnostic in history.info.diagnostics}


def test_tables_of_the_older_version_are_exported() -> None:
    table = load(LOG)
    assert len(table) > 100
