"""Faults of two networks that play against each other: on histories made by hand, and on real games."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judge import judge
from tb_cnndiag.payloads import LayerInfo
from tests.faults.test_faults import INFO, history

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


def _play(log_dir: Path, rng: np.random.Generator, *, generator_rate: float, discriminator_rate: float) -> Any:
    """Bright squares anywhere on a dark ground are real."""
    keras.utils.set_random_seed(1)
    real = np.full((256, 12, 12, 1), -0.9, np.float32)
    for image, (row, column) in zip(real, rng.integers(0, 8, (256, 2)), strict=True):
        image[row : row + 4, column : column + 4] = 0.9
    g = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(3 * 3 * 16, activation="relu"),
            layers.Reshape((3, 3, 16)),
            layers.Conv2DTranspose(16, 4, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh", name="image"),
        ]
    )
    d = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(16, 4, strides=2, padding="same", activation="leaky_relu"),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    optimizers = keras.optimizers.Adam(generator_rate, 0.5), keras.optimizers.Adam(discriminator_rate, 0.5)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def train(images: Any, noise: Any) -> dict[str, Any]:
        with tf.GradientTape(persistent=True) as tape:
            on_real, on_fake = d(images), d(g(noise))
            d_loss = loss(tf.ones_like(on_real), on_real) + loss(tf.zeros_like(on_fake), on_fake)
            g_loss = loss(tf.ones_like(on_fake), on_fake)
        for optimizer, model, own in zip(optimizers, (g, d), (g_loss, d_loss), strict=True):
            optimizer.apply(tape.gradient(own, model.trainable_variables), model.trainable_variables)
        return {"d_loss": d_loss, "g_loss": g_loss}

    probe = {"generator": rng.normal(size=(64, 8)).astype(np.float32), "discriminator": real[:64]}
    diagnostics = CNNDiagnostics(log_dir, probe=probe, update_freq=25, verbose=0, images=False)
    with diagnostics.watch(generator=g, discriminator=d, optimizers=list(optimizers)) as look:
        for _ in range(250):
            look.step(train(real[rng.integers(0, 256, 32)], rng.normal(size=(32, 8)).astype(np.float32)))
    made = g.predict(rng.normal(size=(256, 8)).astype(np.float32), verbose=0)
    return {finding.fault for finding in diagnostics.findings}, made.std(axis=0).mean() / real.std(axis=0).mean()


def test_a_generator_that_hardly_moves_is_overpowered(tmp_path: Path, rng: np.random.Generator) -> None:
    found, _ = _play(tmp_path, rng, generator_rate=1e-6, discriminator_rate=3e-3)
    assert "discriminator_overpowers" in found


def test_a_generator_that_moves_far_too_fast_collapses(tmp_path: Path, rng: np.random.Generator) -> None:
    found, diversity = _play(tmp_path, rng, generator_rate=0.05, discriminator_rate=1e-3)
    assert diversity < 0.01, "the case does not show what it is for"
    assert "mode_collapse" in found


def test_an_even_game(tmp_path: Path, rng: np.random.Generator) -> None:
    found, diversity = _play(tmp_path, rng, generator_rate=2e-4, discriminator_rate=2e-4)
    assert diversity > 0.1
    assert not found & {"mode_collapse", "discriminator_overpowers"}
