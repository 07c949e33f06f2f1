"""What a run was configured with: optimizer, rate, decay, penalties, biases; and frozen or linear layers."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tb_cnndiag.judging.signals import (
    configuration,
    explosion,
    frozen,
    loss,
    magnitudes,
    regularization,
    series_of_layers,
    similarity,
    updates,
)
from tb_cnndiag.payloads import LayerInfo, LossFacts, RunInfo
from tests.judging.faults.made import conv
from tests.judging.signals.random_runs import INFO, Column, Run, check

LN4 = math.log(4)
PLAIN = replace(INFO, layers=tuple(replace(layer, config="") for layer in INFO.layers))
NAN = math.nan


def optimizer(name: str, **config: Any) -> RunInfo:
    return replace(PLAIN, optimizer=json.dumps({"class_name": name, "config": config}))


def scaled(name: str, **config: Any) -> RunInfo:
    """An optimizer inside one that scales the loss, as mixed precision has it."""
    inner = {"class_name": name, "config": config}
    return optimizer("LossScaleOptimizer", learning_rate=9.0, inner_optimizer=inner)


@pytest.mark.parametrize("wrap", [optimizer, scaled])
@pytest.mark.parametrize(("name", "scales"), [("SGD", False), ("Adam", True), ("RMSprop", True)])
def test_optimizers(wrap: Any, name: str, scales: bool) -> None:
    signals = Run(wrap(name, learning_rate=0.5, clipnorm=1.0)).signals()
    assert configuration.optimizer_name(signals) == name
    assert configuration.optimizer_config(signals) == {"learning_rate": 0.5, "clipnorm": 1.0}
    assert configuration.learning_rate(signals) == 0.5
    assert configuration.scales_updates(signals) == scales


@pytest.mark.parametrize("text", ["", "not json", "[1]", "[" * 100_000, '"Adam"', "{}"])
def test_an_optimizer_that_is_not_known(text: str) -> None:
    signals = Run(replace(INFO, optimizer=text)).signals()
    assert configuration.optimizer_name(signals) == ""
    assert configuration.optimizer_config(signals) == {}
    assert configuration.learning_rate(signals) is None
    assert not configuration.scales_updates(signals)


def test_the_logged_rate_counts_before_the_configured_one() -> None:
    run = Run(optimizer("Adam", learning_rate=0.5), scalars={"learning_rate": {0: 0.5, 10: 0.05}})
    assert configuration.learning_rate(run.signals()) == 0.05
    schedule = {"class_name": "CosineDecay", "config": {}}
    assert configuration.learning_rate(Run(optimizer("Adam", learning_rate=schedule)).signals()) is None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("zeros", "zeros"),
        ({"class_name": "Zeros", "config": {}}, "zeros"),
        ({"class_name": "Constant", "config": {"value": 1}}, "Constant"),
        (None, ""),
    ],
)
def test_the_initializer_of_a_bias(given: Any, name: str) -> None:
    config = {} if given is None else {"bias_initializer": given}
    assert configuration.bias_initializer(LayerInfo("a", config=json.dumps(config))) == name


def penalized(**penalties: tuple[str, dict[str, float]]) -> LayerInfo:
    config = {name: {"class_name": kind, "config": factors} for name, (kind, factors) in penalties.items()}
    return replace(INFO.layers[1], config=json.dumps(config))


def weaker(info: RunInfo) -> list[tuple[str | None, str, str, str]]:
    found = regularization.weaker_regularization(Run(info).signals())
    return [(each.layer, each.parameter, each.current, each.proposed) for each in found]


@pytest.mark.parametrize(
    ("name", "decay", "strong"),
    [("AdamW", 0.49, False), ("AdamW", 0.5, True), ("SGD", 0.019, False), ("SGD", 0.02, True), ("AdamW", None, False)],
)
def test_a_strong_weight_decay(name: str, decay: float | None, strong: bool) -> None:
    found = weaker(optimizer(name, weight_decay=decay))
    assert found == ([(None, "weight_decay", f"{decay:g}", "0.0001")] if strong else [])


@pytest.mark.parametrize(("rate", "strong"), [(0.59, False), (0.6, True), (0.9, True)])
def test_a_strong_dropout(rate: float, strong: bool) -> None:
    layers = (PLAIN.layers[0], replace(PLAIN.layers[1], dropout=rate, dropout_at="drop"), *PLAIN.layers[2:])
    found = weaker(replace(PLAIN, layers=layers))
    assert found == ([("drop", "rate", f"{rate:g}", "0.3")] if strong else [])


@pytest.mark.parametrize(
    ("penalty", "current"),
    [
        ({"l1": 0.0009}, None),
        ({"l1": 0.001}, "l1=0.001"),
        ({"l2": 0.0029}, None),
        ({"l2": 0.003}, "l2=0.003"),
        ({"l1": 0.5, "l2": 0.25}, "l1=0.5, l2=0.25"),
        ({"l1": 0.5, "l2": 0.001}, "l1=0.5"),
        ({"l1": None}, None),
        ({"strength": 9.0}, None),
    ],
)
@pytest.mark.parametrize("parameter", ["kernel_regularizer", "activity_regularizer"])
def test_a_strong_penalty(parameter: str, penalty: Any, current: str | None) -> None:
    info = replace(PLAIN, layers=(PLAIN.layers[0], penalized(**{parameter: ("L1L2", penalty)}), *PLAIN.layers[2:]))
    assert weaker(info) == ([("b", parameter, current, "None")] if current else [])


def test_each_strong_regularization_is_weakened_decay_first() -> None:
    layer = replace(penalized(kernel_regularizer=("L2", {"l2": 1.0})), dropout=0.8, dropout_at="drop")
    decayed = optimizer("SGD", weight_decay=1.0)
    info = replace(decayed, layers=(PLAIN.layers[0], layer))
    assert [parameter for _, parameter, _, _ in weaker(info)] == ["weight_decay", "rate", "kernel_regularizer"]
    assert regularization.decay_per_step(Run(info).signals()) == 0  # the rate is not known


@pytest.mark.parametrize("penalty", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("decay", [0.0, 0.05, 2.0])
def test_regularization_relative_to_the_loss(penalty: float, decay: float) -> None:
    """The penalty on the initial weights against the prior loss, or the decay per step against 1 % of the weights."""
    layers = (penalized(kernel_regularizer=("L2", {"l2": penalty})), *INFO.layers[2:])
    info = replace(optimizer("AdamW", learning_rate=0.1, weight_decay=decay), layers=layers)
    columns: dict[str, Column] = {"weight_health.rms": {0: [0.5] * 5, 10: [9.0] * 5}}
    expected = max(decay * 0.1 / 0.01, penalty * 8 * 72 * 0.5**2 / LN4)
    check(regularization.REGULARIZATION, Run(info, columns), {0: [expected]})
    assert regularization.regularization_dominates(Run(info, columns).signals()) == (expected >= 1)
    check(regularization.REGULARIZATION, Run(info), {0: [decay * 0.1 / 0.01]})


SIZE = math.sqrt(2 / 144)  # of the he_normal weights of a layer of ``conv``


def random_and_frozen(*factors: float, initializers: tuple[str, ...] = ()) -> Run:
    """Frozen layers whose RMS weight is this many times the initial one, before a trainable output."""
    names = initializers or ("he_normal",) * len(factors)
    layers = [replace(conv(f"f{i}"), trainable=False, initializer=name) for i, name in enumerate(names)]
    info = replace(INFO, layers=(*layers, INFO.layers[-1]))
    return Run(info, {"weight_health.rms": {0: [SIZE] * (len(factors) + 1), 10: [f * SIZE for f in factors] + [1.0]}})


@pytest.mark.parametrize(
    ("factors", "worst"),
    [
        ((1.0, 1.0), 0.0),
        ((1.02, 0.98), 0.0),
        ((1.05, 1.0), 0.05),
        ((1.0, 0.5), 0.5),
        ((1.1, 0.7), 0.3),
        ((NAN, 1.2), 0.2),
    ],
)
def test_frozen_layers_are_as_random_as_the_least_random_one(factors: tuple[float, ...], worst: float) -> None:
    # The last known size counts, so a layer that was not measured in the end keeps its initial one.
    track = random_and_frozen(*factors).signals()(frozen.RANDOM_DEVIATION)
    np.testing.assert_allclose(track.values[0], [worst, worst, NAN], atol=1e-6)


def test_what_frozen_layers_need_to_be_judged() -> None:
    check(
        frozen.RANDOM_DEVIATION,
        random_and_frozen(1.0, initializers=("orthogonal",)),
        "no frozen layer has a known initializer",
    )
    assert frozen.frozen_rows(random_and_frozen(1.0).signals()) == [0]
    still = replace(INFO, layers=tuple(replace(layer, trainable=False) for layer in INFO.layers))
    assert frozen.frozen_rows(Run(still).signals()) == []
    check(frozen.RANDOM_DEVIATION, Run(still), "no weights were recorded")


LINEAR = {"activation": "linear", "linear_behind": True}


@pytest.mark.parametrize(
    ("first", "second", "pairs"),
    [
        (conv("a"), conv("b", 0), {0: 1}),
        (conv("a", activation="relu"), conv("b", 0), {}),
        (conv("a", linear_behind=False), conv("b", 0), {}),
        (conv("a", output=True), conv("b", 0), {}),
        (conv("a"), conv("b"), {}),  # not connected
        (conv("a", role="depthwise_conv"), conv("b", 0), {}),
        (conv("a"), conv("b", 0, role="depthwise_conv"), {}),
        (replace(conv("a"), class_name="EinsumDense"), conv("b", 0), {}),
        (conv("a"), replace(conv("b", 0), class_name="SeparableConv2D"), {}),
        (conv("a", units=8), conv("b", 0, units=16), {}),  # a bottleneck: narrower than its 16 inputs and 16 outputs
        (conv("a", units=8), conv("b", 0, units=8), {0: 1}),
        (conv("a", units=16), conv("b", 0, units=32), {0: 1}),
        (replace(conv("a"), kernel_shape=(1, 3, 16, 16)), replace(conv("b", 0), kernel_shape=(3, 1, 16, 16)), {}),
        (replace(conv("a"), kernel_shape=(3, 1, 16, 16)), replace(conv("b", 0), kernel_shape=(1, 3, 16, 16)), {}),
        (replace(conv("a"), kernel_shape=(1, 3, 16, 16)), replace(conv("b", 0), kernel_shape=(1, 3, 16, 16)), {0: 1}),
        (replace(conv("a"), kernel_shape=(1, 1, 16, 16)), replace(conv("b", 0), kernel_shape=(3, 3, 16, 16)), {0: 1}),
        (replace(conv("a"), kernel_shape=(1, 1, 16, 16)), replace(conv("b", 0), kernel_shape=(1, 3, 16, 16)), {0: 1}),
    ],
)
def test_linear_layers_in_series(first: LayerInfo, second: LayerInfo, pairs: dict[int, int]) -> None:
    run = Run(replace(INFO, layers=(first, second)))
    assert series_of_layers.linear_pairs(run.signals()) == pairs
    check(series_of_layers.LINEAR_PAIRS, run, {0: [float(len(pairs))]})


def test_a_layer_that_feeds_two_others_or_is_joined_by_another_is_not_superfluous() -> None:
    shared = (conv("a"), conv("b", 0), conv("c", 0))
    joined = (conv("a"), conv("s", activation="relu"), conv("b", 0, 1))
    for layers in (shared, joined):
        assert series_of_layers.linear_pairs(Run(replace(INFO, layers=layers)).signals()) == {}


@pytest.mark.parametrize(("name", "expected"), [("SGD", 0.1 * 6.0 / 0.5), ("Adam", 0.1 / 0.5)])
def test_the_update_before_an_overflow(name: str, expected: float) -> None:
    """Plain descent changes weights by the rate times the gradient, others by about the rate: median over layers."""
    layers = tuple(replace(layer, units=1, fan_in=1) for layer in INFO.layers)
    info = replace(optimizer(name, learning_rate=0.1), layers=layers)
    columns: dict[str, Column] = {
        "weight_health.rms": {0: [0.5] * 6, 10: [0.8] * 6, 20: [NAN] * 6},
        "weight_health.non_finite": {0: [0.0] * 6, 10: [0.0] * 6, 20: [0.0, 3.0, 0, 0, 0, 0], 30: [1.0] * 6},
        "gradient_flow.gradient_norm": {0: [1.0] * 6, 10: [2.0, 4.0, 6.0, 8.0, 1e9, 99.0], 30: [50.0] * 6},
    }
    check(updates.OVERFLOWING_UPDATE, Run(info, columns), {20: [expected], 30: [expected]})
    unknown = "learning rate, gradients or initial weights are not known"
    check(updates.OVERFLOWING_UPDATE, Run(replace(info, optimizer=""), columns), unknown)
    for name_of in ("weight_health.rms", "gradient_flow.gradient_norm"):
        without = {key: value for key, value in columns.items() if key != name_of}
        check(updates.OVERFLOWING_UPDATE, Run(info, without), unknown)
    check(updates.OVERFLOWING_UPDATE, Run(info, {"weight_health.rms": {0: [0.5] * 6}}), "no weights were recorded")


@pytest.mark.parametrize(
    ("name", "rate", "expected"),
    [("SGD", 0.011, True), ("SGD", 0.012, False), ("Adam", 0.001, False), ("", 0.001, False), ("SGD", None, False)],
)
def test_plain_descent_at_a_usual_rate(name: str, rate: float | None, expected: bool) -> None:
    config = {} if rate is None else {"learning_rate": rate}
    assert explosion.plain_descent_at_a_usual_rate(Run(optimizer(name, **config)).signals()) == expected


@pytest.mark.parametrize(
    ("units", "fan_in", "initializer", "chance"),
    [
        (7, 9, "he_normal", True),
        (8, 8, "he_normal", False),
        (7, 9, "lecun_uniform", True),
        (7, 9, "glorot_uniform", True),
        (7, 9, "random_normal", False),
        (7, 9, "", False),
    ],
)
def test_chance_decides_the_size_of_few_weights(units: int, fan_in: int, initializer: str, chance: bool) -> None:
    layer = replace(INFO.layers[1], units=units, fan_in=fan_in, initializer=initializer)
    assert magnitudes.by_chance(layer) == chance
    run = Run(replace(INFO, layers=(layer,)), {"weight_health.gain": {0: [40.0]}})
    check(magnitudes.GAIN_EXCESS, run, {0: [1.0 if chance else 40.0]})
    similar = Run(replace(INFO, layers=(layer,)), {"filter_similarity.mean_similarity": {0: [1.0]}})
    unknown = "the initial filters were not compared"
    check(similarity.INITIAL_SIMILARITY, similar, unknown if chance else {0: [1.0]})


@pytest.mark.parametrize(
    ("gain", "measured", "expected"), [(1.39, 50.0, 1.39), (1.41, 50.0, 50.0), (1.41, 1.2, 1.41), (9.0, 50.0, 50.0)]
)
def test_weights_of_one_sign_show_where_the_gain_is_large(gain: float, measured: float, expected: float) -> None:
    """The gain assumes independent weights; from 1.4 times the ideal one on, that of the activations counts."""
    layers = (replace(INFO.layers[1], activation="linear"), replace(INFO.layers[2], activation="linear", inputs=(0,)))
    columns: dict[str, Column] = {
        "weight_health.gain": {0: [1.0, gain]},
        "weight_health.rms": {0: [0.1, 0.1]},
        "dead_units.magnitude": {0: [2.0, 2.0 * measured]},
        "model_input.mean": {0: [0.0, NAN]},
        "model_input.std": {0: [2.0, NAN]},
    }
    check(magnitudes.GAIN_EXCESS, Run(replace(INFO, layers=layers), columns), {0: [1.0, expected]})
    bounded = (layers[0], replace(layers[1], activation="tanh"))
    check(magnitudes.GAIN_EXCESS, Run(replace(INFO, layers=bounded), columns), {0: [1.0, gain]})
    faster = (layers[0], replace(layers[1], activation="mine"))
    check(magnitudes.GAIN_EXCESS, Run(replace(INFO, layers=faster), columns), {0: [1.0, gain]})


@pytest.mark.parametrize(("lowest", "known"), [(None, True), (0.0, True), (-0.001, True), (-0.0011, False)])
def test_a_loss_that_can_be_negative_has_no_share_left(lowest: float | None, known: bool) -> None:
    info = replace(INFO, loss='"mine"', loss_facts=LossFacts(lowest=lowest))
    reason = "the loss can be negative: what share of the first loss is left says nothing"
    run = Run(info, {}, {"loss": {0: 4.0, 10: 1.0}})
    check(loss.RELATIVE_LOSS, run, {0: [1.0], 10: [0.25]} if known else reason)
