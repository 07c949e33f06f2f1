"""Models with a step or a loss of their own, for each backend."""

from __future__ import annotations

from typing import Any

import keras

from tests.models import plain


def own_step() -> Any:
    """A model with a train step of its own, written as Keras' guides do."""
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()]()


class OwnLoss(keras.Model):
    """A model with a loss of its own."""

    def __init__(self) -> None:
        super().__init__(name="own_loss")
        self.net = plain()
        self.build((None, 12, 12, 1))

    def call(self, x: Any, training: bool = False) -> Any:
        return self.net(x, training=training)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y, y_pred)) * 2.0


def _tensorflow() -> Any:
    import tensorflow as tf

    class Own(keras.Sequential):
        def train_step(self, data: Any) -> Any:
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    return Own(plain().layers)


def _jax() -> Any:
    import jax

    class Own(keras.Sequential):
        def loss_and_state(self, trainable: Any, rest: Any, x: Any, y: Any) -> Any:
            y_pred, rest = self.stateless_call(trainable, rest, x, training=True)
            return self.compute_loss(x, y, y_pred), rest

        def train_step(self, state: Any, data: Any) -> Any:
            trainable, rest, optimizer, metrics = state
            x, y = data
            (loss, rest), grads = jax.value_and_grad(self.loss_and_state, has_aux=True)(trainable, rest, x, y)
            trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
            return {"loss": loss}, (trainable, rest, optimizer, metrics)

    return Own(plain().layers)


def _torch() -> Any:
    import torch

    class Own(keras.Sequential):
        def train_step(self, data: Any) -> Any:
            x, y = data
            self.zero_grad()
            loss = self.compute_loss(x, y, self(x, training=True))
            loss.backward()
            variables = self.trainable_variables
            with torch.no_grad():
                self.optimizer.apply([v.value.grad for v in variables], variables)
            return {"loss": loss}

    return Own(plain().layers)
