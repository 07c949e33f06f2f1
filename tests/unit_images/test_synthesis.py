"""Synthetic images: a planted unit, determinism, silent units, limits."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag.payloads import FloatArray
from tb_cnndiag.unit_images.natural import Natural
from tb_cnndiag.unit_images.passes import Inputs, Passes
from tb_cnndiag.unit_images.synthesis import Synthesizer, best_responses, middle_position
from tests.unit_images.helpers import answers


def _shapes() -> FloatArray:
    """A diagonal cross and a ring, 7 by 7, with mean zero."""
    y, x = np.mgrid[-3:4, -3:4]
    cross = (np.abs(y) == np.abs(x)).astype(np.float32)
    ring = (np.abs(np.hypot(y, x) - 2.5) < 0.6).astype(np.float32)
    return np.stack([cross - cross.mean(), ring - ring.mean()])


def _planted(bias: float = 0.0) -> Any:
    model = keras.Sequential(
        [
            keras.layers.Input((24, 24, 1)),
            keras.layers.Conv2D(2, 7, padding="same", activation="relu", name="planted"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2),
        ]
    )
    kernel = np.moveaxis(_shapes(), 0, -1)[:, :, None, :]
    model.get_layer("planted").set_weights([kernel, np.full(2, bias, np.float32)])
    return model


def _probe(rng: np.random.Generator) -> FloatArray:
    """Smooth random images between 0 and 1."""
    noise = rng.normal(size=(64, 24, 24, 1))
    f = np.hypot(np.fft.fftfreq(24)[:, None], np.fft.fftfreq(24)[None, :])
    smooth = np.fft.ifft2(np.fft.fft2(noise, axes=(1, 2)) / (f + 0.05)[None, :, :, None], axes=(1, 2)).real
    low, high = smooth.min(), smooth.max()
    return ((smooth - low) / (high - low)).astype(np.float32)


def _synthesizer(model: Any, probe: FloatArray) -> Synthesizer:
    passes = Passes(model, Inputs.of(probe))
    return Synthesizer(passes, passes.layers[0], Natural.of(probe), extent=7, position=middle_position((24, 24)))


def _correlation(image: FloatArray, shape: FloatArray) -> float:
    crop = image[9:16, 9:16, 0]
    return float(np.corrcoef(crop.ravel(), shape.ravel())[0, 1])


def test_image_shows_the_planted_shape(rng: np.random.Generator) -> None:
    probe = _probe(rng)
    model = _planted()
    made = _synthesizer(model, probe).make([0, 1], seed=0)
    assert made is not None
    cross, ring = _shapes()
    assert _correlation(made.images[0], cross) > 0.75
    assert _correlation(made.images[1], ring) > 0.75
    assert abs(_correlation(made.images[0], ring)) < 0.4
    passes = Passes(model, Inputs.of(probe))
    assert (made.activations > 2 * best_responses(passes, passes.layers[0], np.array([0, 1]))).all()


def test_images_are_in_the_range_of_the_probe_and_repeat(rng: np.random.Generator) -> None:
    probe = _probe(rng) * 3 - 1
    synthesizer = _synthesizer(_planted(), probe)
    one, again, other = (synthesizer.make([1], seed=seed, steps=20) for seed in (4, 4, 5))
    assert one is not None
    assert again is not None
    assert other is not None
    np.testing.assert_array_equal(one.images, again.images)
    assert not np.array_equal(one.images, other.images)
    assert probe.min() <= one.images.min()
    assert one.images.max() <= probe.max()
    fresh = _synthesizer(_planted(), probe).make([1], seed=4, steps=20)
    assert fresh is not None
    np.testing.assert_array_equal(one.images, fresh.images)


def test_activation_is_what_the_model_answers(rng: np.random.Generator) -> None:
    model = _planted()
    made = _synthesizer(model, _probe(rng)).make([0, 1], seed=0, steps=10)
    assert made is not None
    answered = answers(keras.Model(model.inputs, model.layers[0].output), made.images)
    np.testing.assert_allclose(made.activations, [answered[0, ..., 0].max(), answered[1, ..., 1].max()], rtol=1e-5)


def test_silent_unit_is_reached_by_redirecting_the_rectifier(rng: np.random.Generator) -> None:
    made = _synthesizer(_planted(bias=-0.8), _probe(rng)).make([0, 1], seed=0)
    assert made is not None
    assert made.redirected.all()
    assert (made.activations > 0).all()


def test_limit_keeps_what_was_reached(rng: np.random.Generator) -> None:
    synthesizer = _synthesizer(_planted(), _probe(rng))
    made = synthesizer.make([0], seed=0, go_on=lambda step: step < 12)
    assert made is not None
    assert made.steps == 12
    assert synthesizer.make([0], seed=0, go_on=lambda step: step < 3) is None


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_natural_statistics_describe_the_probe(rng: np.random.Generator, channels: int) -> None:
    mixing = rng.normal(size=(channels, channels))
    images = rng.normal(size=(50, 10, 8, channels)) @ mixing + 3
    natural = Natural.of(images)
    np.testing.assert_allclose(
        natural.colors @ natural.colors, np.cov(images.reshape(-1, channels).T, bias=True), atol=1e-6
    )
    assert (natural.spectrum**2).mean() == pytest.approx(1)
    np.testing.assert_allclose(natural.spectrum, 1, rtol=0.4)  # white noise has all frequencies


def test_constant_probe_has_a_spectrum() -> None:
    natural = Natural.of(np.full((4, 8, 8, 1), 0.5))
    assert np.isfinite(natural.spectrum).all()
    assert (natural.spectrum > 0).all()
    assert np.isfinite(natural.start).all()
