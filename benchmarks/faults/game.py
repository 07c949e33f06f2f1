"""A small game of generator against discriminator, healthy or faulty by its two learning rates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tb_cnndiag import CNNDiagnostics

# (generator's, discriminator's) rate at which a fault shows.
FAULTY = {"mode_collapse": (0.1, 1e-3), "discriminator_overpowers": (1e-6, 3e-3)}


def play(
    log_dir: Path, rng: np.random.Generator, *, generator_rate: float, discriminator_rate: float
) -> tuple[set[str], float]:
    """250 steps, watched: faults found, and diversity of what is made over that of what is real.

    Bright squares anywhere on a dark ground are real.
    """
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
    with diagnostics.watch(generator=g, discriminator=d, optimizers=list(optimizers)) as watching:
        for _ in range(250):
            watching.step(train(real[rng.integers(0, 256, 32)], rng.normal(size=(32, 8)).astype(np.float32)))
    made = g.predict(rng.normal(size=(256, 8)).astype(np.float32), verbose=0)
    diversity = float(made.std(axis=0).mean() / real.std(axis=0).mean())
    return {finding.fault for finding in diagnostics.findings}, diversity
