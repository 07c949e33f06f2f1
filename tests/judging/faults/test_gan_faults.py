"""Faults of two networks that play against each other: on histories made by hand, and on real games."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.faults.game import play
from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.payloads import LayerInfo
from tests.judging.faults.made import INFO, history

NAN = float("nan")
PARTS = (
    LayerInfo("generator/project", "Dense", "dense", units=64, output_shape=(64,), kernel_shape=(8, 64)),
    LayerInfo(
        "generator/image", "Conv2D", "conv", units=1, output_shape=(12, 12, 1), kernel_shape=(3, 3, 16, 1), output=True
    ),
    LayerInfo("discriminator/down", "Conv2D", "conv", units=8, output_shape=(6, 6, 8), kernel_shape=(4, 4, 1, 8)),
    LayerInfo("discriminator/real", "Dense", "dense", units=1, output_shape=(1,), kernel_shape=(9, 1), output=True),
)
GAN = replace(INFO, layers=PARTS, model="generator, discriminator")


def _game(
    diversity: Sequence[float], loss: Sequence[float], gradient: Sequence[float] | None = None, name: str = "d_loss"
) -> History:
    rows = {
        "model_output.diversity": [[NAN, made, NAN, 0.1] for made in diversity],
        "model_input.diversity": [[1.0, NAN, 0.5, NAN] for _ in diversity],
        "gradient_flow.gradient_norm": [[norm, norm, 1.0, 1.0] for norm in gradient or [1.0] * len(diversity)],
    }
    return history(rows, info=GAN, scalars={name: list(loss), "g_loss": [1.0] * len(loss)})


def _found(fault: str, told: History) -> list[Finding]:
    return [finding for finding in judge(told) if finding.fault == fault]


LEVEL = [1.4, 1.3, 1.2, 1.3, 1.2, 1.3]


def test_images_that_have_become_alike() -> None:
    (finding,) = _found("mode_collapse", _game([0.01, 0.2, 0.3, 0.02, 0.01, 0.01], LEVEL))
    assert (finding.layer, finding.severity, finding.first_step) == ("generator/image", "error", 30)
    assert finding.evidence["diversity_ratio"].value == pytest.approx(0.02)
    assert finding.evidence["largest_ratio"].value == pytest.approx(0.6)


@pytest.mark.parametrize(
    "diversity",
    [
        [0.01, 0.01, 0.01, 0.02, 0.02, 0.02],  # not yet diverse
        [0.01, 0.2, 0.3, 0.3, 0.02, 0.01],  # two looks only
        [0.01, 0.2, 0.3, 0.02, 0.01, 0.1],  # it has come back
    ],
)
def test_images_that_may_yet_become_different(diversity: list[float]) -> None:
    assert not _found("mode_collapse", _game(diversity, LEVEL))


def test_images_that_have_never_differed() -> None:
    assert _found("mode_collapse", _game([0.01] * 11, [1.3] * 11))


@pytest.mark.parametrize("name", ["d_loss", "disc_loss", "discriminator_loss", "loss_d"])
def test_a_discriminator_that_is_always_right(name: str) -> None:
    (finding,) = _found("discriminator_overpowers", _game([0.3] * 5, [1.4, 0.9, 0.05, 0.02, 0.01], name=name))
    assert (finding.severity, finding.first_step) == ("warning", 20)
    fading = _game([0.3] * 5, [1.4, 0.9, 0.05, 0.02, 0.01], [1.0, 1.0, 0.1, 0.01, 0.001], name)
    assert _found("discriminator_overpowers", fading)[0].severity == "error"


@pytest.mark.parametrize("loss", [[1.4, 0.9, 0.05, 0.02, 0.3], [1.4, -3.0, -5.0, -6.0, -7.0], [1.4] * 5])
def test_a_discriminator_in_the_game(loss: list[float]) -> None:
    assert not _found("discriminator_overpowers", _game([0.3] * 5, loss))


def test_a_classifier_is_no_game() -> None:
    told = history({"model_output.diversity": [[NAN] * 4] * 12}, scalars={"d_loss": [0.0] * 12})
    assert not _found("discriminator_overpowers", told)
    assert not _found("mode_collapse", told)


def test_a_generator_that_hardly_moves_is_overpowered(tmp_path: Path, rng: np.random.Generator) -> None:
    found, _ = play(tmp_path, rng, generator_rate=1e-6, discriminator_rate=3e-3)
    assert "discriminator_overpowers" in found


def test_a_generator_that_moves_far_too_fast_collapses(tmp_path: Path, rng: np.random.Generator) -> None:
    found, diversity = play(tmp_path, rng, generator_rate=0.05, discriminator_rate=1e-3)
    assert diversity < 0.01, "the case does not show what it is for"
    assert "mode_collapse" in found


def test_an_even_game(tmp_path: Path, rng: np.random.Generator) -> None:
    found, diversity = play(tmp_path, rng, generator_rate=2e-4, discriminator_rate=2e-4)
    assert diversity > 0.1
    assert not found & {"mode_collapse", "discriminator_overpowers"}
