"""Trainings on many devices are unchanged, write one log, and measure the same as on one device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tb_cnndiag.history import History
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.summaries.storage import event_files

ROOT = Path(__file__).parents[2]
BACKEND = keras.backend.backend()
COLUMNS = (
    ("gradient_flow", "gradient_norm"),
    ("update_ratio", "update_ratio"),
    ("dead_units", "dead_ratio"),
    ("activation_density", "rms"),
    ("weight_health", "rms"),
)


def _start(script: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"tests.backends.{script}", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True)


def _history(log_dir: Path) -> History:
    assert len(event_files(log_dir / "cnndiag")) == 1
    return History.of(read_run(log_dir / "cnndiag"))


def _assert_alike(one: History, other: History) -> None:
    for diagnostic, column in COLUMNS:
        expected, seen = one.series(diagnostic, column), other.series(diagnostic, column)
        assert expected.steps.tolist() == seen.steps.tolist()
        assert np.isfinite(expected.values).any()
        np.testing.assert_allclose(seen.values, expected.values, rtol=1e-3, atol=1e-6)


@pytest.mark.skipif(BACKEND != "jax", reason="devices of JAX")
def test_data_and_model_parallel_trainings_of_jax(tmp_path: Path) -> None:
    process = _start("devices_jax", tmp_path, XLA_FLAGS="--xla_force_host_platform_device_count=8")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-2000:]
    for kind in ("data", "model"):
        _assert_alike(_history(tmp_path / "one"), _history(tmp_path / kind))


@pytest.mark.skipif(BACKEND != "torch", reason="processes of torch")
def test_two_processes_of_torch(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    runs = [("one", 0, 1), ("two", 0, 2), ("two", 1, 2)]
    processes = [_start("devices_torch", tmp_path / name, rank, count) for name, rank, count in runs]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors[-2000:]
    _assert_alike(_history(tmp_path / "one" / "log"), _history(tmp_path / "two" / "log"))


@pytest.mark.skipif(BACKEND != "torch", reason="processes of torch")
def test_a_worker_that_dies_leaves_a_log_that_opens(tmp_path: Path) -> None:
    processes = [_start("devices_torch", tmp_path, rank, 2, DIES_AT="4") for rank in (0, 1)]
    for process in processes:
        process.communicate(timeout=120)
    assert processes[1].returncode == 3
    assert _history(tmp_path / "log").series("gradient_flow", "gradient_norm").steps.tolist()[0] == 2
