"""Hostile files: with any bytes, readable data is read and the rest is skipped with a message, in limited time.

CI runs a few inputs per test; ``make nightly`` runs 100,000 inputs in total.
"""

from __future__ import annotations

import json
import resource
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorboard.backend import application
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.data import provider
from tensorboard.plugins import base_plugin
from werkzeug.test import Client

from tb_cnndiag import history
from tb_cnndiag.cli import main
from tb_cnndiag.logs import NoDataError
from tb_cnndiag.payloads import ColumnInfo, DiagnosticInfo, LayerColumns, LayerInfo, RunInfo
from tb_cnndiag.plugin.plugin import MAX_BYTES, CNNDiagnosticsPlugin
from tb_cnndiag.report.export import rows
from tb_cnndiag.report.formats import FORMATS
from tb_cnndiag.report.gate import judge_logs
from tb_cnndiag.report.html import report
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec import CodecError, Measurement, decode, encode
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.summaries.records import frame, read_records
from tb_cnndiag.summaries.storage import event_files, opened
from tb_cnndiag.summaries.writer import SnapshotWriter
from tests.summaries.test_codec import EXAMPLES, GOLDEN

# Most bytes that a test may allocate in addition, and most seconds that an input may take.
MEMORY = 2 << 30
SECONDS = 10
MESSAGES = [(GOLDEN / f"{kind}.bin").read_bytes() for kind in EXAMPLES]


@pytest.fixture(autouse=True)
def _bounded_memory() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def runs(short: int, nightly: int) -> Any:
    return pytest.mark.parametrize("inputs", [short, pytest.param(nightly, marks=pytest.mark.nightly)])


