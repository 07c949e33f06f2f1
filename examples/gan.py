"""A small DCGAN on the 100 real faces that scikit-image ships, trained by a hand-written loop.

Run ``python examples/gan.py``, then ``tensorboard --logdir logs``. Needs scikit-image: the faces are its
``lfw_subset``, 25 × 25 pixels.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from skimage.data import lfw_subset

from tb_cnndiag import CNNDiagnostics

LOG_DIR = "logs/gan"
LATENT = 32
STEPS = 200
BATCH = 32


def generator() -> Any:
    return keras.Sequential(
        [
            keras.Input((LATENT,)),
            layers.Dense(6 * 6 * 32, activation="relu", name="project"),
            layers.Reshape((6, 6, 32)),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False, name="up_12"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(16, 4, strides=2, padding="same", activation="relu", name="up_24"),
            layers.Conv2D(1, 3, padding="same", activation="tanh", name="face"),
        ],
        name="generator",
    )


def discriminator() -> Any:
    return keras.Sequential(
        [
            keras.Input((24, 24, 1)),
            layers.Conv2D(16, 4, strides=2, padding="same", activation="leaky_relu", name="down_12"),
            layers.Conv2D(32, 4, strides=2, padding="same", activation="leaky_relu", name="down_6"),
            layers.Flatten(),
            layers.Dense(1, name="real"),
        ],
        name="discriminator",
    )


def main(steps: int = STEPS, log_dir: str = LOG_DIR) -> None:
    """Train both parts and look at both."""
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    faces = (lfw_subset()[:100, :24, :24, None] * 2 - 1).astype("float32")
    g, d = generator(), discriminator()
    g_optimizer, d_optimizer = (keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def train(real: Any, noise: Any) -> dict[str, Any]:
        with tf.GradientTape(persistent=True) as tape:
            fake = g(noise, training=True)
            on_real, on_fake = d(real, training=True), d(fake, training=True)
            d_loss = loss(tf.ones_like(on_real), on_real) + loss(tf.zeros_like(on_fake), on_fake)
            g_loss = loss(tf.ones_like(on_fake), on_fake)
        d_optimizer.apply(tape.gradient(d_loss, d.trainable_variables), d.trainable_variables)
        g_optimizer.apply(tape.gradient(g_loss, g.trainable_variables), g.trainable_variables)
        return {"d_loss": d_loss, "g_loss": g_loss}

    probe = {"generator": rng.normal(size=(64, LATENT)).astype("float32"), "discriminator": faces[:64]}
    diagnostics = CNNDiagnostics(log_dir, probe=probe, update_freq=50)
    with diagnostics.watch(generator=g, discriminator=d, optimizers=[g_optimizer, d_optimizer]) as snapshot:
        for _ in range(steps):
            real = faces[rng.choice(len(faces), BATCH)]
            snapshot.step(train(real, rng.normal(size=(BATCH, LATENT)).astype("float32")))
    for finding in diagnostics.findings:
        print(f"{finding.severity}: {finding.message}")


if __name__ == "__main__":
    main()
