"""Gradients of a model's loss on each backend of Keras, by that backend's own means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras


def loss_gradients(model: Any, x: Any, y: Any, weights: Sequence[Any], *, training: bool) -> tuple[Any, Any, list[Any]]:
    """Loss, answers and the gradient by each weight; None for a weight that the loss does not depend on.

    JAX gives zeros there: a gradient of zeros alone counts as none. A train step of JAX has no use for this, since its
    variables have no values of their own.
    """

    def loss_of() -> tuple[Any, Any]:
        answers = model(x, training=training)
        return model.compute_loss(x=x, y=y, y_pred=answers), answers

    return _BY_BACKEND[keras.backend.backend()](loss_of, weights)


def _tensorflow(loss_of: Callable[[], tuple[Any, Any]], weights: Sequence[Any]) -> tuple[Any, Any, list[Any]]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss, answers = loss_of()
    return loss, answers, tape.gradient(loss, [w.value for w in weights])


def _torch(loss_of: Callable[[], tuple[Any, Any]], weights: Sequence[Any]) -> tuple[Any, Any, list[Any]]:
    import torch

    loss, answers = loss_of()
    return loss, answers, list(torch.autograd.grad(loss, [w.value for w in weights], allow_unused=True))


def _jax(loss_of: Callable[[], tuple[Any, Any]], weights: Sequence[Any]) -> tuple[Any, Any, list[Any]]:
    import jax

    def at(values: Sequence[Any]) -> tuple[Any, Any]:
        with keras.StatelessScope(state_mapping=list(zip(weights, values, strict=True))):
            return loss_of()

    (loss, answers), found = jax.value_and_grad(at, has_aux=True)([w.value for w in weights])
    return loss, answers, [gradient if gradient.any() else None for gradient in found]


_BY_BACKEND: dict[str, Callable[..., tuple[Any, Any, list[Any]]]] = {
    "tensorflow": _tensorflow,
    "torch": _torch,
    "jax": _jax,
}