def fuzz(inputs: int, strategy: st.SearchStrategy[Any], target: Callable[[Any], None]) -> None:
    """Run the target on this number of inputs; short runs use the same inputs each time."""

    @settings(
        max_examples=inputs,
        deadline=SECONDS * 1_000,
        derandomize=inputs < 5_000,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(case: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about skipped data
            target(case)

    run()


Edit = tuple[str, float, bytes]
EDITS: st.SearchStrategy[list[Edit]] = st.lists(
    st.tuples(
        st.sampled_from(["set", "set", "insert", "cut", "repeat", "end"]),
        st.floats(0, 1, exclude_max=True),
        st.one_of(
            st.binary(min_size=1, max_size=8),
            st.sampled_from([b"\xff" * 9 + b"\x01", b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x08", b"\0" * 4]),
        ),
    ),
    min_size=1,
    max_size=5,
)


def edited(data: bytes, edits: list[Edit]) -> bytes:
    """The data with bytes set, inserted, removed or repeated, or with the end cut off."""
    changed = bytearray(data)
    for kind, where, new in edits:
        at = int(where * len(changed))
        if kind == "set":
            changed[at : at + len(new)] = new
        elif kind == "insert":
            changed[at:at] = new
        elif kind == "cut":
            del changed[at : at + new[0]]
        elif kind == "repeat":
            changed[at:at] = changed[at : at + 4 * new[0]]
        else:
            del changed[at:]
    return bytes(changed)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An event file with every kind of message, over three snapshots."""
    writer = SnapshotWriter(tmp_path_factory.mktemp("log") / "cnndiag")
    for snapshot in range(3):
        messages = []
        for example in EXAMPLES.values():
            measurement = Measurement(
                example.diagnostic, 10 * snapshot, snapshot, example.payload, example.layer, table=example.table
            )
            messages.append((measurement, encode(measurement)))
        writer.write(10 * snapshot, messages, {"dead_ratio/conv": 0.5})
    writer.close()
    (file,) = event_files(writer.directory)
    return Path(file).read_bytes()


@runs(1_000, 40_000)
def test_the_codec(inputs: int) -> None:
    def target(case: tuple[bytes, list[Edit]]) -> None:
        try:
            measurement = decode(edited(*case))
        except CodecError:
            return
        if measurement is not None:  # a measurement that was read can be written again
            again = decode(encode(measurement))
            assert again is not None
            assert again.diagnostic == measurement.diagnostic

    fuzz(inputs, st.tuples(st.sampled_from(MESSAGES), EDITS), target)


@runs(500, 30_000)
def test_event_files(inputs: int, log: bytes, tmp_path: Path) -> None:
    directory = tmp_path / "cnndiag"
    directory.mkdir()
    file = directory / "events.out.tfevents.1.x"

    def target(edits: list[Edit]) -> None:
        file.write_bytes(edited(log, edits))
        for _ in read_run(directory):
            pass

    fuzz(inputs, EDITS, target)


@pytest.fixture(scope="module")
def records(log: bytes, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    path = tmp_path_factory.mktemp("records") / "log"
    path.write_bytes(log)
    with opened(path) as (file, size):
        return [record for record in read_records(file, size) if isinstance(record, bytes)]


def _with_message(record: bytes, place: int, edits: list[Edit]) -> bytes:
    """The event with one of our messages edited and everything else intact."""
    event = Event.FromString(record)
    ours = [value for value in event.summary.value if value.tensor.string_val]
    if ours:
        value = ours[place % len(ours)].tensor
        value.string_val[0] = edited(value.string_val[0], edits)
    return event.SerializeToString()


@runs(200, 20_000)
def test_intact_records_with_damaged_content_are_judged_and_reported(
    inputs: int, records: list[bytes], tmp_path: Path
) -> None:
    """The checksums are correct, so the damaged content reaches all code that reads a log."""
    directory = tmp_path / "cnndiag"
    directory.mkdir()
    file = directory / "events.out.tfevents.1.x"

    def target(case: tuple[list[tuple[int, int, bool, list[Edit]]], bool]) -> None:
        changes, page = case
        changed = list(records)
        for which, place, whole, edits in changes:
            at = which % len(records)
            changed[at] = edited(records[at], edits) if whole else _with_message(records[at], place, edits)
        file.write_bytes(b"".join(map(frame, changed)))
        try:
            outcome = judge_logs([tmp_path])
            for render in FORMATS.values():
                render(outcome).encode("utf-8", "backslashreplace")
            assert json.loads(FORMATS["json"](outcome))["version"]
            for _ in rows(tmp_path):
                pass
            if page:
                assert report(tmp_path).endswith("</html>\n")
        except NoDataError:  # the layer table was damaged
            pass

    change = st.tuples(st.integers(0, 9), st.integers(0, 30), st.booleans(), EDITS)
    page = st.integers(0, 19).map(lambda n: n == 0)
    fuzz(inputs, st.tuples(st.lists(change, min_size=1, max_size=4), page), target)


class Hostile(provider.DataProvider):
    """A data provider that serves arbitrary messages."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def data_location(self, ctx: Any = None, *, experiment_id: str) -> str:
        return ""

    def list_plugins(self, ctx: Any = None, *, experiment_id: str) -> list[str]:
        return ["cnndiag"]

    def list_runs(self, ctx: Any = None, *, experiment_id: str) -> list[Any]:
        return []

    def _unused(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {}

    list_scalars = read_scalars = read_last_scalars = _unused
    list_blob_sequences = read_blob_sequences = read_blob = _unused

    def list_tensors(self, ctx: Any = None, **kwargs: Any) -> dict[str, Any]:
        series = provider.TensorTimeSeries(
            max_step=1, max_wall_time=1.0, plugin_content=b"", description="", display_name=""
        )
        return {"run/cnndiag": {"cnndiag/x": series, "cnndiag/<b>/..": series, "other": series}}

    def read_tensors(self, ctx: Any = None, **kwargs: Any) -> dict[str, Any]:
        data = [provider.TensorDatum(step=i, wall_time=1.0, numpy=m) for i, m in enumerate(self.messages)]
        return {"run/cnndiag": {"cnndiag/x": data}}


@runs(1_000, 10_000)
def test_routes(inputs: int) -> None:
    """Any method, path and parameters, with damaged messages, give a response with a type, never an exception."""
    log = Hostile()
    plugin = CNNDiagnosticsPlugin(base_plugin.TBContext(data_provider=log, logdir="."))
    client = Client(application.TensorBoardWSGI([plugin], data_provider=log))

    def target(case: Any) -> None:
        method, route, query, messages = case
        log.messages = [np.array(message, dtype=object) for message in messages]
        answer = client.open(f"/data/plugin/cnndiag/{route}", method=method, query_string=query)
        assert answer.status_code in (200, 400, 404, 405), (answer.status_code, answer.get_data(as_text=True))
        body = answer.get_data()
        assert answer.headers["Content-Type"]
        assert b"Traceback" not in body
        assert len(body) <= MAX_BYTES + (1 << 20)
        assert answer.status_code != 200 or method in ("GET", "HEAD")
        if answer.status_code == 200 and method == "GET" and route == "measurements":
            pb.MeasurementList.FromString(body)
        if answer.status_code >= 400 and route in ("runs", "measurements"):
            assert answer.headers["Content-Type"].startswith("text/plain")

    message = st.one_of(
        st.tuples(st.sampled_from(MESSAGES), EDITS).map(lambda case: edited(*case)),
        st.sampled_from([b"", None, 3, encode(Measurement("x", 1, 1, LayerColumns({"c": np.ones(3)})))]),
    )
    words = st.one_of(
        st.sampled_from(["run/cnndiag", "cnndiag/x", "5", "0", "-1", "9" * 400, "dead_ratio", "c", "../..", "\0"]),
        st.text(max_size=20),
    )
    names = st.one_of(st.sampled_from(["run", "tag", "max", "column"]), st.text(max_size=5))
    right = st.tuples(st.sampled_from(["c", "dead_ratio", ""]), words).map(
        lambda pair: {"run": "run/cnndiag", "tag": "cnndiag/x", "column": pair[0]}
    )
    query = st.one_of(right, st.dictionaries(names, words, max_size=5))
    paths = st.one_of(
        st.sampled_from(["runs", "measurements", "measurements", "static/index.js", "static/../plugin.py", "static/"]),
        st.text(max_size=20).map(lambda text: f"static/{quote(text, safe='')}"),
        st.lists(st.sampled_from(["..", "%2e%2e", "%2f", "static", "plugin.py", "\\", "~", "%00"]), max_size=6).map(
            "/".join
        ),
    )
    methods = st.sampled_from(["GET"] * 6 + ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
    fuzz(inputs, st.tuples(methods, paths, query, st.lists(message, max_size=4)), target)


def test_a_small_file_cannot_claim_a_large_layer_table(tmp_path: Path) -> None:
    """A chart of all layers needs layers × snapshots values: a file of 100 MB must not become 40 GB."""
    info = pb.Measurement(run_info=pb.RunInfo(table="t", layers=[pb.LayerInfo(path=str(i)) for i in range(200_000)]))
    info.run_info.diagnostics.add(name="d").columns.add(name="c")
    directory = tmp_path / "cnndiag"
    writer = SnapshotWriter(directory)
    empty = Measurement("d", 0, 0, LayerColumns({"c": np.ones(1)}), table="t")
    writer.write(0, [(empty, info.SerializeToString())], {})
    for snapshot in range(2_000):
        measurement = Measurement("d", snapshot, snapshot, empty.payload, table="t")
        writer.write(snapshot, [(measurement, encode(measurement))], {})
    writer.close()
    with pytest.raises(NoDataError), pytest.warns(UserWarning, match="200,000 layers exceed the limit of 20,000"):
        list(rows(tmp_path))


def test_too_many_snapshots_for_memory_are_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    column = ColumnInfo("c", "C", "share", "A column.")
    info = RunInfo("t", (LayerInfo("a"), LayerInfo("b")), diagnostics=(DiagnosticInfo("d", "D", "It.", (column,)),))
    measurements = [
        Measurement("run_info", 0, 0, info),
        *(Measurement("d", snapshot, snapshot, LayerColumns({"c": np.ones(2)}), table="t") for snapshot in range(3)),
    ]
    writer = SnapshotWriter(tmp_path / "cnndiag")
    for measurement in measurements:
        writer.write(measurement.step, [(measurement, encode(measurement))], {})
    writer.close()
    monkeypatch.chdir(tmp_path)
    assert main(["export", "."]) == 0
    monkeypatch.setattr(history, "MAX_VALUES", 5)
    capsys.readouterr()
    for command in ("export", "report"):
        assert main([command, "."]) == 2
        assert "3 snapshots of 2 layers are too large for memory" in capsys.readouterr().err
