"""Tidy tables of a log, and the same as arrays."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import tb_cnndiag
from tb_cnndiag.cli import main


def test_csv_and_json_hold_the_same(demo_logdir: Path, tmp_path: Path, capsys: Any) -> None:
    assert main(["export", str(demo_logdir), "-o", str(tmp_path / "new" / "t.json")]) == 0
    reported = json.loads((tmp_path / "new" / "t.json").read_text())
    assert main(["export", str(demo_logdir)]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert len(rows) == len(reported) > 500
    assert [float(row["value"]) for row in rows] == [row["value"] for row in reported]
    dead = [r for r in reported if (r["run"], r["measure"], r["layer"]) == ("faulty", "dead_ratio", "conv2")]
    assert [r["value"] for r in dead] == [1.0] * 11
    assert [r["step"] for r in dead] == sorted(r["step"] for r in dead)
    assert any(r["diagnostic"] == "training_curve" and r["layer"] == "" for r in reported)
    assert main(["export", str(demo_logdir), "--run", "healthy", "--step", "630", "--format", "json"]) == 0
    few = json.loads(capsys.readouterr().out)
    assert {(r["run"], r["step"]) for r in few} == {("healthy", 630)}


def test_load_gives_a_frame_or_arrays(demo_logdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    arrays = tb_cnndiag.load(demo_logdir)
    assert isinstance(arrays, dict)
    assert {len(column) for column in arrays.values()} == {len(arrays["value"])}
    monkeypatch.undo()
    pytest.importorskip("pandas")
    frame = tb_cnndiag.load(demo_logdir, runs=["faulty"])
    assert set(frame["run"]) == {"faulty"}
    assert list(frame.columns) == list(arrays)
    last = frame[(frame.measure == "dead_ratio") & (frame.layer == "conv2")].value.iloc[-1]
    assert last == 1.0


def test_parquet_where_pyarrow_is(demo_logdir: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert main(["export", str(demo_logdir), "-o", str(tmp_path / "t.parquet")]) == 0
    assert parquet.read_table(tmp_path / "t.parquet").num_rows == len(tb_cnndiag.load(demo_logdir))


def test_what_cannot_be_exported_says_why(
    demo_logdir: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["export", str(tmp_path)]) == 3
    assert main(["export", str(demo_logdir), "-o", str(tmp_path)]) == 2
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(["export", str(demo_logdir), "-o", str(tmp_path / "t.parquet")]) == 2
    assert "pip install pyarrow" in capsys.readouterr().err
