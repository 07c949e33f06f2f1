"""The training is checked by pytest, as any other code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tb_cnndiag

TRAIN = Path(__file__).parents[1] / "train.py"


@pytest.fixture(scope="module")
def log_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logs")
    subprocess.run([sys.executable, TRAIN, path], check=True)
    return path


def test_the_training_is_healthy(log_dir: Path) -> None:
    tb_cnndiag.assert_healthy(log_dir)


def test_no_layer_dies_at_all(log_dir: Path) -> None:
    tb_cnndiag.assert_healthy(
        log_dir, fail_on="warning", select=["dead_units"], limits={"dead_units": {"dead_ratio": 0.2}}
    )
