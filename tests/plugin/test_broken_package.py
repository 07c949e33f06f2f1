"""TensorBoard starts and serves its other tabs even if this package is broken."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import tb_cnndiag
from tb_cnndiag.summaries.writer import SnapshotWriter
from tests.summaries.test_event_files import _snapshot

PACKAGE = Path(tb_cnndiag.__file__).parent


def _prepend(path: str, line: str) -> Callable[[Path], None]:
    def break_it(package: Path) -> None:
        file = package / path
        text = file.read_text(encoding="utf-8")
        future = "from __future__ import annotations\n"
        file.write_text(text.replace(future, f"{future}\n{line}\n", 1) if future in text else f"{line}\n{text}")

    return break_it


def _replace(path: str, old: str, new: str) -> Callable[[Path], None]:
    def break_it(package: Path) -> None:
        file = package / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    return break_it


BROKEN: dict[str, Callable[[Path], None]] = {
    "protobuf rejects the generated code": _prepend(
        "summaries/cnndiag_pb2.py", "raise TypeError('Descriptors cannot be created directly.')"
    ),
    "a module has a syntax error": _prepend("plugin/plugin.py", "def broken(:"),
    "the plugin cannot be created": _replace(
        "plugin/plugin.py",
        "self._data: provider",
        "raise RuntimeError('broken on purpose')\n        self._data: provider",
    ),
    "load fails": _replace(
        "plugin/loader.py", "        from tb_cnndiag.plugin.plugin", "        1 / 0\n        from x"
    ),
    "the routes cannot be listed": _replace(
        "plugin/plugin.py", 'return {"/static/*"', 'raise OSError("broken")\n        {"/'
    ),
    "the frontend is missing": lambda package: shutil.rmtree(package / "plugin" / "static"),
}
STILL_LOADED = {"the frontend is missing"}


@contextmanager
def _tensorboard(home: Path, logdir: Path) -> Iterator[tuple[str, Path]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    log = home / "tensorboard.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--port", str(port)],
            env={**os.environ, "PYTHONPATH": str(home)},
            stdout=output,
            stderr=output,
            cwd=home,
        )
        try:
            yield f"http://127.0.0.1:{port}/data", log
        finally:
            process.terminate()
            process.wait()


def _get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return int(response.status), response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def _json_when(url: str, ready: Callable[[Any], bool], log: Path) -> Any:
    deadline = time.monotonic() + 90
    while True:
        try:
            content = json.loads(_get(url)[1])
            if ready(content):
                return content
        except OSError:
            pass
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.3)


@pytest.mark.parametrize("how", BROKEN)
def test_tensorboard_starts_and_serves_its_other_tabs(how: str, tmp_path: Path) -> None:
    writer = SnapshotWriter(tmp_path / "logs" / "run" / "cnndiag")
    writer.write(0, _snapshot(0, 0), {"dead_ratio/conv": 0.5})
    writer.close()
    home = tmp_path / "home"
    shutil.copytree(PACKAGE, home / "tb_cnndiag", ignore=shutil.ignore_patterns("__pycache__"))
    BROKEN[how](home / "tb_cnndiag")
    with _tensorboard(home, tmp_path / "logs") as (url, log):
        tags = _json_when(f"{url}/plugin/scalars/tags", bool, log)
        assert list(tags["run/cnndiag"]) == ["dead_ratio/conv"]
        listing = json.loads(_get(f"{url}/plugins_listing")[1])
        assert listing["scalars"]["enabled"]
        scalars = json.loads(_get(f"{url}/plugin/scalars/scalars?run=run/cnndiag&tag=dead_ratio/conv")[1])
        assert [value for _, _, value in scalars] == [0.5]
        status, body = _get(f"{url}/plugin/cnndiag/runs")
        if how in STILL_LOADED:
            assert status == 200
            status, body = _get(f"{url}/plugin/cnndiag/static/index.js")
            assert b"reinstall" in body
        assert status == 404


def test_an_intact_copy_of_the_package_is_used(tmp_path: Path) -> None:
    """Otherwise the tests above could pass because TensorBoard does not use the copy at all."""
    writer = SnapshotWriter(tmp_path / "logs" / "run" / "cnndiag")
    writer.write(0, _snapshot(0, 0), {})
    writer.close()
    shutil.copytree(PACKAGE, tmp_path / "home" / "tb_cnndiag", ignore=shutil.ignore_patterns("__pycache__"))
    _replace("plugin/plugin.py", '{"runs": self', '{"from": "the copy", "runs": self')(tmp_path / "home" / "tb_cnndiag")
    with _tensorboard(tmp_path / "home", tmp_path / "logs") as (url, log):
        content = _json_when(f"{url}/plugin/cnndiag/runs", lambda content: bool(content["runs"]), log)
        assert content["from"] == "the copy"
