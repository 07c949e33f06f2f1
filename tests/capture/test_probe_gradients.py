"""Gradients on chunks of the probe, checked against the gradient of Keras's training loss."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tb_cnndiag.capture.layers import find_kernel_layers
from tb_cnndiag.capture.probe_gradients import ProbeGradients
from tb_cnndiag.numerics.gradients import signal_to_noise
from tests.models import compiled, images, plain


def _trained(rng: np.random.Generator, samples: int, **options: Any) -> tuple[Any, Any, Any]:
    model = compiled(plain(**options))
    x, y = images(rng, samples)
    model.fit(x, y, verbose=0)
    return model, x, y


def _by_hand(model: Any, x: Any, y: Any, variable: Any) -> Any:
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(x)))
    return tape.gradient(loss, variable.value).numpy()


def test_gradient_norms_and_zeros_are_those_of_the_data_loss(rng: np.random.Generator) -> None:
    model, x, y = _trained(rng, 96 + 5, regularizer=keras.regularizers.L2(0.5))
    kernel = model.get_layer("conv_a").kernel
    observed = ProbeGradients(model, find_kernel_layers(model)).measure(x, y)["conv_a"]
    gradients = [_by_hand(model, x[s : s + 32], y[s : s + 32], kernel) for s in (0, 32, 64)]
    np.testing.assert_allclose(observed["chunk_gradient_norms"], [np.linalg.norm(g) for g in gradients], rtol=1e-3)
    np.testing.assert_allclose(observed["mean_gradient_norm"], np.linalg.norm(np.mean(gradients, axis=0)), rtol=1e-3)
    assert observed["gradient_zero_share"] == np.mean([np.mean(g == 0) for g in gradients])


def test_a_dead_unit_has_no_gradient(rng: np.random.Generator) -> None:
    model, x, y = _trained(rng, 64)
    layer = model.get_layer("conv_a")
    layer.bias.assign([-100.0] * 3 + [0.0] * 3)
    observed = ProbeGradients(model, find_kernel_layers(model)).measure(x, y)
    assert observed["conv_a"]["gradient_zero_share"] >= 0.5


def test_no_gradients_without_labels_a_loss_or_two_chunks(rng: np.random.Generator) -> None:
    model, x, y = _trained(rng, 64)
    measure = ProbeGradients(model, find_kernel_layers(model)).measure
    assert measure(x, y)
    assert measure(x, None) == {}
    assert measure(x[:63], y[:63]) == {}
    untrained = compiled(plain())
    assert ProbeGradients(untrained, find_kernel_layers(untrained)).measure(x, y) == {}


def test_signal_to_noise_of_a_known_gradient(rng: np.random.Generator) -> None:
    gradients = 3.0 / np.sqrt(5000) + rng.normal(0, 1 / np.sqrt(5000), (64, 5000))  # signal 3, noise 1
    ratio = signal_to_noise(np.linalg.norm(gradients, axis=1), float(np.linalg.norm(gradients.mean(axis=0))))
    assert abs(ratio - 3) < 0.1
    noise = gradients - 3.0 / np.sqrt(5000)
    assert signal_to_noise(np.linalg.norm(noise, axis=1), float(np.linalg.norm(noise.mean(axis=0)))) < 0.1
    assert np.isnan(signal_to_noise(np.zeros(3), 0.0))
