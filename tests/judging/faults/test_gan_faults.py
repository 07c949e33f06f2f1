"""Faults of GANs: on handmade histories and in real trainings."""

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


def _gan(
    diversity: Sequence[float], loss: Sequence[float], gradient: Sequence[float] | None = None, name: str = "d_loss"
) -> History:
    rows = {
        "model_output.diversity": [[NAN, made, NAN, 0.1] for made in diversity],
        "model_input.diversity": [[1.0, NAN, 0.5, NAN] for _ in diversity],
        "gradient_flow.gradient_norm": [[norm, norm, 1.0, 1.0] for norm in gradient or [1.0] * len(diversity)],
    }
    return history(rows, info=GAN, scalars={name: list(loss), "g_loss": [1.0] * len(loss)})


def _found(fault: str, run: History) -> list[Finding]:
    return [finding for finding in judge(run) if finding.fault == fault]


LEVEL = [1.4, 1.3, 1.2, 1.3, 1.2, 1.3]


def test_images_that_become_identical() -> None:
    (finding,) = _found("mode_collapse", _gan([0.01, 0.2, 0.3, 0.02, 0.01, 0.01], LEVEL))
    assert (finding.layer, finding.severity, finding.first_step) == ("generator/image", "error", 30)
    assert finding.evidence["diversity_ratio"].value == pytest.approx(0.02)
    assert finding.evidence["largest_ratio"].value == pytest.approx(0.6)


@pytest.mark.parametrize(
    "diversity",
    [
        [0.01, 0.01, 0.01, 0.02, 0.02, 0.02],  # not yet diverse
        [0.01, 0.2, 0.3, 0.3, 0.02, 0.01],  # two snapshots only
        [0.01, 0.2, 0.3, 0.02, 0.01, 0.15],  # the diversity has come back
    ],
)
def test_images_that_may_still_become_diverse(diversity: list[float]) -> None:
    assert not _found("mode_collapse", _gan(diversity, LEVEL))


def test_images_that_never_differed() -> None:
    assert _found("mode_collapse", _gan([0.01] * 11, [1.3] * 11))


@pytest.mark.parametrize("name", ["d_loss", "disc_loss", "discriminator_loss", "loss_d"])
def test_a_discriminator_that_is_always_right(name: str) -> None:
    (finding,) = _found("discriminator_overpowers", _gan([0.3] * 5, [1.4, 0.9, 0.05, 0.02, 0.01], name=name))
    assert (finding.severity, finding.first_step) == ("warning", 20)
    fading = _gan([0.3] * 5, [1.4, 0.9, 0.05, 0.02, 0.01], [1.0, 1.0, 0.1, 0.01, 0.001], name)
    assert _found("discriminator_overpowers", fading)[0].severity == "error"


@pytest.mark.parametrize("loss", [[1.4, 0.9, 0.05, 0.02, 0.3], [1.4, -3.0, -5.0, -6.0, -7.0], [1.4] * 5])
def test_a_discriminator_that_can_be_wrong(loss: list[float]) -> None:
    assert not _found("discriminator_overpowers", _gan([0.3] * 5, loss))


def test_a_classifier_is_not_a_gan() -> None:
    run = history({"model_output.diversity": [[NAN] * 4] * 12}, scalars={"d_loss": [0.0] * 12})
    assert not _found("discriminator_overpowers", run)
    assert not _found("mode_collapse", run)


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
