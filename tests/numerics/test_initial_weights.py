"""The test of a kernel against its initializer: Keras' own initializers pass it, trained weights do not."""

from __future__ import annotations

from statistics import NormalDist

import keras
import numpy as np
import pytest
from scipy.stats import kstest

from tb_cnndiag.numerics.initial_weights import initial_p_value
from tb_cnndiag.numerics.spectrum import eigenvalues, position_matrices, spikes

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


NORMAL = NormalDist()
# Deviation of a normal distribution that is cut at two deviations.
CUT = np.sqrt(1 - 4 * NORMAL.pdf(2) / (NORMAL.cdf(2) - NORMAL.cdf(-2)))


def _cdf(kind, low_or_mean, high_or_deviation):
    """The distribution function by its formula."""
    a, b = low_or_mean, high_or_deviation
    if kind == "uniform":
        return lambda x: np.clip((x - a) / (b - a), 0, 1)
    normal = lambda x: np.array([NORMAL.cdf(each) for each in np.ravel((x - a) / b)])  # noqa: E731
    if kind == "normal":
        return normal
    inside = NORMAL.cdf(2) - NORMAL.cdf(-2)
    return lambda x: np.clip((normal(x) - NORMAL.cdf(-2)) / inside, 0, 1)


def _around_zero(kind, variance):
    if kind == "uniform":
        return "uniform", -np.sqrt(3 * variance), np.sqrt(3 * variance)
    return ("cut", 0, np.sqrt(variance) / CUT) if kind == "cut" else ("normal", 0, np.sqrt(variance))


CONV = (3, 3, 16, 8)  # fan-in 144, fan-out 72


@pytest.mark.parametrize(
    ("name", "config", "shape", "expected"),
    [
        ("RandomNormal", {}, CONV, ("normal", 0, 0.05)),
        ("RandomNormal", {"mean": 0.3, "stddev": 0.7}, CONV, ("normal", 0.3, 0.7)),
        ("RandomUniform", {}, CONV, ("uniform", -0.05, 0.05)),
        ("RandomUniform", {"minval": 0.25, "maxval": 0.75}, CONV, ("uniform", 0.25, 0.75)),
        ("TruncatedNormal", {}, CONV, ("cut", 0, 0.05)),
        ("TruncatedNormal", {"mean": -1.0, "stddev": 0.2}, CONV, ("cut", -1, 0.2)),
        ("HeNormal", {}, CONV, _around_zero("cut", 2 / 144)),
        ("HeUniform", {}, CONV, _around_zero("uniform", 2 / 144)),
        ("LecunNormal", {}, CONV, _around_zero("cut", 1 / 144)),
        ("LecunUniform", {}, CONV, _around_zero("uniform", 1 / 144)),
        ("GlorotNormal", {}, CONV, _around_zero("cut", 1 / 108)),
        ("GlorotUniform", {}, CONV, _around_zero("uniform", 1 / 108)),
        ("GlorotUniform", {}, (40, 10), _around_zero("uniform", 1 / 25)),
        ("HeNormal", {}, (2, 5, 7), _around_zero("cut", 2 / 10)),
        ("HeUniform", {}, (1, 300), _around_zero("uniform", 2)),
        ("VarianceScaling", {}, CONV, _around_zero("cut", 1 / 144)),
        ("VarianceScaling", {"mode": "fan_out"}, CONV, _around_zero("cut", 1 / 72)),
        ("VarianceScaling", {"scale": 3.0, "distribution": "uniform"}, CONV, _around_zero("uniform", 3 / 144)),
        ("VarianceScaling", {"scale": 0.5, "mode": "fan_avg", "distribution": "untruncated_normal"}, CONV,
         _around_zero("normal", 0.5 / 108)),
        ("VarianceScaling", {"scale": -1.0}, CONV, None),
        ("VarianceScaling", {"mode": "fan"}, CONV, None),
        ("HeNormal", {}, (300,), None),
        ("HeOrthogonal", {}, CONV, None),
        ("XavierNormal", {}, CONV, None),
        ("Orthogonal", {}, CONV, None),
        ("", {}, CONV, None),
    ],
)  # fmt: skip
def test_the_probability_is_that_of_the_test_against_the_formula_of_the_initializer(name, config, shape, expected):
    """Weights a little off, so that the probability is neither 0 nor 1; those at an end count as inside."""
    kind, a, b = expected or ("normal", 0, 1)
    share = (np.arange(300) + 0.5) ** 1.15 / 300**1.15
    if kind == "uniform":
        values = a + (b - a) * share
    else:
        cut = NORMAL.cdf(-2) if kind == "cut" else 0
        values = np.array([a + b * NORMAL.inv_cdf(cut + (1 - 2 * cut) * each) for each in share])
    if kind != "normal":
        low, high = (a, b) if kind == "uniform" else (a - 2 * b, a + 2 * b)
        slack = max(abs(low), abs(high))
        values[0], values[-1] = low - 0.9e-6 * slack, high + 0.9e-6 * slack
    initializer = {"class_name": name, "config": config}
    found = initial_p_value(values.reshape(3, 100), shape, initializer)
    if expected is None:
        assert found is None
        return
    assert 1e-6 < found < 0.9
    assert found == pytest.approx(kstest(values, _cdf(*expected)).pvalue, rel=1e-4)
    if kind != "normal":
        for at, value in ((0, low - 1.1e-6 * slack), (-1, high + 1.1e-6 * slack)):
            outside = values.copy()
            outside[at] = value
            assert initial_p_value(outside.reshape(3, 100), shape, initializer) == 0


