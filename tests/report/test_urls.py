"""Logs at URLs: in fsspec's memory file system, and on a local S3 server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

import tb_cnndiag
from tb_cnndiag.cli import main
from tb_cnndiag.summaries.reader import find_runs, read_run

fsspec = pytest.importorskip("fsspec", reason="fsspec is an extra: pip install 'tb-cnndiag[remote]'")
BUCKET = "logs"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    pytest.importorskip("s3fs", reason="s3fs is an extra: pip install 'tb-cnndiag[s3]'")
    server = pytest.importorskip("moto.server", reason="the local S3 server: pip install 'moto[s3]' flask flask-cors")
    running = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    # An instance that was made for another server must not be used again.
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    fsspec.filesystem("s3").mkdir(BUCKET)
    yield f"s3://{BUCKET}"
    urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    running.stop()


@pytest.fixture
def memory() -> Iterator[str]:
    yield "memory://logs"
    fsspec.filesystem("memory").store.clear()
    fsspec.filesystem("memory").pseudo_dirs[:] = [""]


@pytest.fixture(params=["memory", "s3"])
def home(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _put(local: Path, url: str) -> str:
    for path in local.rglob("*"):
        if path.is_file():
            _write(f"{url}/{path.relative_to(local).as_posix()}", path.read_bytes())
    return url


def _write(url: str, data: bytes) -> None:
    with fsspec.open(url, "wb") as file:
        file.write(data)


def _output(capsys: Any, *arguments: str) -> tuple[int, Any]:
    code = main([*arguments, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_every_command_reports_the_same_as_of_a_directory(demo_logdir: Path, home: str, capsys: Any) -> None:
    url = _put(demo_logdir, f"{home}/nightly")
    assert {run: str(place) for run, place in find_runs(url).items()} == {
        name: f"{url}/{name}/cnndiag" for name in ("faulty", "healthy")
    }
    code, here = _output(capsys, "check", str(demo_logdir))
    code_there, there = _output(capsys, "check", url)
    assert (code, code_there) == (1, 1)
    assert json.dumps(there).replace(url, "") == json.dumps(here).replace(str(demo_logdir), "")
    assert there["findings"][0]["logdir"] == url

    code, alone = _output(capsys, "check", f"{url}/healthy/")
    assert code == 0
    assert [run["run"] for run in alone["judged"]] == ["."]
    assert main(["check", f"{url}/faulty", f"{url}/healthy"]) == 1
    assert f"{url}/faulty: 5 layers" in capsys.readouterr().out
    assert main(["check", url, "--format", "sarif"]) == 1
    location = json.loads(capsys.readouterr().out)["runs"][0]["results"][0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == f"{url}/faulty/cnndiag"

    code, compared = _output(capsys, "compare", f"{url}/healthy", f"{url}/faulty")
    assert code == 1
    assert compared["findings"][0]["layer"] == "conv2"
    assert main(["report", url, "-o", "report.html"]) == 0
    assert "conv2: all 32 units never fire" in Path("report.html").read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["export", url]) == 0
    exported = capsys.readouterr().out
    assert main(["export", str(demo_logdir)]) == 0
    assert capsys.readouterr().out == exported
    assert len(tb_cnndiag.load(url)) == exported.count("\n") - 1


def test_a_log_that_grows_is_read_as_it_is(demo_logdir: Path, home: str) -> None:
    (file,) = (demo_logdir / "faulty" / "cnndiag").iterdir()
    whole, url = file.read_bytes(), f"{home}/run/cnndiag/{file.name}"
    _write(url, whole[: len(whole) // 2])
    with pytest.warns(UserWarning, match="cut in the middle of a record") as caught:
        begun = {m.step for m in read_run(f"{home}/run/cnndiag")}
    assert len(caught) == 1
    _write(url, whole)
    assert {m.step for m in read_run(f"{home}/run/cnndiag")} > begun
    assert sorted(find_runs(home)) == ["run"]
    _write(f"{home}/run/cnndiag/events.out.tfevents.9999999999.other", b"no event file")
    _write(f"{home}/second/cnndiag/{file.name}", whole)
    with pytest.warns(UserWarning, match="skipped byte 0 on"):
        assert {m.step for m in read_run(f"{home}/run/cnndiag")} > begun
    assert sorted(find_runs(home)) == ["run", "second"]


def test_what_is_no_log_exits_with_3(home: str, capsys: Any) -> None:
    _write(f"{home}/some/file", b"x")
    for url, words in {
        f"{home}/nowhere": "does not exist",
        f"{home}/some/file": "is a file",
        f"{home}/some": "has no diagnostics",
        "nosuchstore://bucket/logs": "nosuchstore",
    }.items():
        assert main(["check", url]) == 3
        reported = capsys.readouterr().err
        assert words in reported
        assert url in reported


def test_a_server_that_cannot_be_reached_is_reported(s3: str, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    assert main(["check", f"{s3}/night"]) == 3
    assert "s3://logs/night" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("missing", "url", "extra"),
    [
        ("fsspec.core", "memory://logs", "remote"),
        ("fsspec.core", "s3://bucket/logs", "s3"),
        ("s3fs", "s3://bucket/logs", "s3"),
        ("gcsfs", "gs://bucket/logs", "gs"),
    ],
)
@pytest.mark.parametrize("command", ["check", "report", "export"])
def test_a_missing_package_is_named_with_its_pip_line(
    command: str, missing: str, url: str, extra: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    for protocol in ("s3", "gs"):  # classes that were imported before
        monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, protocol, raising=False)
    assert main([command, url]) == 3
    assert f"pip install 'tb-cnndiag[{extra}]'" in capsys.readouterr().err
