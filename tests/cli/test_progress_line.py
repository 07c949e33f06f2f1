"""The line that shows how far reading has come: on a terminal, after a while, and gone at the end."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import warnings
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from tb_cnndiag.cli import main
from tb_cnndiag.cli import progress_line as progress
from tb_cnndiag.summaries.storage import event_files

SLOW = """
import sys, time
from tb_cnndiag.cli import progress_line as progress
from tb_cnndiag.cli import main
progress.PATIENCE = float(sys.argv[1])
sys.exit(main(sys.argv[2:]))
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _run(*arguments: str, stream: Terminal | None = None) -> tuple[int, str]:
    """(exit code, what the terminal got)."""
    terminal = stream or Terminal()
    with redirect_stderr(terminal):
        return main(arguments), terminal.getvalue()


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", ["check", "report", "export"])
def test_the_line_reports_file_and_size_and_is_wiped_away(command: str, demo_logdir: Path) -> None:
    (file,) = event_files(demo_logdir / "faulty" / "cnndiag")
    code, reported = _run(command, str(demo_logdir))
    assert code in (0, 1)
    assert "MB of " in reported
    assert file.name in reported  # type: ignore[union-attr]
    assert reported.endswith("\r\x1b[K")
    assert "\n" not in reported
    assert all(len(line) <= progress.WIDTH + 20 for line in reported.split("\r"))


def test_a_warning_gets_a_line_of_its_own(demo_logdir: Path, tmp_path: Path) -> None:
    (file,) = event_files(demo_logdir / "faulty" / "cnndiag")
    cut = tmp_path / "cut" / "cnndiag" / "events.out.tfevents.1"
    cut.parent.mkdir(parents=True)
    cut.write_bytes(Path(file).read_bytes()[:-9])
    with warnings.catch_warnings():
        code, reported = _run("check", str(tmp_path / "cut"))
    assert code == 1
    assert "\r\x1b[Kwarning: " in reported


@pytest.mark.parametrize("why", ["--quiet", "CI", "no terminal", "soon done"])
def test_there_is_none(why: str, demo_logdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    if why == "CI":
        monkeypatch.setenv("CI", "true")
    if why == "no terminal":
        monkeypatch.setattr(terminal, "isatty", lambda: False)
    if why == "soon done":
        monkeypatch.setattr(progress, "PATIENCE", 3600.0)
    quiet = ["--quiet"] if why == "--quiet" else []
    assert _run("check", str(demo_logdir), *quiet, stream=terminal) == (1, "")


@pytest.mark.parametrize(("patience", "shown"), [("0", True), ("3600", False)])
def test_on_a_real_terminal(patience: str, shown: bool, demo_logdir: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-c", SLOW, patience, "check", str(demo_logdir)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, check=False, cwd=tmp_path)
    os.close(theirs)
    reported = b""
    try:
        while part := os.read(ours, 1 << 16):
            reported += part
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert done.returncode == 1
    assert b"dead_units" in done.stdout
    assert (b"reading " in reported) == shown