@pytest.mark.parametrize(
    ("units", "channels", "positions", "allowed"), [(32, 40, 9, 1), (8, 40, 9, 1), (32, 32, 100, 1), (24, 24, 300, 3)]
)
def test_large_eigenvalues_are_traces_of_training(units, channels, positions, allowed):
    """One, or one of a hundred positions, is by chance; matrices of fewer than eight rows show nothing."""
    rng = np.random.default_rng(2 if positions == 300 else 0)  # with few of them by chance
    kernel = rng.normal(0, 0.05, size=(units, positions, channels))
    spare = spikes(eigenvalues(position_matrices(kernel.reshape(units, -1), positions)), units, channels)
    config = {"class_name": "RandomNormal", "config": {}}

    def p_value(planted, rows=units, tested=positions):
        changed = kernel.copy()
        for position in range(planted):
            changed[:, -1 - position] += 0.09 * np.outer(rng.choice([-1, 1], units), rng.choice([-1, 1], channels))
        options = () if tested is None else (tested,)
        return initial_p_value(changed[:rows].reshape(rows, -1), (positions, 1, channels, rows), config, *options)

    assert spare <= allowed
    assert p_value(allowed - spare) > 0
    assert p_value(allowed - spare + 2) == 0
    assert p_value(allowed + 2, tested=0) > 0
    assert p_value(allowed + 2, tested=None) > 0
    assert p_value(allowed + 2, rows=7) > 0


def test_a_part_of_a_large_kernel_is_compared():
    config = {"class_name": "RandomUniform", "config": {}}
    values = np.linspace(-0.05, 0.05, 1_000_200)
    values[:20] = 0.5  # most of them are drawn
    assert initial_p_value(values.reshape(2, -1), (500_100, 2), config) == 0
    values[:20] = 0.0
    assert initial_p_value(values.reshape(2, -1), (500_100, 2), config) > 0.01


def test_constants_must_be_exact():
    tenth = np.full((2, 3), 0.1, np.float32)
    assert initial_p_value(tenth, (3, 2), {"class_name": "Constant", "config": {"value": 0.1}}) == 1
    tenth[1, 2] = np.nextafter(tenth[1, 2], np.float32(1))
    assert initial_p_value(tenth, (3, 2), {"class_name": "Constant", "config": {"value": 0.1}}) == 0
    assert initial_p_value(np.zeros((2, 3)), (3, 2), {"class_name": "Zeros"}) == 1
    assert initial_p_value(np.zeros((2, 3)), (3, 2), {"class_name": "Ones"}) == 0
    assert initial_p_value(np.zeros((2, 3)), (3, 2), {"class_name": "Constant", "config": {}}) is None
    assert initial_p_value(np.zeros((20, 30)), (30, 20), {}) is None
