"""The test of a kernel against its initializer: Keras' own initializers pass it, trained weights do not."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tb_cnndiag.numerics.initial_weights import initial_p_value

INITIALIZERS = [
    "glorot_uniform", "glorot_normal", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform", "random_normal",
    "random_uniform", "truncated_normal",
]  # fmt: skip


def _rows(kernel: np.ndarray) -> np.ndarray:
    return kernel.reshape(-1, kernel.shape[-1]).T


@pytest.mark.parametrize("name", INITIALIZERS)
def test_what_an_initializer_gave_is_not_rejected_and_a_changed_kernel_is(name, rng):
    initializer = keras.initializers.get(name)
    config = keras.saving.serialize_keras_object(initializer)
    shape = (3, 3, 32, 64)
    p_values = []
    for seed in range(20):
        made = type(initializer)(**{**initializer.get_config(), "seed": seed})
        p_values.append(initial_p_value(_rows(np.asarray(made(shape))), shape, config, 9))
    assert np.mean(np.array(p_values) >= 0.01) >= 0.9
    # A probability under the truth is uniform.
    assert 0.25 < np.mean(p_values) < 0.75
    kernel = np.asarray(type(initializer)(**{**initializer.get_config(), "seed": 1})(shape))
    assert initial_p_value(_rows(kernel * 1.1), shape, config, 9) < 1e-6
    learned = kernel + 0.2 * kernel.std() * rng.normal(size=(32, 1)) * rng.normal(size=64)
    assert initial_p_value(_rows(learned), shape, config, 9) == pytest.approx(0, abs=1e-6)


def test_constants_and_what_cannot_be_tested():
    ones = np.ones((4, 100), np.float32)
    assert initial_p_value(ones, (100, 4), {"class_name": "Ones", "config": {}}) == 1
    assert initial_p_value(ones + 1e-3, (100, 4), {"class_name": "Ones", "config": {}}) == 0
    assert initial_p_value(ones, (100, 4), {"class_name": "Orthogonal", "config": {}}) is None
    assert initial_p_value(ones[:, :3], (3, 4), {"class_name": "GlorotUniform", "config": {}}) is None


@pytest.mark.parametrize("distribution", ["uniform", "truncated_normal", "untruncated_normal"])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_variance_scaling_of_every_kind(mode, distribution):
    """The right fans and the right distribution pass; every other one is rejected."""
    shape, scale = (3, 3, 16, 64), 1.7
    given = {"scale": scale, "mode": mode, "distribution": distribution}
    kernel = _rows(np.asarray(keras.initializers.VarianceScaling(**given, seed=3)(shape)))
    modes, kinds = ("fan_in", "fan_out", "fan_avg"), ("uniform", "truncated_normal", "untruncated_normal")
    for other_mode in modes:
        for other_kind in kinds:
            config = {"scale": scale, "mode": other_mode, "distribution": other_kind}
            found = initial_p_value(kernel, shape, {"class_name": "VarianceScaling", "config": config})
            assert (found >= 0.01) == ((other_mode, other_kind) == (mode, distribution))
    for unknown in ({**given, "mode": "fan_none"}, {**given, "scale": 0.0}):
        assert initial_p_value(kernel, shape, {"class_name": "VarianceScaling", "config": unknown}) is None


def test_constants_of_a_config_and_how_many_weights_are_enough():
    twos = np.full((4, 100), 2.0, np.float32)
    assert initial_p_value(twos, (100, 4), {"class_name": "Constant", "config": {"value": 2}}) == 1
    assert initial_p_value(twos, (100, 4), {"class_name": "Zeros", "config": None}) == 0
    assert initial_p_value(twos, (100, 4), {"class_name": "Constant", "config": {"value": "?"}}) is None
    uniform = np.random.default_rng(0).uniform(-0.05, 0.05, 200).astype(np.float32)
    config = {"class_name": "RandomUniform", "config": {}}
    assert initial_p_value(uniform.reshape(2, 100), (100, 2), config) >= 0.01
    assert initial_p_value(uniform[:199].reshape(1, 199), (199, 1), config) is None
    # A single weight that the initializer cannot give is enough.
    uniform[7] = 0.051
    assert initial_p_value(uniform.reshape(2, 100), (100, 2), config) == 0
    uniform[7] = np.nan
    assert initial_p_value(uniform.reshape(2, 100), (100, 2), config) is None
