"""Training loops written by hand, as they are on each backend."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tests.models import plain

KINDS = {"tensorflow": ("keras",), "jax": ("stateless", "optax"), "torch": ("torch.optim", "keras")}


class Loop:
    """One model, and a step that returns the norm of the first kernel's gradient."""

    def __init__(self) -> None:
        keras.utils.set_random_seed(1)
        self.model = plain()
        self.optimizers: list[Any] = []

    def step(self, x: Any, y: Any) -> float:
        raise NotImplementedError

    def handed_over(self) -> dict[str, Any]:
        """Arguments of ``watched.step``."""
        return {}

    def weights(self) -> list[Any]:
        return list(self.model.get_weights())


def make(kind: str) -> Loop:
    return {
        ("tensorflow", "keras"): TensorFlowLoop,
        ("jax", "stateless"): StatelessLoop,
        ("jax", "optax"): OptaxLoop,
        ("torch", "torch.optim"): TorchLoop,
        ("torch", "keras"): KerasTorchLoop,
    }[keras.backend.backend(), kind]()


class TensorFlowLoop(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.optimizers = [keras.optimizers.SGD(0.1)]

    def step(self, x: Any, y: Any) -> float:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y, self.model(x, training=True)))
        gradients = tape.gradient(loss, self.model.trainable_variables)
        self.optimizers[0].apply(gradients, self.model.trainable_variables)
        return float(tf.norm(gradients[0]))


class StatelessLoop(Loop):
    """Keras' own optimizer, stateless; the state is donated to each step."""

    def __init__(self) -> None:
        import jax

        super().__init__()
        self.optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
        self.optimizer.build(self.model.trainable_variables)
        variables = (self.model.trainable_variables, self.model.non_trainable_variables, self.optimizer.variables)
        self.state: Any = tuple([jax.numpy.array(v.value, copy=True) for v in part] for part in variables)
        self.gradients: Any = None

        def step(state: Any, x: Any, y: Any) -> Any:
            trainable, rest, slots = state
            (_, rest), gradients = jax.value_and_grad(self.loss_of, has_aux=True)(trainable, rest, x, y)
            trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
            return (trainable, rest, slots), gradients

        self._step = jax.jit(step, donate_argnums=0)

    def loss_of(self, trainable: Any, rest: Any, x: Any, y: Any) -> Any:
        y_pred, rest = self.model.stateless_call(trainable, rest, x, training=True)
        return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y, y_pred)), rest

    def step(self, x: Any, y: Any) -> float:
        self.state, self.gradients = self._step(self.state, x, y)
        return float(np.linalg.norm(np.asarray(self.gradients[0]).ravel()))

    def handed_over(self) -> dict[str, Any]:
        return {"gradients": self.gradients, "state": self.state[:2]}

    def weights(self) -> list[Any]:
        return [np.asarray(value) for value in self.state[0]]


class OptaxLoop(StatelessLoop):
    """An optimizer of optax."""

    def __init__(self) -> None:
        import jax
        import optax

        super().__init__()
        transformation = optax.sgd(0.1, momentum=0.9)
        self.state = (*self.state[:2], transformation.init(self.state[0]))

        def step(state: Any, x: Any, y: Any) -> Any:
            trainable, rest, slots = state
            (_, rest), gradients = jax.value_and_grad(self.loss_of, has_aux=True)(trainable, rest, x, y)
            updates, slots = transformation.update(gradients, slots, trainable)
            return (optax.apply_updates(trainable, updates), rest, slots), gradients

        self._step = jax.jit(step, donate_argnums=0)


class TorchLoop(Loop):
    """An optimizer of torch."""

    def __init__(self) -> None:
        import torch

        super().__init__()
        self.optimizers = [torch.optim.SGD(self.model.parameters(), lr=0.1)]

    def step(self, x: Any, y: Any) -> float:
        import torch

        logits = self.model(torch.as_tensor(x), training=True)
        loss = torch.nn.functional.nll_loss(torch.log(logits), torch.as_tensor(y))
        loss.backward()
        norm = float(torch.linalg.vector_norm(self.model.trainable_variables[0].value.grad))
        self.optimizers[0].step()
        self.optimizers[0].zero_grad()
        return norm


class KerasTorchLoop(TorchLoop):
    """An optimizer of Keras."""

    def __init__(self) -> None:
        super().__init__()
        self.optimizers = [keras.optimizers.SGD(0.1)]

    def step(self, x: Any, y: Any) -> float:
        import torch

        self.model.zero_grad()
        loss = keras.losses.sparse_categorical_crossentropy(torch.as_tensor(y), self.model(torch.as_tensor(x))).mean()
        loss.backward()
        variables = self.model.trainable_variables
        norm = float(torch.linalg.vector_norm(variables[0].value.grad))
        with torch.no_grad():
            self.optimizers[0].apply([variable.value.grad for variable in variables], variables)
        return norm


def gan(kind: type) -> Any:
    """An instance of a pair of models with the train step that the backend wants."""
    return {"tensorflow": _tensorflow_gan, "jax": _jax_gan, "torch": _torch_gan}[keras.backend.backend()](kind)()


def _tensorflow_gan(kind: type) -> type:
    import tensorflow as tf

    def train_step(self: Any, data: Any) -> Any:
        with tf.GradientTape() as tape:
            fake = self.discriminator(self.generator(tf.random.normal((16, 4))))
            loss = self.losses_of(fake, self.discriminator(data))
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"loss": loss}

    return type("Gan", (kind,), {"train_step": train_step})


def _torch_gan(kind: type) -> type:
    import torch

    def train_step(self: Any, data: Any) -> Any:
        self.zero_grad()
        loss = self.losses_of(self.discriminator(self.generator(torch.randn(16, 4))), self.discriminator(data))
        loss.backward()
        with torch.no_grad():
            self.optimizer.apply([v.value.grad for v in self.trainable_variables], self.trainable_variables)
        return {"loss": loss}

    return type("Gan", (kind,), {"train_step": train_step})


def _jax_gan(kind: type) -> type:
    import jax

    def train_step(self: Any, state: Any, data: Any) -> Any:
        trainable, rest, optimizer, metrics = state

        def loss_of(trainable: Any) -> Any:
            known = [*zip(self.trainable_variables, trainable, strict=True)]
            with keras.StatelessScope(state_mapping=known):
                noise = jax.random.normal(jax.random.key(0), (16, 4))
                return self.losses_of(self.discriminator(self.generator(noise)), self.discriminator(data))

        loss, gradients = jax.value_and_grad(loss_of)(trainable)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        return {"loss": loss}, (trainable, rest, optimizer, metrics)

    return type("Gan", (kind,), {"train_step": train_step})
