"""The report page: one file, small enough, findings readable without scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_cnndiag.cli import main
from tb_cnndiag.payloads import Atlas, LayerColumns, LayerInfo, Matrix, RunInfo
from tb_cnndiag.report.html import report
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec import Measurement, decode, encode
from tb_cnndiag.summaries.writer import SnapshotWriter
from tb_cnndiag.webp import encoded

HOSTILE = '</script><img src=x onerror="alert(1)">'


class Text(HTMLParser):
    """The page's tags, and its text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags, self._inside = "", [], ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.text += data


def _data(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="cnndiag-data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found.group(1))


def test_findings_are_plain_html_and_data_is_all_there(demo_logdir: Path) -> None:
    page = report(demo_logdir)
    reported = Text(page).text
    assert "All 32 units of conv2 are dead since step 0: no activation above zero on 512 probe samples and " in reported
    assert "bias_initializer: Constant → zeros" in reported
    assert "Because of: Dead units in conv2" in reported
    assert "Nothing found" in reported
    data = _data(page)
    assert [run["id"] for run in data["runs"]] == ["faulty/cnndiag", "healthy/cnndiag"]
    dead = pb.MeasurementList.FromString(base64.b64decode(data["measurements"]["faulty/cnndiag\ncnndiag/dead_units"]))
    assert dead.total == len(dead.items) == 11
    assert len(page.encode()) < 5_000_000


def test_the_policy_allows_just_our_script_and_nothing_from_elsewhere(demo_logdir: Path) -> None:
    page = report(demo_logdir)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert f"script-src 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy
    assert not re.findall(r'(?:src|href)="https?:', page)


@pytest.fixture
def large_logdir(tmp_path: Path, rng: np.random.Generator) -> Path:
    info = RunInfo("t", (LayerInfo(HOSTILE, units=64),))
    writer = SnapshotWriter(tmp_path / HOSTILE.replace("/", "_") / "cnndiag")
    for snapshot in range(200):
        values = rng.uniform(-1, 1, (64, 64)).astype(np.float32)
        found = [
            Measurement("run_info", snapshot, snapshot, info),
            Measurement(
                "filter_similarity", snapshot, snapshot, LayerColumns({"twin_ratio": np.array([0.9])}), table="t"
            ),
            Measurement(
                "filter_similarity",
                snapshot,
                snapshot,
                Matrix(values + values.T, np.arange(64), -2, 2, "cosine"),
                HOSTILE,
            ),
        ]
        writer.write(snapshot, [(m, encode(m)) for m in found], {})
    writer.close()
    return tmp_path


def test_a_large_log_is_thinned_and_the_page_says_so(large_logdir: Path) -> None:
    page = report(large_logdir, max_size=0.5)
    assert len(page.encode()) <= 500_000
    assert "this page holds less than the log" in Text(page).text
    data = _data(page)
    kept = {
        key.split("\n")[1]: pb.MeasurementList.FromString(base64.b64decode(text))
        for key, text in data["measurements"].items()
    }
    matrices = kept[f"cnndiag/filter_similarity/{HOSTILE}"]
    assert 1 <= len(matrices.items) < 200 == matrices.total
    assert pb.Measurement.FromString(matrices.items[-1]).step == 199
    assert len(kept["cnndiag/filter_similarity"].items) > len(matrices.items)


def test_hostile_names_stay_text(large_logdir: Path) -> None:
    parsed = Text(report(large_logdir))
    assert HOSTILE in parsed.text
    assert "img" not in parsed.tags
    assert parsed.tags.count("script") == 2


def test_the_command(demo_logdir: Path, tmp_path: Path, capsys: Any) -> None:
    assert main(["report", str(demo_logdir), "-o", str(tmp_path / "r.html")]) == 0
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(["report", str(tmp_path)]) == 3
    assert "has no diagnostics" in capsys.readouterr().err
    assert main(["report", str(demo_logdir), "--max-size", "0.1"]) == 2
    assert "--max-size" in capsys.readouterr().err


def test_tables_and_contents_are_plain_html(demo_logdir: Path) -> None:
    reported = Text(report(demo_logdir)).text
    for words in (
        "Loss and metrics",
        "Layers",
        "Dead units, last snapshot",
        "faulty: 4 errors",
        "healthy: nothing found",
    ):
        assert words in reported
    assert "threshold 40 %" in reported


def test_the_page_judges_as_the_check_does(demo_logdir: Path) -> None:
    from tb_cnndiag.report.gate import CheckSelection
    from tb_cnndiag.summaries.codec import decode

    page = report(
        demo_logdir, choice=CheckSelection({"dead_units": {"dead_ratio": 0.3}}, select=["dead_units"], runs=["fau*"])
    )
    data = _data(page)
    assert [run["run"] for run in data["runs"]] == ["faulty"]
    listed = pb.MeasurementList.FromString(base64.b64decode(data["measurements"]["faulty/cnndiag\ncnndiag/findings"]))
    (message,) = map(decode, listed.items)
    assert message
    assert {finding.fault for finding in message.payload} == {"dead_units"}
    assert message.payload[0].evidence["dead_ratio"].limit == pytest.approx(0.3)
    assert "threshold 30 %" in Text(page).text
    assert "Collapsed output" not in Text(page).text
    with pytest.raises(ValueError, match="Did you mean"):
        report(demo_logdir, choice=CheckSelection(select=["dead_unit"]))


def test_large_tables_give_way_to_charts(demo_logdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tb_cnndiag.report import html

    monkeypatch.setattr(html, "SHARE_OF_TABLES", 0.001)
    reported = Text(report(demo_logdir)).text
    assert "Loss and metrics" not in reported
    assert "The tables of numbers are left out" in reported


def test_the_command_chooses_too(demo_logdir: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "new" / "r.html"
    assert main(["report", str(demo_logdir), "-o", str(out), "--run", "healthy"]) == 0
    assert "Nothing found" in out.read_text(encoding="utf-8")
    assert main(["report", str(demo_logdir), "-o", str(out), "--select", "dead_unit"]) == 2
    assert main(["report", str(demo_logdir), "-o", str(out), "--run", "x"]) == 3
    with pytest.raises(SystemExit):
        main(["report", str(demo_logdir), "--max-size", "0"])


def test_the_images_of_the_probe_are_made_smaller_to_fit(tmp_path: Path, rng: np.random.Generator) -> None:
    noise = rng.integers(0, 256, (8 * 96, 8 * 96, 3)).astype(np.uint8)
    data, tile = encoded(noise, 8, (96, 96), 4_000_000)
    layer = LayerInfo("conv", role="conv", units=2)
    atlas = Measurement("probe_atlas", 0, 0, Atlas(data, 64, 8, tile, (96, 96)), layer="conv", table="t")
    matrix = Measurement("m", 0, 0, Matrix(np.eye(2), np.arange(2), 0.0, 1.0, "cosine"), layer="conv", table="t")
    written = [Measurement("run_info", 0, 0, RunInfo("t", (layer,)), table="t"), atlas, matrix]
    writer = SnapshotWriter(tmp_path / "cnndiag")
    writer.write(0, [(each, encode(each)) for each in written], {})
    writer.close()
    whole, small = (_only_atlas(report(tmp_path, max_size=size)) for size in (5.0, 0.6))
    assert whole.webp == data
    assert len(small.webp) < 0.3 * 600_000
    assert (small.samples, small.extent) == (64, (96, 96))
    assert len(report(tmp_path, max_size=0.6).encode()) <= 600_000


def _only_atlas(page: str) -> Any:
    data = base64.b64decode(_data(page)["measurements"]["cnndiag\ncnndiag/probe_atlas/conv"])
    (item,) = pb.MeasurementList.FromString(data).items
    measurement = decode(item)
    assert measurement
    return measurement.payload
