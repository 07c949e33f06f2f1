"""Train a small CNN on scikit-learn's 8 × 8 digits with diagnostics, and print what they found.

Run ``python examples/quickstart.py``, then ``tensorboard --logdir logs``.
"""

from __future__ import annotations

import keras
from keras import layers
from sklearn.datasets import load_digits

from tb_cnndiag import CNNDiagnostics

LOG_DIR = "logs/quickstart"


def main() -> None:
    """Train, and list the findings."""
    digits = load_digits()
    x = (digits.images[..., None] / 16).astype("float32")
    y = digits.target
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="conv1"),
            layers.Conv2D(32, 3, activation="relu", name="conv2"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(10, activation="softmax", name="digits"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    callback = CNNDiagnostics(LOG_DIR, probe=(x[-256:], y[-256:]))
    model.fit(
        x[:-256],
        y[:-256],
        validation_data=(x[-256:], y[-256:]),
        epochs=5,
        callbacks=[keras.callbacks.TensorBoard(LOG_DIR), callback],
    )
    for finding in callback.findings:
        print(f"{finding.severity}: {finding.message}")
    if not callback.findings:
        print("Nothing found: the network is healthy.")


if __name__ == "__main__":
    main()
