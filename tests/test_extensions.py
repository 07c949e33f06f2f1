"""Diagnostics and faults of another installed package, found through their entry points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tb_cnndiag import CNNDiagnostics, diagnostics
from tb_cnndiag.cli import main
from tb_cnndiag.history import History
from tb_cnndiag.judging import faults
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.warning import DiagnosticsWarning
from tests.models import compiled, images, plain

MODULE = """
from tb_cnndiag.diagnostics import LayerDiagnostic, LayerResult
from tb_cnndiag.judging.conditions import Above
from tb_cnndiag.judging.faults import Fault, Kind, Limit
from tb_cnndiag.judging.signals.base import Signal, recorded
from tb_cnndiag.payloads import ColumnInfo

class Largest(LayerDiagnostic):
    name = "largest_weight"
    title = "Largest weight"
    description = "One. Two."
    needs = ("kernel",)
    columns = (ColumnInfo("largest", "Largest", "weight", "Largest weight."),)

    def measure(self, snapshot):
        return LayerResult({"largest": float(snapshot.data["kernel"].max())})

LARGEST = Signal("largest weight", "weight", recorded("largest_weight", "largest"))

class AnyWeight(Fault):
    id = "any_weight"
    title = "Any weight"
    what = why = advice = source = "A test."
    diagnostic = "largest_weight"
    limits = {"largest": Limit(0.0, "weight", "above which it is one")}
    kinds = (
        Kind(
            where=lambda signals: list(range(len(signals.layers))),
            when=Above(LARGEST, "largest", strict=True),
            severity="info",
            message=lambda case: "There are weights.",
        ),
    )

class Impostor(Largest):
    name = "dead_units"

class Choosy(Largest):
    name = "choosy"

    def __init__(self, wanted):
        pass

class NoDiagnostic:
    pass
"""
ENTRIES = """
[tb_cnndiag.diagnostics]
good = added_by_others:Largest
impostor = added_by_others:Impostor
choosy = added_by_others:Choosy
none = added_by_others:NoDiagnostic
absent = added_by_nobody:Absent

[tb_cnndiag.faults]
good = added_by_others:AnyWeight
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    home = tmp_path / "site"
    info = home / "added_by_others-1.0.dist-info"
    info.mkdir(parents=True)
    (home / "added_by_others.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: added-by-others\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(home)
    for module in (diagnostics, faults):
        module.available.cache_clear()
    yield
    for module in (diagnostics, faults):
        module.available.cache_clear()


@pytest.mark.usefixtures("installed")
def test_extensions_are_measured_judged_and_listed(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.warns(DiagnosticsWarning) as caught:
        callback = CNNDiagnostics(tmp_path / "log", verbose=0)
    left_out = [str(warning.message) for warning in caught]
    assert len(left_out) == 4
    for name, reason in (
        ("Impostor", "the name 'dead_units' is already in use"),
        ("Choosy", "wanted"),
        ("NoDiagnostic", "not a subclass of Diagnostic"),
        ("Absent", "No module named"),
    ):
        assert any(name in message and reason in message for message in left_out), (name, left_out)
    x, y = images(rng)
    compiled(plain()).fit(x, y, epochs=2, verbose=0, callbacks=[callback])
    series = History.of(read_run(tmp_path / "log" / "cnndiag")).series("largest_weight", "largest")
    assert (series.values > 0).all()
    assert "any_weight" in {finding.fault for finding in callback.findings}
    assert main(["list"]) == 0
    assert "any_weight: Any weight." in capsys.readouterr().out


def test_without_other_packages_only_built_ins_are_available() -> None:
    assert diagnostics.available() == diagnostics.BUILTIN
    assert faults.available() == (*faults.BUILTIN, *faults.OF_PREFLIGHT)
