"""Names from a log are shown as text, even if they contain markup."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.payloads import ColumnInfo, DiagnosticInfo, LayerColumns, LayerInfo, RunInfo, UnitStates
from tb_cnndiag.summaries.codec import Measurement, encode
from tb_cnndiag.summaries.writer import SnapshotWriter

SCRIPT = '<img src=x onerror="document.title=1">'
NAMES = (SCRIPT, "../../etc/passwd", "x" * 10_000, "\u202eright-to-left", "🙂🧠 émoji", "a&b=c#2%20")


@pytest.fixture(scope="module")
def hostile_logdir(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("hostile")
    column = ColumnInfo("ratio", SCRIPT, SCRIPT, SCRIPT, low=0.0, high=1.0)
    layers = tuple(LayerInfo(path=name, class_name=SCRIPT, role="conv", units=4, activation=SCRIPT) for name in NAMES)
    info = RunInfo(
        "t", layers, model=SCRIPT, notes=(SCRIPT,), diagnostics=(DiagnosticInfo("odd", SCRIPT, SCRIPT, (column,), "x"),)
    )
    findings = tuple(
        Finding(
            run="",
            fault=SCRIPT,
            layer=name,
            severity="error",
            first_step=0,
            last_step=10,
            message=SCRIPT + name,
            evidence={SCRIPT: Evidence(1.0, 0.5, SCRIPT)},
            adjustments=(Adjustment(name, SCRIPT, SCRIPT, SCRIPT, SCRIPT),),
            title=SCRIPT,
            diagnostic="odd",
        )
        for name in NAMES
    )
    for run in ("a <b>&amp; #1", "émoji 🙂"):
        writer = SnapshotWriter(logdir / run / "cnndiag")
        for snapshot in range(3):
            step = 10 * snapshot
            made = [
                Measurement("odd", step, snapshot, LayerColumns({"ratio": np.linspace(0, 1, len(NAMES))}), table="t"),
                Measurement("findings", step, snapshot, findings, table="t"),
                *(
                    Measurement(
                        "odd", step, snapshot, UnitStates(np.array([1, 2, 3, 0], np.uint8), 4, 4), name, table="t"
                    )
                    for name in NAMES
                ),
            ]
            if snapshot == 0:
                made.insert(0, Measurement("run_info", step, snapshot, info, table="t"))
            writer.write(step, [(measurement, encode(measurement)) for measurement in made], {})
        writer.close()
    return logdir


@pytest.fixture(scope="module")
def hostile_server(serve, hostile_logdir):
    return serve(hostile_logdir, runs=2)


def test_the_overview_shows_them_as_text(hostile_server, open_tab):
    tab = open_tab(hostile_server)
    tab.find("[data-layer]").first.wait_for()
    shown = [row.get_attribute("data-layer") for row in tab.find("[data-layer]").all()]
    assert sorted(shown) == sorted(NAMES)
    assert tab.find("img").count() == 0
    assert tab.frame.title() == "CNN Diagnostics"
    assert tab.violations() == []
    assert not tab.overflows()


@pytest.mark.parametrize("name", NAMES, ids=["script", "dots", "long", "right-to-left", "emoji", "address"])
def test_a_layer_page_and_its_link_work(hostile_server, open_tab, name):
    run = hostile_server.runs()[-1]["id"]
    tab = open_tab(hostile_server, {"screen": "layer", "layer": name, "run": run}, width=700)
    assert tab.find(".layer-heading .path").text_content() == name
    assert tab.parameters()["layer"] == name
    assert tab.parameters()["run"] == run
    assert tab.find("img").count() == 0
    assert tab.violations() == []
    assert not tab.overflows()
