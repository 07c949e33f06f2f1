"""Answers in both modes: averages that settle pass, what works otherwise in inference mode is found with its layer."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag.preflight_checks.base import Subject
from tb_cnndiag.preflight_checks.modes import AnswersAlike
from tests.models import compiled


@keras.saving.register_keras_serializable("tests_of_modes")
class Standardized(keras.layers.Layer):
    """Subtracts the mean over the batch; in inference mode a moving one, which may never be updated."""

    def __init__(self, updated: bool = True, **more: Any) -> None:
        super().__init__(**more)
        self.updated, self.momentum = updated, 0.99

    def build(self, shape: Any) -> None:
        self.mean = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False)

    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            return x - self.mean
        mean = keras.ops.mean(x, 0)
        if self.updated:
            self.mean.assign(self.mean * self.momentum + mean * (1 - self.momentum))
        return x - mean

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "updated": self.updated}


@keras.saving.register_keras_serializable("tests_of_modes")
class Muted(keras.layers.Layer):
    """Passes nothing on in inference mode."""

    def call(self, x: Any, training: bool = False) -> Any:
        return x if training else 0 * x


def _status(rng: np.random.Generator, *middle: Any) -> Any:
    """The result on a network with some layers in the middle; its samples are far from 0."""
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((12,)),
        keras.layers.Dense(16, activation="relu"),
        *middle,
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(4, activation="softmax"),
    ]
    x = rng.normal(5, 1, size=(400, 12)).astype(np.float32)
    model = compiled(keras.Sequential(layers))
    before = [np.array(weight) for weight in model.get_weights()]
    result = AnswersAlike().run(Subject(model, x, np.argmax(x[:, :4], axis=1)))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    return result


@pytest.mark.parametrize("momentum", [0.9, 0.99, 0.999])
def test_averages_that_need_many_steps_are_no_fault(momentum: float, rng: np.random.Generator) -> None:
    result = _status(rng, keras.layers.BatchNormalization(momentum=momentum), keras.layers.Dropout(0.2))
    assert result.status == "passed"


@pytest.mark.parametrize("updated", [True, False])
def test_averages_of_ones_own(updated: bool, rng: np.random.Generator) -> None:
    result = _status(rng, keras.layers.BatchNormalization(), Standardized(updated, name="own"))
    layers = [each.layer for each in result.findings]
    # Behind a normalization the mean over the batch is 0 already: the one that is never updated is harmless there.
    assert (result.status, layers) == ("passed", [])
    result = _status(rng, Standardized(updated, name="own"), keras.layers.BatchNormalization())
    assert result.status == ("passed" if updated else "found")


def test_a_layer_that_passes_nothing_on(rng: np.random.Generator) -> None:
    result = _status(rng, keras.layers.BatchNormalization(), Muted(name="muted"), keras.layers.BatchNormalization())
    (finding,) = result.findings
    assert (finding.fault, finding.layer) == ("inference_differs", "muted")
    assert finding.evidence["relative_loss"].value > 0.5


def test_noise_alone_is_no_other_mode(rng: np.random.Generator) -> None:
    result = _status(rng, keras.layers.Dropout(0.5))
    assert result.status == "not applicable"
    assert "no layer" in result.reason
