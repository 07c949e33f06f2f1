"""Trainings on digits that end too early: for the moving averages of batch normalizations, or for the loss."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers
from sklearn.datasets import load_digits

from tb_cnndiag import CNNDiagnostics

# Arguments of :func:`train_digits` that show each fault.
UNSETTLED: dict[str, dict[str, float]] = {
    "stale_batch_statistics": {"momentum": 0.99, "epochs": 4, "rate": 3e-3},
    "too_few_epochs": {"momentum": 0.9, "epochs": 5, "rate": 4e-4},
}


def train_digits(log_dir: Path, *, momentum: float, epochs: float, rate: float) -> None:
    """Train six normalized convolutions on 448 digits in batches of 64: 7 steps an epoch."""
    keras.utils.set_random_seed(1)
    digits = load_digits()
    x, y = (digits.images[..., None] / 16).astype("float32"), digits.target
    model = keras.Sequential([keras.Input((8, 8, 1))])
    for number in range(1, 7):
        model.add(layers.Conv2D(32, 3, padding="same", name=f"conv{number}"))
        model.add(layers.BatchNormalization(momentum=momentum))
        model.add(layers.ReLU())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(10, activation="softmax", name="head"))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        x[:448],
        y[:448],
        validation_data=(x[1400:], y[1400:]),
        epochs=int(epochs),
        batch_size=64,
        verbose=0,
        callbacks=[CNNDiagnostics(log_dir, verbose=0)],
    )
