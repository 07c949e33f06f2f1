"""Small models and data sets for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers


def images(rng: np.random.Generator, samples: int = 64, size: int = 12, classes: int = 4) -> tuple[Any, Any]:
    """Noise with a bright square whose position depends on the class; a model learns it in a few steps."""
    y = np.arange(samples) % classes
    x = rng.normal(0, 0.3, (samples, size, size, 1)).astype(np.float32)
    for i, label in enumerate(y):
        row, column = divmod(int(label), 2)
        x[i, 5 * row : 5 * row + 5, 5 * column : 5 * column + 5] += 1
    return x, y


def plain(activation: str = "relu", *, regularizer: Any = None) -> Any:
    return keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(6, 3, activation=activation, kernel_regularizer=regularizer, name="conv_a"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(8, 3, activation=activation, name="conv_b"),
            layers.Flatten(name="flatten"),
            layers.Dense(4, activation="softmax", name="head"),
        ],
        name="plain",
    )


def normalized() -> Any:
    return keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(6, 3, use_bias=False, name="conv_a"),
            layers.BatchNormalization(name="bn_a"),
            layers.ReLU(name="relu_a"),
            layers.Dropout(0.3, name="drop"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(4, activation="softmax", name="head"),
        ],
        name="normalized",
    )


class Subclassed(keras.Model):
    """Applies its activation as a function, and overrides ``train_step``."""

    def __init__(self) -> None:
        super().__init__(name="subclassed")
        self.conv = layers.Conv2D(6, 3, name="conv")
        self.norm = layers.BatchNormalization(name="norm")
        self.pool = layers.GlobalAveragePooling2D(name="pool")
        self.head = layers.Dense(4, activation="softmax", name="head")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.head(self.pool(keras.ops.relu(self.norm(self.conv(x), training=training))))

    def train_step(self, data: Any) -> Any:
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred)
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


def compiled(model: Any, optimizer: Any = "adam", loss: Any = "sparse_categorical_crossentropy", **options: Any) -> Any:
    model.compile(optimizer, loss, **options)
    return model


class NoisyLoss(keras.losses.Loss):
    """A loss of the user's own that draws random numbers, and counts how often it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.seed = keras.random.SeedGenerator(1) if keras.backend.backend() == "jax" else None  # JAX needs one

    def call(self, y: Any, p: Any) -> Any:
        self.calls += 1
        noise = 1 + 0.001 * keras.random.uniform((1,), seed=self.seed)
        return noise * keras.losses.sparse_categorical_crossentropy(y, p)


class Interrupt(keras.callbacks.Callback):
    """The user presses Ctrl-C after the first step."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        raise KeyboardInterrupt


def accumulating() -> Any:
    """An optimizer that does more than one thing between a gradient and an update."""
    return keras.optimizers.SGD(0.1, momentum=0.9, clipnorm=1.0, use_ema=True, gradient_accumulation_steps=2)


def under_policy(policy: str, make: Callable[[], Any]) -> Any:
    """A model whose layers have this dtype policy."""
    keras.config.set_dtype_policy(policy)
    try:
        return make()
    finally:
        keras.config.set_dtype_policy("float32")


def trained(
    make: Callable[[], Any], options: Mapping[str, Any], callbacks: Sequence[Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Weights and history of a model after three epochs; options of ``compile``, the optimizer as a function."""
    options = dict(options)
    optimizer = options.pop("optimizer", lambda: "adam")()
    x, y = images(np.random.default_rng(1))
    keras.utils.set_random_seed(3)
    model = compiled(make(), optimizer, **options)
    history = model.fit(x, y, epochs=3, batch_size=16, verbose=0, callbacks=list(callbacks))
    return model.get_weights(), history.history
