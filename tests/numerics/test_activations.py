"""The table of activations against the numbers that Keras computes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tb_cnndiag.numerics.activations import (
    ACTIVATIONS,
    CLASS_NAMES,
    HOMOGENEOUS,
    RANGE,
    RECTIFIED,
    SATURATION,
    SQUASHING,
    UNKNOWN,
    facts_of,
)

FloatArray = NDArray[np.float64]
GRID = np.concatenate([-np.geomspace(1e4, 1e-3, 400), [0.0], np.geomspace(1e-3, 1e4, 400)])
SMALL = np.linspace(-8, 8, 3201)
# Of several inputs each: a function of one number does not describe them.
OF_A_ROW = {"softmax", "log_softmax", "glu"}
OF_A_NUMBER = sorted(set(ACTIVATIONS) - OF_A_ROW)


def _apply(name: str, x: FloatArray) -> FloatArray:
    """The activation in float64; rows of two numbers for those of a row."""
    if name == "prelu":
        return np.where(x > 0, x, 0.25 * x)
    rows = np.stack([x, -x], axis=-1) if name in OF_A_ROW else x
    return np.asarray(keras.ops.convert_to_numpy(keras.activations.get(name)(keras.ops.array(rows, "float64"))))


@pytest.mark.parametrize("name", OF_A_NUMBER)
def test_rectified_activations_are_exactly_zero_below_zero(name: str) -> None:
    values = _apply(name, GRID)
    assert (name in RECTIFIED) == bool((values[GRID < 0] == 0).all() and (values[GRID > 0] > 0).all())


@pytest.mark.parametrize("name", OF_A_NUMBER)
def test_bounded_activations_squash_but_for_relu6(name: str) -> None:
    assert (name in SQUASHING or name == "relu6") == bool(np.abs(_apply(name, GRID)).max() <= 10)


@pytest.mark.parametrize("name", [name for name, facts in ACTIVATIONS.items() if facts.range != (None, None)])
def test_ranges_are_those_of_the_values(name: str) -> None:
    values, facts = _apply(name, GRID), ACTIVATIONS[name]
    low, high = facts.range
    assert low is not None
    assert low <= values.min() < low + 0.01
    assert high is None or high - 0.01 < values.max() <= high
    assert high is not None or values.max() >= 1e4
    assert facts.rounded == (values.min() > low + 1e-3)
    assert (name in RANGE) == (not facts.rounded)


@pytest.mark.parametrize("name", OF_A_NUMBER)
def test_homogeneous_activations_scale_with_their_input(name: str) -> None:
    scales = np.allclose(_apply(name, 3 * SMALL), 3 * _apply(name, SMALL))
    assert (name in HOMOGENEOUS) == (scales and name != "prelu")  # which has weights of its own


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_growth_is_linear_where_the_table_says_so(name: str) -> None:
    values = _apply(name, GRID)
    size = np.abs(values).reshape(len(GRID), -1).max(axis=1)
    linear = bool((size <= 2 * np.abs(GRID) + 2).all())
    assert ACTIVATIONS[name].linear_growth == (linear and name not in ("glu", "sparse_plus", "squareplus"))


@pytest.mark.parametrize("name", SATURATION)
def test_saturated_values_lie_within_one_percent_of_the_range(name: str) -> None:
    low, high = SATURATION[name]
    lowest, highest = (float(end or 0) for end in RANGE[name])
    assert high == pytest.approx(highest - 0.01 * (highest - lowest))
    assert np.isneginf(low) or low == pytest.approx(lowest + 0.01 * (highest - lowest))


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softsign"])
def test_the_slope_of_a_saturated_value_is_small(name: str) -> None:
    x = np.linspace(-200, 200, 400_001)
    values = _apply(name, x)
    slope = np.gradient(values, x)
    saturated = (values <= SATURATION[name][0]) | (values >= SATURATION[name][1])
    assert saturated.any()
    assert slope[saturated].max() < 0.04 * slope.max()


@pytest.mark.parametrize("name", ["linear", "selu", *(n for n, f in ACTIVATIONS.items() if f.ideal_gain > 1)])
def test_the_ideal_gain_is_the_nearer_of_two(name: str, rng: np.random.Generator) -> None:
    """The exact one keeps the mean square of a standard normal signal: 1 / RMS f(z)."""
    exact = 1 / np.sqrt(np.mean(_apply(name, rng.standard_normal(200_000)) ** 2))
    assert min(1.0, np.sqrt(2), key=lambda gain: abs(gain - exact)) == pytest.approx(ACTIVATIONS[name].ideal_gain)
    assert ACTIVATIONS[name].initializer == ("he_normal" if exact > 1.2 else "glorot_uniform")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the operations of TensorFlow's graph")
@pytest.mark.parametrize("name", [name for name, facts in ACTIVATIONS.items() if facts.graph_operation])
def test_operations_of_a_graph_have_the_types_of_the_table(name: str) -> None:
    import tensorflow as tf

    graph = tf.function(keras.activations.get(name)).get_concrete_function(tf.TensorSpec((2, 3))).graph
    assert ACTIVATIONS[name].graph_operation in {operation.type for operation in graph.get_operations()}


def test_layers_are_found_by_their_class_names() -> None:
    kinds = (keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.PReLU, keras.layers.ELU, keras.layers.Softmax)
    assert [CLASS_NAMES[kind.__name__.lower()] for kind in kinds] == ["relu", "leaky_relu", "prelu", "elu", "softmax"]
    assert "linear" not in CLASS_NAMES


def test_nothing_is_known_about_other_activations() -> None:
    assert facts_of("<lambda>") is UNKNOWN
    assert not UNKNOWN.linear_growth
    assert UNKNOWN.range == (None, None)
