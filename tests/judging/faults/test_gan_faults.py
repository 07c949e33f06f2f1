"""Faults of GANs in real trainings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.faults.game import play


def test_a_generator_that_hardly_learns_is_overpowered(tmp_path: Path, rng: np.random.Generator) -> None:
    found, _ = play(tmp_path, rng, generator_rate=1e-6, discriminator_rate=3e-3)
    assert "discriminator_overpowers" in found


def test_a_generator_of_high_learning_rate_collapses(tmp_path: Path, rng: np.random.Generator) -> None:
    found, diversity = play(tmp_path, rng, generator_rate=0.1, discriminator_rate=1e-3)
    assert diversity < 0.01, "the generator did not collapse"
    assert "mode_collapse" in found


def test_a_balanced_gan(tmp_path: Path, rng: np.random.Generator) -> None:
    found, diversity = play(tmp_path, rng, generator_rate=2e-4, discriminator_rate=2e-4)
    assert diversity > 0.1
    assert not found & {"mode_collapse", "discriminator_overpowers"}
