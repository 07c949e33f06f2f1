"""Fixtures that all tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Diagnostics cost nothing, so that what a snapshot holds does not depend on the load of the machine."""
    monkeypatch.setattr("tb_cnndiag.recording.budget.clock", lambda: 0.0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20_201_124)


@pytest.fixture(scope="session")
def demo_logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log that the command ``tb-cnndiag demo`` writes."""
    logdir = tmp_path_factory.mktemp("demo") / "logs"
    command = [sys.executable, "-m", "tb_cnndiag.cli", "demo", str(logdir), "--no-serve"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return logdir
