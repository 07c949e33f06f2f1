"""Small models for the images of units."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tb_cnndiag.unit_images.passes import Inputs, Passes


def answers(model: keras.Model, x: Any) -> np.ndarray:
    """What a model answers, as an array, on each backend."""
    return np.asarray(keras.ops.convert_to_numpy(model(x)))


def network(*, head: str | None = "softmax", classes: int = 3, channels: int = 1, seed: int = 1) -> Any:
    """Two convolutions with max-pooling between them, then a dense head, on images of 12 by 12."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.layers.Input((12, 12, channels)),
            keras.layers.Conv2D(4, 3, activation="relu", name="first"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(6, 3, name="second", bias_initializer="random_normal"),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(classes, activation=head, name="head"),
        ]
    )


def labeled(samples: int = 24, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A probe for :func:`network`: random images and classes."""
    rng = np.random.default_rng(1)
    return rng.uniform(size=(samples, 12, 12, channels)).astype(np.float32), rng.integers(0, 3, samples)


def passes_of(model: Any, rng: np.random.Generator, samples: int = 8) -> Passes:
    """Passes of a model with random images as its probe."""
    images = rng.uniform(size=(samples, *model.input_shape[1:])).astype(np.float32)
    return Passes(model, Inputs.of(images))
