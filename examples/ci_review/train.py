"""A training as a pipeline runs it: small, seeded, logged. Usage: train.py [LOGDIR] [--faulty]."""

from __future__ import annotations

import sys

import keras
import numpy as np

from tb_cnndiag import CNNDiagnostics


def digits() -> tuple[np.ndarray, np.ndarray]:
    """A stand-in for your data: noise, with a bright quadrant for each of four classes."""
    rng = np.random.default_rng(0)
    y = np.arange(1024) % 4
    x = rng.normal(0, 0.3, (1024, 16, 16, 1)).astype(np.float32)
    for sample, label in enumerate(y):
        row, column = divmod(int(label), 2)
        x[sample, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] += 1
    return x, y


def train(log_dir: str, faulty: bool = False) -> None:
    """Train and log; the faulty model has a bias that keeps a layer off."""
    keras.utils.set_random_seed(0)
    bias = keras.initializers.Constant(-20.0 if faulty else 0.0)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            keras.layers.Conv2D(8, 3, activation="relu", name="conv1"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(16, 3, activation="relu", bias_initializer=bias, name="conv2"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(4, activation="softmax", name="classes"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = digits()
    model.fit(x, y, epochs=4, verbose=2, callbacks=[CNNDiagnostics(log_dir, probe=(x[:256], y[:256]))])


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    train(arguments[0] if arguments else "logs/ci", "--faulty" in sys.argv)
