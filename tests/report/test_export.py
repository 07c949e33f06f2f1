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
from tb_cnndiag.summaries.reader import read_run
from tests.e2e.made_log import write


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


def test_the_table_of_units_says_what_each_responds_to(tmp_path: Path, capsys: Any) -> None:
    write(tmp_path)
    logged: dict[tuple[str, str], Any] = {}
    for measurement in read_run(tmp_path / "healthy" / "cnndiag"):
        logged[measurement.diagnostic, measurement.layer] = measurement.payload
    assert main(["export", str(tmp_path), "--table", "units", "--run", "healthy"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert list(rows[0]) == "run layer unit class eta_squared value image x0 y0 x1 y1".split()
    assert len(rows) == 12 + 24 + 24 + 16 + 4
    for row in rows:
        unit, layer = int(row["unit"]), row["layer"]
        answers, patches = logged["class_selectivity", layer], logged["top_patches", layer]
        assert int(row["class"]) == answers.classes[unit, 0]
        assert float(row["eta_squared"]) == pytest.approx(float(answers.explained[unit]))
        assert int(row["image"]) == patches.images[unit, 0]
        assert float(row["value"]) == pytest.approx(float(patches.values[unit, 0]))
        box = [int(row[name]) for name in ("x0", "y0", "x1", "y1")]
        if layer in ("hidden", "classes"):
            assert box == [0, 0, 23, 23]
            continue
        depth = ["stem/conv", "body/conv_a", "body/conv_b"].index(layer)
        y, x = (int(at) for at in divmod(patches.positions[unit, 0], 12))
        first = [2 * at - 2 - 2 * depth for at in (x, y)]
        assert box == [max(at, 0) for at in first] + [min(at + 4 + 4 * depth, 23) for at in first]
    frame = tb_cnndiag.load(tmp_path, runs=["healthy"], table="units")
    assert list(frame["image"]) == [int(row["image"]) for row in rows]


def test_a_silent_unit_has_no_image_in_the_table_of_units(tmp_path: Path, capsys: Any) -> None:
    write(tmp_path)
    assert main(["export", str(tmp_path), "--table", "units", "--run", "faulty", "--format", "json"]) == 0
    silent = [row for row in json.loads(capsys.readouterr().out) if row["layer"] == "body/conv_b"]
    assert len(silent) == 24
    assert {(row["image"], row["value"], row["class"], row["x0"]) for row in silent} == {(-1, "NaN", -1, -1)}
    with pytest.raises(ValueError, match="Choose from: numbers, units"):
        tb_cnndiag.load(tmp_path, table="layers")  # type: ignore[arg-type]
