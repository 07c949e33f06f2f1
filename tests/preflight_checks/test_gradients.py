"""Gradients of layers of one's own: right ones pass, wrong ones are found with their layer."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag.preflight_checks.base import Subject
from tb_cnndiag.preflight_checks.gradients import Differentiates
from tests.models import compiled, images, plain


@keras.saving.register_keras_serializable("tests_of_gradients")
class Scaled(keras.layers.Layer):
    """Multiplies by a weight; its gradient can be wrong by a factor, or stopped on one of two paths."""

    def __init__(self, fault: str = "", **more: Any) -> None:
        super().__init__(**more)
        self.fault = fault

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x: Any) -> Any:
        if self.fault == "stopped":
            return x * self.scale + keras.ops.stop_gradient(x * self.scale)
        if self.fault == "factor":
            return _wrong(x * self.scale)
        return x * self.scale

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "fault": self.fault}


def _wrong(x: Any) -> Any:
    import tensorflow as tf

    @tf.custom_gradient
    def function(x: Any) -> Any:
        return tf.tanh(x), lambda upstream: 3 * upstream * (1 - tf.tanh(x) ** 2)

    return function(x)


@pytest.mark.parametrize(("fault", "found"), [("", False), ("stopped", True), ("factor", True)])
def test_a_layer_of_ones_own(fault: str, found: bool, rng: np.random.Generator) -> None:
    model = keras.Sequential(
        [
            keras.Input((12,)),
            keras.layers.Dense(16, activation="tanh"),
            Scaled(fault, name="scaled"),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    x = rng.normal(size=(80, 12)).astype(np.float32)
    result = Differentiates().run(Subject(compiled(model), x, rng.integers(0, 4, 80)))
    assert result.status == ("found" if found else "passed")
    if found:
        (finding,) = result.findings
        assert (finding.fault, finding.layer) == ("wrong_gradient", "scaled")
        expected = 0.5 if fault == "stopped" else 2 / 3
        assert finding.evidence["error"].value == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("halved", [False, True])
def test_a_loss_of_ones_own(halved: bool, rng: np.random.Generator) -> None:
    def loss(y: Any, p: Any) -> Any:
        error = keras.ops.mean(keras.ops.square(y - p), axis=-1)
        return 0.5 * error + 0.5 * keras.ops.stop_gradient(error) if halved else error

    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(2)])
    model.compile("adam", loss)
    x = rng.normal(size=(60, 6)).astype(np.float32)
    result = Differentiates().run(Subject(model, x, x[:, :2] ** 2))
    assert result.status == ("found" if halved else "passed")


def test_what_is_of_keras_is_not_compared(rng: np.random.Generator) -> None:
    x, y = images(rng)
    assert Differentiates().run(Subject(compiled(plain()), x, y)).reason == "all layers and the loss are of Keras"
