"""The command line on the demo's own log, and on what is no log."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tb_cnndiag
from tb_cnndiag.cli import main
from tb_cnndiag.summaries.writer import event_files


def test_check_names_the_dead_layer_and_passes_the_healthy_run(demo_logdir: Path, capsys: Any) -> None:
    assert main(["check", str(demo_logdir / "healthy")]) == 0
    assert "nothing found" in capsys.readouterr().out
    assert main(["check", str(demo_logdir)]) == 1
    out = capsys.readouterr().out
    assert "conv2: all 32 units never fire" in out
    assert "because of: Dead units in conv2" in out
    assert main(["check", str(demo_logdir), "--fail-on", "never"]) == 0


def test_json_tells_the_same(demo_logdir: Path, capsys: Any) -> None:
    assert main(["check", str(demo_logdir), "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] == 2
    first = told["findings"][0]
    assert (first["run"], first["fault"], first["layer"], first["severity"]) == (
        "faulty",
        "dead_units",
        "conv2",
        "error",
    )
    assert first["units"] == list(range(32))
    assert first["caused_by"] is None
    assert told["findings"][1]["caused_by"] == {"fault": "dead_units", "layer": "conv2"}


def test_diagnose_in_python(demo_logdir: Path) -> None:
    findings = tb_cnndiag.diagnose(demo_logdir)
    assert {finding.run for finding in findings} == {"faulty"}
    first = findings[0]
    assert first.fault == "dead_units"
    assert first.layer == "conv2"
    assert first.evidence["dead_ratio"].value == 1.0
    assert first.first_step == 0
    assert first.adjustments[0].parameter == "bias_initializer"
    assert all(f.caused_by is first for f in findings[1:] if f.fault == "dead_units")
    (alone,) = {f.run for f in tb_cnndiag.diagnose(demo_logdir / "faulty")}
    assert alone == "."


def test_live_findings_are_those_of_the_log(demo_logdir: Path) -> None:
    from tb_cnndiag.history import History
    from tb_cnndiag.judge import judge
    from tb_cnndiag.summaries.reader import read_run

    history = History.of(read_run(demo_logdir / "faulty" / "cnndiag"))
    again = judge(history)
    assert [(f.fault, f.layer, f.severity) for f in history.findings] == [(f.fault, f.layer, f.severity) for f in again]
    assert [dict(f.evidence) for f in history.findings] == [dict(f.evidence) for f in again]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path / "nowhere", "does not exist"),
        (lambda path: _touched(path / "file"), "is a file"),
        (lambda path: path, "has no diagnostics"),
    ],
)
def test_what_is_no_log_exits_with_3(make: Any, words: str, tmp_path: Path, capsys: Any) -> None:
    assert main(["check", str(make(tmp_path))]) == 3
    assert words in capsys.readouterr().err


def _touched(path: Path) -> Path:
    path.touch()
    return path


def test_usage_errors_exit_with_2(capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["check"])
    assert stop.value.code == 2
    assert main(["explain", "dead_unit"]) == 2
    assert "Did you mean 'dead_units'?" in capsys.readouterr().err


def test_list_and_explain_tell_every_fault(capsys: Any) -> None:
    from tb_cnndiag.faults import BUILTIN

    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    for fault in BUILTIN:
        assert f"{fault.id}: {fault.title}." in listed
        assert main(["explain", fault.id]) == 0
        explained = capsys.readouterr().out
        assert "What to do" in explained
        assert all(name in explained for name in fault.limits)


def test_a_log_cut_in_the_middle_is_still_judged(demo_logdir: Path, tmp_path: Path, capsys: Any) -> None:
    (path,) = event_files(demo_logdir / "faulty" / "cnndiag")
    target = tmp_path / "cnndiag" / path.name
    target.parent.mkdir()
    data = path.read_bytes()
    target.write_bytes(data[: len(data) * 2 // 3])
    assert main(["check", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert "conv2" in told.out
    assert "cut in the middle" in told.err


def test_looking_at_logs_needs_no_tensorflow(demo_logdir: Path) -> None:
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "from tb_cnndiag.cli import main\n"
        f"sys.exit(main(['check', {str(demo_logdir)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "conv2" in done.stdout


def test_importing_the_package_imports_neither_keras_nor_tensorflow() -> None:
    code = "import sys, tb_cnndiag, tb_cnndiag.logs; print([m for m in ('keras', 'tensorflow') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
