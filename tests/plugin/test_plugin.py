"""The plugin as TensorBoard serves it, with a real data provider."""

from __future__ import annotations

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend import application
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.plugins import base_plugin
from werkzeug.test import Client

from tb_cnndiag.payloads import LayerColumns, LayerInfo, RunInfo
from tb_cnndiag.plugin.loader import SAMPLES, CNNDiagnosticsLoader
from tb_cnndiag.plugin.plugin import MAX_BYTES, CNNDiagnosticsPlugin
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec import Measurement, decode, encode
from tb_cnndiag.summaries.names import run_id, run_name
from tb_cnndiag.summaries.thinning import thinned
from tb_cnndiag.summaries.writer import SnapshotWriter

HOSTILE = '<img src=x onerror="alert(1)">/../../etc'


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    logdir = tmp_path_factory.mktemp("logs")
    info = RunInfo("t", (LayerInfo("conv"), LayerInfo(HOSTILE)))
    writer = SnapshotWriter(logdir / "run" / "cnndiag")
    for snapshot in range(40):
        columns = LayerColumns({"dead_ratio": np.array([snapshot / 40, 0.0]), "other": np.ones(2)})
        measurements = [
            Measurement("run_info", snapshot, snapshot, info),
            Measurement("dead_units", snapshot, snapshot, columns, table="t"),
            Measurement("dead_units", snapshot, snapshot, columns, layer=HOSTILE, table="t"),
            Measurement("big", snapshot, snapshot, LayerColumns({"x": np.ones(100_000)}), table="t"),
        ]
        writer.write(snapshot, [(m, encode(m)) for m in measurements], {"dead_ratio/conv": 0.1})
    writer.close()
    multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance=SAMPLES)
    multiplexer.AddRunsFromDirectory(str(logdir))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(logdir))
    plugin = CNNDiagnosticsLoader().load(base_plugin.TBContext(data_provider=provider, logdir=str(logdir)))
    return Client(application.TensorBoardWSGI([plugin], data_provider=provider))


def _measurements(client: Client, **query: Any) -> Any:
    answer = client.get("/data/plugin/cnndiag/measurements", query_string={"run": "run/cnndiag", **query})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    return pb.MeasurementList.FromString(answer.get_data())


def test_runs(client: Client) -> None:
    answer = client.get("/data/plugin/cnndiag/runs")
    (run,) = json.loads(answer.get_data())["runs"]
    assert (run["run"], run["id"]) == ("run", "run/cnndiag")
    assert {"tag": "cnndiag/dead_units", "diagnostic": "dead_units", "layer": "", "max_step": 39} in run["tags"]
    assert any(tag["layer"] == HOSTILE for tag in run["tags"])
    assert not any("dead_ratio" in tag["tag"] for tag in run["tags"])


def test_simultaneous_requests_for_the_runs_share_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []

    def slow(self: Any, context: Any, experiment: str) -> list[Any]:
        built.append(experiment)
        begin = time.thread_time()
        while time.thread_time() < begin + 0.2:
            pass
        return [{"run": f"{experiment}/{len(built)}"}]

    monkeypatch.setattr(CNNDiagnosticsPlugin, "runs", slow)
    plugin = CNNDiagnosticsPlugin(base_plugin.TBContext())

    def served(experiment: str = "a") -> str:
        return str(json.loads(gzip.decompress(plugin._list(None, experiment)))["runs"][0]["run"])

    with ThreadPoolExecutor(8) as clients:
        assert set(clients.map(lambda _: served(), range(8))) == {"a/1"}
    assert served("b") == "b/2"
    assert served() == "a/3"
    # A list that is no longer fresh is still served while it is rebuilt; a stale list is not served.
    monkeypatch.setattr("tb_cnndiag.plugin.plugin.FRESH", 0.0)
    assert served() == "a/3"
    while plugin._rebuilding:
        time.sleep(0.01)
    monkeypatch.setattr("tb_cnndiag.plugin.plugin.FRESH", 5.0)
    assert served() == "a/4"
    monkeypatch.setattr("tb_cnndiag.plugin.plugin.STALE", 0.0)
    assert [served(), served()] == ["a/5", "a/6"]


def test_responses_declare_their_type_and_forbid_sniffing(client: Client) -> None:
    query = "run=run/cnndiag&tag=cnndiag/dead_units"
    for path, kind in {
        "runs": "application/json",
        f"measurements?{query}": "application/octet-stream",
        "static/index.js": "text/javascript",
        "measurements": "text/plain",
        "static/nothing.js": "text/plain",
    }.items():
        answer = client.get(f"/data/plugin/cnndiag/{path}")
        assert answer.headers["Content-Type"].startswith(kind), path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert client.head(f"/data/plugin/cnndiag/{path}").get_data() == b""


