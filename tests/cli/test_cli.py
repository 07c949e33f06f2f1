"""The command line on the demo's own log, and on what is no log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tb_cnndiag
from tb_cnndiag.cli import main
from tb_cnndiag.cli.config import KEYS
from tb_cnndiag.cli.options import OF_ONE_CALL, parser
from tb_cnndiag.report.formats import FORMATS
from tb_cnndiag.summaries.storage import event_files


def test_check_names_the_dead_layer_and_passes_the_healthy_run(demo_logdir: Path, capsys: Any) -> None:
    assert main(["check", str(demo_logdir / "healthy")]) == 0
    assert "nothing found" in capsys.readouterr().out
    assert main(["check", str(demo_logdir)]) == 1
    out = capsys.readouterr().out
    assert "All 32 units of conv2 are dead" in out
    assert "because of: Dead units in conv2" in out
    assert main(["check", str(demo_logdir), "--fail-on", "never"]) == 0


def test_json_reports_the_same(demo_logdir: Path, capsys: Any) -> None:
    assert main(["check", str(demo_logdir), "--format", "json"]) == 1
    reported = json.loads(capsys.readouterr().out)
    assert reported["runs"] == 2
    first = reported["findings"][0]
    assert (first["run"], first["fault"], first["layer"], first["severity"]) == (
        "faulty",
        "dead_units",
        "conv2",
        "error",
    )
    assert first["units"] == list(range(32))
    assert first["caused_by"] is None
    assert reported["findings"][1]["caused_by"] == {"fault": "dead_units", "layer": "conv2"}


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
    from tb_cnndiag.judging.judge import judge
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


def test_list_and_explain_print_every_fault(capsys: Any) -> None:
    from tb_cnndiag.judging.faults import BUILTIN

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
    reported = capsys.readouterr()
    assert "conv2" in reported.out
    assert "cut in the middle" in reported.err


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


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a pyproject.toml of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_several_formats_at_once_each_to_its_file(demo_logdir: Path, in_tmp: Path, capsys: Any) -> None:
    formats = {"junit": "out/j.xml", "text": "-", "sarif": "out/s.sarif", "markdown": "out/m.md", "github": "out/g"}
    flags = [flag for name, path in formats.items() for flag in ("--format", name, "-o", path)]
    assert main(["check", str(demo_logdir), *flags]) == 1
    assert "All 32 units of conv2 are dead" in capsys.readouterr().out
    assert Path("out/j.xml").read_text(encoding="utf-8").startswith("<?xml")
    assert json.loads(Path("out/s.sarif").read_text())["version"] == "2.1.0"
    assert Path("out/m.md").read_text(encoding="utf-8").startswith("## ❌")
    assert Path("out/g").read_text(encoding="utf-8").startswith("::error title=")
    assert main(["check", str(demo_logdir), "-o", "a", "-o", "b"]) == 2
    assert "Give one --format per -o" in capsys.readouterr().err
    assert main(["check", str(demo_logdir), "-o", str(demo_logdir)]) == 2


def test_faults_runs_steps_and_limits_are_chosen(demo_logdir: Path, in_tmp: Path, capsys: Any) -> None:
    def found(*flags: str) -> set[tuple[str, str]]:
        main(["check", str(demo_logdir), "--format", "json", *flags])
        return {(f["run"], f["fault"]) for f in json.loads(capsys.readouterr().out)["findings"]}

    everything = found()
    assert ("faulty", "dead_units") in everything
    assert found("--select", "dead_units") == {("faulty", "dead_units")}
    assert found("--ignore", "dead_units,nan_or_inf") == everything - {("faulty", "dead_units")}
    assert found("--run", "heal*") == set()
    assert found("--run", "heal*", "--run", "faul?y") == everything
    assert ("faulty", "dead_units") not in found(
        "--limit", "dead_units.dead_ratio=1.1", "--limit=dead_units.dense_ratio=1.1"
    )
    main(["check", str(demo_logdir), "--format", "json", "--step", ":200"])
    assert {run["last_step"] for run in json.loads(capsys.readouterr().out)["judged"]} == {189}
    assert main(["check", str(demo_logdir), "--run", "night*"]) == 3
    assert "The runs are: faulty, healthy." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--select", "dead_unit"], "Did you mean 'dead_units'?"),
        (["--ignore", "dead_unit"], "Did you mean 'dead_units'?"),
        (["--limit", "dead_unit.snapshots=3"], "Did you mean 'dead_units'?"),
        (["--limit", "dead_units.snapshot=3"], "Did you mean 'snapshots'?"),
        (["--baseline", "none.json"], "Write it with --update-baseline"),
        (["--update-baseline"], "needs --baseline FILE"),
        (["--config", "none.toml"], "none.toml"),
    ],
)
def test_a_choice_that_means_nothing_exits_with_2(
    flags: list[str], words: str, demo_logdir: Path, in_tmp: Path, capsys: Any
) -> None:
    assert main(["check", str(demo_logdir), *flags]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--limit=dead_units", "--limit=a.b=c", "--step=x", "--step=1:y", "--format=xml"])
def test_flags_that_cannot_be_read_exit_with_2(flag: str, demo_logdir: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["check", str(demo_logdir), flag])
    assert stop.value.code == 2


def test_a_baseline_lets_known_findings_pass_and_reports_new_and_fixed(
    demo_logdir: Path, in_tmp: Path, capsys: Any
) -> None:
    check = ["check", str(demo_logdir), "--baseline", "known.json"]
    assert main([*check, "--update-baseline"]) == 0
    written = Path("known.json").read_text()
    known = json.loads(written)
    assert known["version"] == 1
    assert {"run": "faulty", "fault": "dead_units", "layer": "conv2", "severity": "error"} in known["findings"]
    capsys.readouterr()
    assert main(check) == 0
    count = len(known["findings"])
    assert f"0 new, {count} known, 0 fixed" in capsys.readouterr().out

    known["findings"] = [f for f in known["findings"] if f["layer"] != "conv2"]
    known["findings"].append({"run": "healthy", "fault": "dead_units", "layer": "conv1", "severity": "error"})
    known["findings"].append({"run": "gone", "fault": "dead_units", "layer": "conv1", "severity": "error"})
    Path("known.json").write_text(json.dumps(known))
    assert main(check) == 1
    reported = capsys.readouterr().out
    assert f"1 new, {count - 1} known, 1 fixed" in reported
    assert "fixed: dead_units in conv1 of healthy" in reported

    # A check of one run leaves what is known of others.
    assert main([*check, "--run", "healthy", "--update-baseline"]) == 0
    again = json.loads(Path("known.json").read_text())["findings"]
    assert {f["run"] for f in again} == {"faulty", "gone"}

    Path("known.json").write_text('{"version": 1, "findings": [{"run": 3}]}')
    assert main(check) == 2
    Path("known.json").write_text("[]")
    assert main(check) == 2


def test_a_known_finding_that_becomes_worse_is_new(demo_logdir: Path, in_tmp: Path) -> None:
    check = ["check", str(demo_logdir), "--baseline", "known.json"]
    main([*check, "--update-baseline"])
    known = Path("known.json").read_text()
    Path("known.json").write_text(known.replace('"error"', '"warning"'))
    assert main(check) == 1


def test_pyproject_is_read_and_flags_win(demo_logdir: Path, in_tmp: Path, capsys: Any) -> None:
    table = '[tool.tb_cnndiag]\nfail-on = "never"\nselect = ["dead_units"]\nlimits.dead_units.dead_ratio = 0.3\n'
    Path("pyproject.toml").write_text(table)
    check = ["check", str(demo_logdir), "--format", "json"]
    assert main(check) == 0
    reported = json.loads(capsys.readouterr().out)
    assert {f["fault"] for f in reported["findings"]} == {"dead_units"}
    assert reported["findings"][0]["evidence"]["dead_ratio"]["limit"] == 0.3
    assert main([*check, "--fail-on", "error", "--limit", "dead_units.dead_ratio=0.2"]) == 1
    reported = json.loads(capsys.readouterr().out)
    assert reported["findings"][0]["evidence"]["dead_ratio"]["limit"] == 0.2
    assert main([*check, "--select", "overfitting"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('fail_on = "error"', "Did you mean 'fail-on'?"),
        ('fail-on = "warn"', "Did you mean 'warning'?"),
        ('select = ["dead_unit"]', "Did you mean 'dead_units'?"),
        ('select = "dead_units"', "a list of faults"),
        ("limits.dead_units.snapshots = true", "expected a number"),
        ("limits.dead_units = 3", "a table of tables"),
        ("limits.dead_units.snapshot = 3", "Did you mean 'snapshots'?"),
        ("limits = [", "pyproject.toml"),
        ('run = "night*"', "a list of patterns of run names"),
        ('step = "x"', "e.g. 100:2000"),
        ("step = 3", "a string, e.g. '100:2000'"),
        ("baseline = 3", "expected the name of a file"),
        ('max-increase = "dead_ratio"', "must be a table"),
        ('max-increase.dead_ratio = "x"', "expected a number"),
        ("max-size = 0", "a positive number of MB"),
        ('max-sise = "3"', "Did you mean 'max-size'?"),
    ],
)
def test_a_table_that_means_nothing_exits_with_2(
    table: str, words: str, demo_logdir: Path, in_tmp: Path, capsys: Any
) -> None:
    Path("pyproject.toml").write_text(f"[tool.tb_cnndiag]\n{table}\n")
    assert main(["check", str(demo_logdir)]) == 2
    assert words in capsys.readouterr().err


def test_each_flag_has_a_key_and_each_key_a_flag() -> None:
    commands = next(action for action in parser()._actions if isinstance(action.choices, dict)).choices
    assert commands
    flags = {
        flag.removeprefix("--")
        for name in ("check", "compare", "report")
        for action in commands[name]._actions
        for flag in action.option_strings
        if flag.startswith("--")
    }
    assert flags - set(OF_ONE_CALL) == {"limit" if key == "limits" else key for key in KEYS}
    assert set(OF_ONE_CALL) <= flags


def test_runs_steps_and_baseline_of_pyproject(demo_logdir: Path, in_tmp: Path, capsys: Any) -> None:
    (in_tmp / "sub").mkdir()
    check = ["check", str(demo_logdir), "--format", "json"]

    def reported(table: str, *flags: str) -> tuple[int, Any]:
        Path("pyproject.toml").write_text(f"[tool.tb_cnndiag]\n{table}\n")
        code = main([*check, *flags])
        return code, json.loads(capsys.readouterr().out or "null")

    code, found = reported('run = ["heal*"]\nstep = ":200"')
    assert code == 0
    assert [(run["run"], run["last_step"]) for run in found["judged"]] == [("healthy", 189)]
    code, found = reported('run = ["heal*"]\nstep = ":200"', "--run", "faulty", "--step", "100:")
    assert code == 1
    assert [(run["run"], run["last_step"]) for run in found["judged"]] == [("faulty", 630)]
    assert reported('baseline = "sub/known.json"')[0] == 2
    assert reported('baseline = "sub/known.json"', "--update-baseline")[0] == 0
    code, found = reported('baseline = "sub/known.json"')
    assert code == 0
    assert {f["status"] for f in found["findings"]} == {"known"}
    # It lies where the file says, wherever one stands.
    os.chdir("sub")
    assert main(check) == 0
    os.chdir(in_tmp)
    capsys.readouterr()
    Path("none.json").write_text('{"version": 1, "findings": []}')
    assert reported('baseline = "sub/known.json"', "--baseline", "none.json")[0] == 1


def test_bounds_and_size_of_pyproject(demo_logdir: Path, in_tmp: Path, capsys: Any) -> None:
    compared = ["compare", str(demo_logdir / "healthy"), str(demo_logdir / "faulty"), "--select", "overfitting"]
    assert main(compared) == 0
    Path("pyproject.toml").write_text("[tool.tb_cnndiag]\nmax-increase.dead_ratio = 0.05\nmax-size = 0.001\n")
    assert main(compared) == 1
    assert "Dead ratio of conv2 went from" in capsys.readouterr().out
    assert main([*compared, "--max-increase", "dead_ratio=1"]) == 0
    Path("pyproject.toml").write_text("[tool.tb_cnndiag]\nmax-decrease.accuracy = 0.05\n")
    assert main(compared) == 1
    Path("pyproject.toml").write_text("[tool.tb_cnndiag]\nmax-size = 0.001\n")
    assert main(["report", str(demo_logdir)]) == 2
    assert "Nothing fits into 0.001 MB" in capsys.readouterr().err
    assert main(["report", str(demo_logdir), "--max-size", "5"]) == 0


def test_several_logdirs_are_distinguished(demo_logdir: Path, in_tmp: Path, capsys: Any) -> None:
    both = [str(demo_logdir / "faulty"), str(demo_logdir / "healthy")]
    assert main(["check", *both]) == 1
    out = capsys.readouterr().out
    assert f"{both[0]}: 5 layers" in out
    assert f"{both[1]}: 5 layers" in out


def test_compare_reports_regressions_and_new_findings(demo_logdir: Path, in_tmp: Path, capsys: Any) -> None:
    healthy, faulty = str(demo_logdir / "healthy"), str(demo_logdir / "faulty")
    bounds = ["--max-increase", "dead_ratio=0.05", "--max-decrease", "training_curve.accuracy=0.1"]
    assert main(["compare", healthy, healthy, *bounds]) == 0
    assert main(["compare", faulty, faulty, *bounds]) == 0
    assert "0 new" in capsys.readouterr().out
    assert main(["compare", healthy, faulty]) == 1
    assert main(["compare", faulty, healthy, *bounds]) == 0
    assert "fixed: dead_units in conv2" in capsys.readouterr().out
    reported = {}
    for name in FORMATS:
        assert main(["compare", healthy, faulty, *bounds, "--format", name]) == 1
        reported[name] = capsys.readouterr().out
        assert "Dead ratio of conv2 went from" in reported[name].replace("\\", "")
    findings = json.loads(reported["json"])["findings"]
    moved = [f for f in findings if f["fault"] == "dead_units_dead_ratio_increase"]
    assert [f["layer"] for f in moved] == ["conv2", "conv3", "hidden", "digits"]
    assert moved[0]["evidence"]["increase"] == {"value": 1.0, "limit": 0.05, "unit": "share"}
    assert [f["layer"] for f in findings if f["fault"] == "training_curve_accuracy_decrease"] == [None]
    assert all(f["status"] == "new" for f in findings)
    rules = json.loads(reported["sarif"])["runs"][0]["tool"]["driver"]["rules"]
    assert "dead_units_dead_ratio_increase" in {rule["id"] for rule in rules}


def test_compare_matches_runs_by_name(demo_logdir: Path, in_tmp: Path, capsys: Any) -> None:
    assert main(["compare", str(demo_logdir), str(demo_logdir), "--max-increase", "loss=0"]) == 0
    out = capsys.readouterr().out
    assert "healthy: 5 layers" in out
    assert "0 new" in out


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--max-increase", "dead_rato=1"], 2, "Did you mean 'dead_ratio'?"),
        (["--run", "night*"], 3, "No run below"),
        (["--select", "dead_unit"], 2, "Did you mean"),
    ],
)
def test_compare_says_what_it_cannot_do(
    flags: list[str], code: int, words: str, demo_logdir: Path, in_tmp: Path, capsys: Any
) -> None:
    assert main(["compare", str(demo_logdir), str(demo_logdir), *flags]) == code
    assert words in capsys.readouterr().err


def test_assert_healthy(demo_logdir: Path, tmp_path: Path) -> None:
    tb_cnndiag.assert_healthy(demo_logdir / "healthy")
    tb_cnndiag.assert_healthy(demo_logdir, runs=["healthy"])
    with pytest.raises(AssertionError, match="All 32 units of conv2 are dead"):
        tb_cnndiag.assert_healthy(demo_logdir)
    with pytest.raises(ValueError, match="allowed: error, warning, never"):
        tb_cnndiag.assert_healthy(demo_logdir, "errors")
    with pytest.raises(LookupError, match="has no diagnostics"):
        tb_cnndiag.assert_healthy(tmp_path)
    known = tmp_path / "known.json"
    main(["check", str(demo_logdir), "--baseline", str(known), "--update-baseline"])
    tb_cnndiag.assert_healthy(demo_logdir, baseline=known)


@pytest.mark.parametrize(("command", "code"), [("list", 0), ("check", 1)])
def test_a_reader_that_closes_the_pipe_ends_it_quietly(command: str, code: int, demo_logdir: Path) -> None:
    """As in ``tb-cnndiag list | head -1``; a check still fails."""
    arguments = [sys.executable, "-m", "tb_cnndiag.cli", command, *([str(demo_logdir)] if command == "check" else [])]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(60) == code
