"""The example of a pipeline, run as far as that goes without the service: its steps, in its order."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "ci_review"


def _steps(workflow: str) -> list[str]:
    """What the workflow runs; its YAML is simple enough to be read by hand."""
    lines = (EXAMPLE / workflow).read_text(encoding="utf-8").splitlines()
    steps: list[str] = []
    for number, line in enumerate(lines):
        words = line.strip().removeprefix("- ")
        if words.startswith("run:"):
            command = words.removeprefix("run:").strip()
            if command == ">":
                block = []
                indent = len(line) - len(line.lstrip())
                for following in lines[number + 1 :]:
                    if len(following) - len(following.lstrip()) <= indent:
                        break
                    block.append(following.strip())
                command = " ".join(block)
            steps.append(command)
    return steps


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "project"))


def _run(project: Path, command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), sysconfig.get_path("scripts"), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "GITHUB_STEP_SUMMARY": str(project / "summary.md")}
    return subprocess.run(
        ["bash", "-ec", command], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("faulty", "code"), [(False, 0), (True, 1)])
def test_the_workflow_passes_a_healthy_training_and_fails_a_faulty_one(faulty: bool, code: int, project: Path) -> None:
    install, train, judge, page = _steps("training-health.yml")
    assert install.startswith("pip install")
    trained = _run(project, train + (" --faulty" if faulty else ""))
    assert trained.returncode == 0, trained.stderr[-2000:]
    judged = _run(project, judge)
    assert judged.returncode == code, judged.stdout + judged.stderr
    assert ("::error title=Dead units" in judged.stdout) == faulty
    assert ("failed" in (project / "summary.md").read_text(encoding="utf-8")) == faulty
    assert json.loads((project / "out" / "findings.json").read_text())["passed"] is not faulty
    assert (project / "out" / "junit.xml").exists()
    assert (project / "out" / "findings.sarif").exists()
    assert _run(project, page).returncode == 0
    assert "<!doctype html>" in (project / "out" / "report.html").read_text(encoding="utf-8")


def test_the_nightly_fails_on_a_regression_and_keeps_its_base(project: Path) -> None:
    install, train, judge, page, keep = _steps("nightly.yml")
    assert install.startswith("pip install")

    def night(train: str) -> int:
        """As the service does it: what fails ends the job, only the page is made always."""
        assert _run(project, f"rm -rf logs/head out && {train}").returncode == 0
        judged = _run(project, judge)
        assert _run(project, page).returncode == 0
        if judged.returncode == 0:
            assert _run(project, keep).returncode == 0
        return judged.returncode

    assert night(train) == 0
    assert not (project / "out" / "comparison.json").exists()  # nothing to compare with
    base = sorted(path.name for path in (project / "logs" / "base" / "cnndiag").iterdir())
    assert night(f"{train} --faulty") == 1
    found = json.loads((project / "out" / "comparison.json").read_text())["findings"]
    assert {f["fault"] for f in found if f["fails"]} >= {"dead_units", "dead_units_dead_ratio_increase"}
    assert sorted(path.name for path in (project / "logs" / "base" / "cnndiag").iterdir()) == base
    assert "Dead units" in (project / "summary.md").read_text(encoding="utf-8")
    assert night(train) == 0
    assert "<!doctype html>" in (project / "out" / "comparison.html").read_text(encoding="utf-8")


def test_the_pytest_example_passes(project: Path) -> None:
    done = _run(project, f"{sys.executable} -m pytest -q tests -p no:cacheprovider -c pyproject.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