def test_measurements_are_in_step_order(client: Client) -> None:
    response = _measurements(client, tag="cnndiag/dead_units")
    decoded = [decode(item) for item in response.items]
    assert [m.step for m in decoded if m] == list(range(40))
    assert response.total == 40


def test_a_response_is_thinned_to_the_requested_number_and_to_a_few_megabytes(client: Client) -> None:
    steps = [pb.Measurement.FromString(i).step for i in _measurements(client, tag="cnndiag/dead_units", max=5).items]
    assert len(steps) == 5
    assert (steps[0], steps[-1]) == (0, 39)
    (last,) = _measurements(client, tag="cnndiag/dead_units", max=1).items
    assert pb.Measurement.FromString(last).step == 39
    big = _measurements(client, tag="cnndiag/big")
    assert big.total == 40
    assert 2 <= len(big.items) < 40
    assert sum(map(len, big.items)) <= MAX_BYTES


def test_a_single_column_can_be_requested(client: Client) -> None:
    for item in _measurements(client, tag="cnndiag/dead_units", column="other").items:
        assert [column.name for column in pb.Measurement.FromString(item).layer_columns.columns] == ["other"]
    assert not _measurements(client, tag="cnndiag/dead_units", column="nothing").items


def test_hostile_layer_names_are_treated_as_names(client: Client) -> None:
    assert _measurements(client, tag=f"cnndiag/dead_units/{HOSTILE}").total == 40


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("measurements", 400, "'run' is missing"),
        ("measurements?run=run/cnndiag", 400, "'tag' is missing"),
        ("measurements?run=run/cnndiag&tag=cnndiag/dead_units&max=x", 400, "max='x'"),
        ("measurements?run=run/cnndiag&tag=cnndiag/dead_units&max=0", 400, "max='0'"),
        ("measurements?run=nobody&tag=cnndiag/dead_units", 404, "No data for run 'nobody'"),
        ("measurements?run=run/cnndiag&tag=dead_ratio/conv", 404, "No data"),
        ("static/nothing.js", 404, "not a file of the frontend"),
        ("static/../plugin.py", 404, ""),
        ("static/%2e%2e/plugin.py", 404, ""),
        ("static/..%2f..%2fplugin.py", 404, ""),
        ("static/plugin.py", 404, ""),
    ],
)
def test_error_responses_say_what_is_wrong(client: Client, path: str, status: int, message: str) -> None:
    answer = client.get(f"/data/plugin/cnndiag/{path}")
    assert answer.status_code == status
    assert message in answer.get_data(as_text=True)
    assert "def " not in answer.get_data(as_text=True)


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_only_get_is_allowed(client: Client, method: str) -> None:
    assert getattr(client, method)("/data/plugin/cnndiag/runs").status_code == 400


def test_the_frontend_is_served(client: Client) -> None:
    answer = client.get("/data/plugin/cnndiag/static/index.js")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "no-cache" in answer.headers["Cache-Control"]


def test_run_names_and_ids_are_converted() -> None:
    assert run_name("a/b/cnndiag") == "a/b"
    assert run_name("cnndiag") == "."
    assert run_name("elsewhere") == "elsewhere"
    assert [run_name(run_id(name)) for name in (".", "a", "a/b")] == [".", "a", "a/b"]


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 99])
def test_thinning_keeps_the_first_and_last_message(limit: int) -> None:
    messages = [bytes([i]) for i in range(10)]
    kept = thinned(messages, limit)
    assert len(kept) == min(limit, 10)
    assert kept[-1] == messages[-1]
    assert limit == 1 or kept[0] == messages[0]
    assert kept == sorted(set(kept))


def test_sample_counts_set_by_the_user_are_kept() -> None:
    class Flags:
        samples_per_plugin = {"cnndiag": 7}  # noqa: RUF012

    CNNDiagnosticsLoader().fix_flags(Flags())  # type: ignore[arg-type]
    assert Flags.samples_per_plugin == {"cnndiag": 7, "cnndiag_heavy": SAMPLES["cnndiag_heavy"]}


def test_the_loader_imports_nothing_heavy() -> None:
    source = Path(__import__("tb_cnndiag.plugin.loader", fromlist=["x"]).__file__).read_text()
    top = source.split("class ")[0]
    imports = [line for line in top.splitlines() if line.startswith(("import", "from"))]
    assert imports == [
        "from __future__ import annotations",
        "import argparse",
        "from typing import Any",
        "from tensorboard.plugins import base_plugin",
    ]
