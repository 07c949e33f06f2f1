"""Each signal against an obvious computation on a handmade history."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tb_cnndiag.judging.signals import (
    accuracy,
    batch_statistics,
    dead_units,
    explosion,
    frozen,
    gradients,
    inputs,
    layers,
    loss,
    magnitudes,
    outputs,
    prior_relative_loss,
    regularization,
    schedule,
    series_of_layers,
    similarity,
    top_images,
    updates,
    validation,
    weights,
)
from tb_cnndiag.judging.signals.base import Signal, Signals
from tb_cnndiag.judging.signals.configuration import BATCH_SIZE
from tb_cnndiag.judging.signals.non_finite import NON_FINITE
from tb_cnndiag.judging.signals.saturation import SATURATED_SHARE
from tb_cnndiag.payloads import Probe, RunInfo, Targets
from tests.judging.faults.made import INFO, LAYERS, NAN, conv, history

LN4 = math.log(4)


def of(signal: Signal, columns: dict[str, Any] | None = None, info: RunInfo = INFO, **scalars: list[float]) -> Any:
    """Values of a signal, as a list of rows, or its reason if it is unknown."""
    track = Signals(history(columns or {}, info=info, scalars=scalars or ({} if columns else {"none": [0.0]})))(signal)
    return track.reason if track.reason else np.round(track.values, 6).tolist()


def row(*values: float) -> list[float]:
    return [float(np.float32(v)) if not math.isnan(v) else v for v in values]


DEAD = {"dead_units.dead_ratio": [[0.0, 0.2, 0.5, NAN], [0.1, 1.0, 0.5, NAN]]}


def test_top_images_kept() -> None:
    kept = {"top_patches.kept_ratio": [[NAN] * 4, [0.25, 0.5, 1.0, NAN], [0.5, NAN, 1.0, 1.0]]}
    assert of(top_images.MEDIAN_TOP_IMAGES_KEPT, kept) == [[0.5], [1.0]]
    assert of(top_images.MEDIAN_TOP_IMAGES_KEPT) == "no top images were recorded twice: give a probe"


def test_dead_units() -> None:
    assert of(dead_units.MOST_DEAD, DEAD) == [[0.5], [1.0]]
    assert of(dead_units.MOST_DEAD_RECTIFIED, DEAD) == [[0.5], [1.0]]
    assert of(dead_units.FIRST_DEAD_SHARE, DEAD) == [[0.5]]
    # conv1 went from 0 to 0.1, conv2 from 0.2 to 1; fc had half of its units dead all the time
    assert of(dead_units.DIED_SHARE, DEAD) == [[0.0], [1.0]]
    blocking = Signals(history(DEAD))(dead_units.BLOCKING_SHARE).values
    np.testing.assert_allclose(blocking, [[0.5, 0.5, 0.5, 0.0], [1.0, 1.0, 0.5, 0.0]], rtol=1e-6)
    assert of(dead_units.DEAD_SHARE) == "no activations were recorded: give a probe"


def test_what_a_probe_collected_in_training_cannot_show() -> None:
    late = history(
        {"weight_health.rms": [[1.0] * 4] * 3, "dead_units.dead_ratio": [[NAN] * 4, *DEAD["dead_units.dead_ratio"]]}
    )
    signals = Signals(late)
    series = signals.history.series("dead_units", "dead_ratio")
    assert series.steps[0] == 0  # all NaN: the first snapshot had no probe
    assert not dead_units.seen_untrained(signals) or np.isnan(series.values[0]).all()


def test_loss() -> None:
    assert of(loss.LOSS, loss=[2.0, 1.0]) == [[2.0], [1.0]]
    assert of(loss.RELATIVE_LOSS, loss=[2 * LN4, LN4 / 2]) == [[2.0], [0.5]]
    assert of(loss.RELATIVE_LOSS, loss=[NAN])[0] == [math.inf]
    assert of(loss.FINITE_RELATIVE_LOSS, loss=[1.0, NAN]) == "the loss is not finite"
    assert of(loss.FIRST_RELATIVE_LOSS, loss=[3 * LN4, 1.0]) == [[3.0]]
    assert of(loss.LAST_RELATIVE_LOSS, loss=[1.0, 3 * LN4]) == [[3.0]]
    assert of(loss.LOSS_RISE, loss=[2.0, 1.0, 1.5]) == [[1.0], [1.0], [1.5]]
    assert of(loss.RISE_OF_SEVERAL, loss=[2.0]) == "there is a single loss"
    assert of(loss.LOSS_DECREASE, loss=[2.0, 1.0, 1.5]) == [[0.0], [0.5], [0.5]]
    assert of(loss.LOSS) == "loss was not logged"


def test_a_loss_of_another_name_is_the_loss_if_it_is_the_only_one() -> None:
    assert of(loss.LOSS, n_loss=[2.0], val_n_loss=[3.0]) == [[2.0]]
    assert of(loss.LOSS, d_loss=[2.0], g_loss=[1.0]) == "loss was not logged"


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1.0, 2.0, 1.0, 3.0], 2.0), ([1.0, 0.5, 0.4], 1.0), ([1.0, 3.0, 2.0, 1.0], 1.0)],
)
def test_the_second_largest_rise_of_five_epochs(values: list[float], expected: float) -> None:
    assert of(loss.LOSS_ZIGZAG, loss=values)[-1] == [expected]


@pytest.mark.parametrize(
    ("name", "targets", "expected"),
    [
        ("mse", Targets(variance=4.0, deviation=1.5), 0.25),
        (["mae"], Targets(variance=4.0, deviation=1.5), 1 / 1.5),
        ({"out": {"class_name": "MeanSquaredError", "config": {}}}, Targets(variance=4.0), 0.25),
        ("poisson", Targets(variance=4.0), "the prior loss of this loss is not known"),
        (["mse", "mae"], Targets(variance=4.0), "the prior loss of this loss is not known"),
    ],
)
def test_the_prior_loss_of_a_regression(name: Any, targets: Targets, expected: Any) -> None:
    head = replace(LAYERS[3], units=1, activation="linear")
    info = replace(INFO, layers=(*LAYERS[:3], head), loss=json.dumps(name), probe=Probe("given", 64, (), targets))
    found = of(prior_relative_loss.PRIOR_RELATIVE_LOSS, info=info, loss=[1.0])
    assert found == (expected if isinstance(expected, str) else [[pytest.approx(expected, abs=1e-6)]])


def test_updates_and_weights() -> None:
    rows = {"update_ratio.update_ratio": [[0.1, 0.2, 0.4, 0.8], [0.1] * 4, [NAN, 0.3, NAN, NAN]]}
    assert of(updates.MEDIAN_UPDATE_RATIO, rows) == [[pytest.approx(0.3)], [pytest.approx(0.1)], [pytest.approx(0.3)]]
    assert of(updates.LARGEST_UPDATE_RATIO, rows)[0] == [pytest.approx(0.8)]
    assert of(updates.PATIENT_UPDATE_RATIO, rows)[0] == [pytest.approx(20 * 0.8)]
    assert of(updates.PEAK_UPDATE_RATIO, rows) == [[pytest.approx(0.3)]] * 3
    grown = {"weight_health.rms": [[1.0, 2.0, 1.0, 1.0], [4.0, 2.0, 3.0, 2.0], [1.0, 2.0, 1.0, 1.0]]}
    assert of(weights.WEIGHT_GROWTH, grown) == [[1.0], [2.5], [2.5]]


def test_updates_before_an_overflow() -> None:
    rows = {
        "weight_health.rms": [[0.5] * 4, [NAN] * 4],
        "weight_health.non_finite": [[0.0] * 4, [3.0] * 4],
        "gradient_flow.gradient_norm": [[6.0] * 4, [NAN] * 4],
    }
    norms = [0.5 * math.sqrt(layer.units * layer.fan_in) for layer in LAYERS]
    (value,) = of(updates.OVERFLOWING_UPDATE, rows)[0]
    assert value == pytest.approx(np.median([0.1 * 6.0 / norm for norm in norms]), rel=1e-4)  # SGD at 0.1
    rows["gradient_flow.gradient_norm"] = [[6.0] * 4, [60.0] * 4]  # that of the step at which weights overflow counts
    assert of(updates.OVERFLOWING_UPDATE, rows)[0][0] == pytest.approx(10 * value, rel=1e-4)
    assert of(updates.OVERFLOWING_UPDATE, {"weight_health.non_finite": [[0.0] * 4]}) == [[0.0]]


def test_gradients() -> None:
    rows = {"gradient_flow.relative_gradient": [[0.1, 2.0, 4.0, 8.0]]}
    assert of(gradients.MEDIAN_RELATIVE_GRADIENT, rows) == [[3.0]]
    assert of(gradients.LARGEST_RELATIVE_GRADIENT, rows) == [[8.0]]
    assert of(gradients.GRADIENT_DECAY, rows) == [[pytest.approx(0.1 / 8)]]
    assert of(gradients.HIDDEN_GRADIENT_DECAY, rows) == [[pytest.approx(0.1 / 4)]]
    updated = rows | {"update_ratio.update_ratio": [[1e-5, 1.0, 1.0, 1.0]]}
    assert of(gradients.FIRST_LAYER_UPDATE, updated) == [[pytest.approx(1e-5)]]
    norms = {"gradient_flow.gradient_norm": [[0.0, 1.0, NAN, 0.0], [0.0, 0.0, NAN, 2.0]]}
    assert np.array_equal(
        np.asarray(of(gradients.ZERO_GRADIENT, norms)), [[1, 0, NAN, 1], [1, 0, NAN, 0]], equal_nan=True
    )
    assert of(gradients.ALL_ZERO_GRADIENTS, {"gradient_flow.gradient_norm": [[0.0] * 4, [0, 0, 0, 1.0]]}) == [[1], [0]]
    missing = {"gradient_flow.non_finite_ratio": [[0.0, NAN, 0.0, 0.0]]}
    assert of(gradients.NO_GRADIENT, missing) == [[0, 1, 0, 0]]


def test_first_gradients() -> None:
    rows = {"gradient_flow.gradient_norm": [[9.0] * 4], "weight_health.rms": [[0.5] * 4]}
    norms = [0.5 * math.sqrt(layer.units * layer.fan_in) for layer in LAYERS]
    (value,) = of(explosion.FIRST_RELATIVE_GRADIENT, rows)[0]
    assert value == pytest.approx(np.median([9 / norm for norm in norms]), rel=1e-4)


def test_initial_gains() -> None:
    rows = {"weight_health.gain": [[2 * math.sqrt(2), 4 * math.sqrt(2), math.sqrt(2), 1.0]]}
    np.testing.assert_allclose(of(magnitudes.GAIN_EXCESS, rows), [[2.0, 4.0, 1.0, 1.0]], rtol=1e-4)
    assert of(magnitudes.LARGEST_GAIN_EXCESS, rows) == [[pytest.approx(4.0, rel=1e-4)]]
    assert of(magnitudes.SIGNAL_GROWTH, rows) == [[pytest.approx(8.0, rel=1e-4)]]
    assert of(magnitudes.SIGNAL_SHRINKAGE, rows) == [[pytest.approx(1.0)]]


def test_parallel_layers_are_not_in_series() -> None:
    """Query, key and value, each with a gain of 0.63, before one projection: the largest product has two factors."""
    linear = {"activation": "linear", "linear_behind": False}
    attention = (
        conv("query", **linear), conv("key", **linear), conv("value", **linear),
        conv("out", 0, 1, 2, **linear),
    )  # fmt: skip
    info = replace(INFO, layers=attention)
    rows = {"weight_health.gain": [[0.63, 0.63, 0.63, 1.0]]}
    assert of(magnitudes.SIGNAL_SHRINKAGE, rows, info) == [[pytest.approx(1 / 0.63, rel=1e-4)]]
    # A shortcut around a block, and a normalization behind a layer, keep the scale.
    block = (conv("a"), conv("b", 0), conv("c", 0, 1))
    rows = {"weight_health.gain": [[1.0, 0.1, 1.0]]}
    assert of(magnitudes.SIGNAL_SHRINKAGE, rows, replace(INFO, layers=block)) == [[pytest.approx(10.0, rel=1e-4)]]
    normalized = (conv("a"), conv("b", 0, normalization="n"), conv("c", 1))
    assert of(magnitudes.SIGNAL_SHRINKAGE, rows, replace(INFO, layers=normalized)) == [[pytest.approx(1.0, rel=1e-4)]]


@pytest.mark.parametrize(("gain", "signal"), [(0.1, magnitudes.SIGNAL_SHRINKAGE), (20.0, magnitudes.SIGNAL_GROWTH)])
def test_a_product_of_many_gains_may_exceed_the_range_of_numbers(gain: float, signal: Signal) -> None:
    chain = tuple(conv(f"layer{i}", *([i - 1] if i else [])) for i in range(1000))
    rows = {"weight_health.gain": [[gain] * 1000]}
    assert of(signal, rows, replace(INFO, layers=chain)) == [[1e300]]


def test_signals_relative_to_the_input() -> None:
    rows = {
        "weight_health.rms": [[0.1] * 4],
        "dead_units.magnitude": [[1.0, 8.0, 60.0, 0.2]],
        "model_input.mean": [[3.0, NAN, NAN, NAN]],
        "model_input.std": [[4.0, NAN, NAN, NAN]],
    }
    assert of(magnitudes.SIGNAL, rows) == [[pytest.approx(60 / 5, rel=1e-4)]]
    assert of(magnitudes.FASTER_SIGNAL, rows) == [[0.0]]
    faster = replace(INFO, layers=(LAYERS[0], replace(LAYERS[1], activation="my_square"), *LAYERS[2:]))
    assert of(magnitudes.FASTER_SIGNAL, rows, faster) == [[pytest.approx(8 / 5, rel=1e-4)]]
    assert of(magnitudes.SIGNAL, rows, faster) == [[0.0]]


def test_inputs() -> None:
    rows = {
        "model_input.mean": [[-30.0, NAN, NAN, NAN]],
        "model_input.std": [[4.0, NAN, NAN, NAN]],
        "model_input.constant_share": [[0.25, NAN, NAN, NAN]],
    }
    assert of(inputs.INPUT_OFFSET, rows)[0][0] == 30.0
    assert of(inputs.INPUT_SCALE, rows)[0][0] == 30.0
    assert of(inputs.CONSTANT_SHARE, rows)[0][0] == 0.25
    single = replace(INFO, layers=(replace(LAYERS[0], fan_in=1), *LAYERS[1:]))
    assert of(inputs.CONSTANT_SHARE, rows, single) == "samples of a single number are always constant"


def test_outputs() -> None:
    rows = {
        f"model_output.{name}": [[NAN, NAN, NAN, 1.0], [NAN, NAN, NAN, 0.4]] for name in ("top_class_share", "accuracy")
    }
    assert of(outputs.TOP_CLASS_SHARE, rows)[0][3] == pytest.approx(0.4)  # without step 0
    assert of(outputs.PROBE_ACCURACY, rows)[0][3] == pytest.approx(0.4)
    uneven = replace(INFO, probe=Probe("given", 64, (48, 16)))
    assert of(outputs.LARGEST_CLASS, info=uneven) == [[0.75]]
    assert of(outputs.LARGEST_CLASS, info=replace(INFO, probe=Probe("given", 64))).startswith("the labels")
    spread = {"model_output.spread": [[NAN, NAN, NAN, 1.0], [NAN, NAN, NAN, 0.5]]}
    targets = replace(INFO, probe=Probe("given", 64, (), Targets(variance=4.0)))
    assert of(outputs.RELATIVE_SPREAD, spread, targets)[0][3] == 0.25


def test_similarity_of_initial_filters() -> None:
    rows = {
        "filter_similarity.mean_similarity": [[0.1, 1.0, NAN, 0.2], [0.1, 0.7, NAN, 0.2], [0.1, 0.8, NAN, 0.2]],
        "weight_health.zero_share": [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
    }
    np.testing.assert_allclose(of(similarity.INITIAL_SIMILARITY, rows), [[0.1, 1.0, 1.0, 0.2]], rtol=1e-5)
    later = [[0.1, 1.0, 1.0, 0.2], [0.1, 0.7, 1.0, 0.2], [0.1, 0.7, 1.0, 0.2]]
    np.testing.assert_allclose(of(similarity.LATER_SIMILARITY, rows), later, rtol=1e-5)


def test_validation() -> None:
    curves = {"loss": [1.0, 0.5, 0.4, 0.3], "val_loss": [2.0, 1.0, 1.5, 3.0]}
    assert of(validation.VALIDATION_TO_TRAINING, **curves) == [[2.0], [2.0], [3.75], [10.0]]
    assert of(validation.RECENT_VALIDATION_LOSS, **curves)[-1] == [2.25]  # mean of 1.5 and 3
    assert of(validation.VALIDATION_RISE, **curves)[-1] == [2.25]
    assert of(validation.VALIDATION_RISE_OF_FIRST, **curves)[-1] == [0.625]
    assert of(validation.GENERALIZATION_GAP, **curves)[-1] == [7.5]
    assert of(validation.ACCURACY_GAP, accuracy=[0.9], val_accuracy=[0.6]) == [[pytest.approx(0.3)]]
    assert of(validation.VALIDATION_RISE, loss=[1.0]) == "val_loss was not logged: give validation data"


def test_regularization() -> None:
    decay = json.dumps({"class_name": "AdamW", "config": {"learning_rate": 0.1, "weight_decay": 0.5}})
    rows = {"weight_health.rms": [[0.1] * 4]}
    assert of(regularization.REGULARIZATION, rows, replace(INFO, optimizer=decay)) == [[pytest.approx(0.05 / 0.01)]]
    config = json.dumps({"kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.01}}})
    punished = replace(INFO, layers=(replace(LAYERS[0], config=config), *LAYERS[1:]))
    expected = 0.01 * 8 * 27 * 0.01 / LN4
    assert of(regularization.REGULARIZATION, rows, punished) == [[pytest.approx(expected, rel=1e-3)]]


def test_schedules() -> None:
    assert of(schedule.RATE_FALL, learning_rate=[0.1, 0.2, 0.05]) == [[1.0], [1.0], [4.0]]
    for rates, risen in (([0.1, 0.2], True), ([0.1, 0.2, 0.05], False), ([0.1, 0.1], False)):
        logged = Signals(history({}, info=INFO, scalars={"learning_rate": rates}))
        assert schedule.rate_has_risen(logged) is risen


def test_layers() -> None:
    assert of(layers.FAN_IN) == [[27, 72, 288, 16]]
    assert of(layers.NARROWEST) == [[8]]
    assert of(BATCH_SIZE, info=replace(INFO, batch_size=32)) == [[32]]
    assert of(BATCH_SIZE) == "the batch size is not known"
    pair = replace(INFO, layers=(conv("a"), conv("b", 0, activation="relu")))
    assert of(series_of_layers.LINEAR_PAIRS, info=pair) == [[1]]
    shared = replace(INFO, layers=(conv("a"), conv("b", 0, activation="relu"), conv("c", 0, activation="relu")))
    assert of(series_of_layers.LINEAR_PAIRS, info=shared) == [[0]]


def test_frozen_layers() -> None:
    layer = replace(conv("a"), trainable=False, initializer="he_normal")
    info = replace(INFO, layers=(layer, *LAYERS[1:]))
    size = 1.5 * math.sqrt(2 / 144)
    found = of(frozen.RANDOM_DEVIATION, {"weight_health.rms": [[size, 0.1, 0.1, 0.1]]}, info)
    assert found[0][0] == pytest.approx(0.5, abs=1e-4)
    within = of(frozen.RANDOM_DEVIATION, {"weight_health.rms": [[1.01 * size / 1.5, 0.1, 0.1, 0.1]]}, info)
    assert within[0][0] == 0  # 2304 weights: their RMS varies by 1.5 %


def test_batch_statistics() -> None:
    normalized = tuple(replace(layer, normalization_class="BatchNormalization") for layer in LAYERS[:2])
    info = replace(INFO, layers=(*normalized, *LAYERS[2:]))
    rows = {
        "batch_statistics.mean_shift": [[0.5, 2.0, NAN, NAN]],
        "batch_statistics.variance_ratio": [[0.1, 4.0, NAN, NAN]],
        "model_output.accuracy": [[NAN, NAN, NAN, 0.1], [NAN, NAN, NAN, 0.3]],
    }
    rows = {name: values * (3 - len(values)) for name, values in rows.items()}
    assert of(batch_statistics.LARGEST_SHIFT, rows, info)[0] == [2.0]
    assert of(batch_statistics.LARGEST_VARIANCE_CHANGE, rows, info)[0] == [pytest.approx(10.0, rel=1e-5)]
    gap = of(batch_statistics.INFERENCE_GAP, rows, info, accuracy=[0.2, 0.9])
    assert gap == [[pytest.approx(0.6)]]


def test_training_accuracy() -> None:
    assert of(accuracy.TRAINING_ACCURACY, accuracy=[0.25, 0.7]) == [[0.0], [pytest.approx(0.6)]]
    uneven = replace(INFO, probe=Probe("given", 64, (32, 16, 8, 8)))
    assert of(accuracy.TRAINING_ACCURACY, info=uneven, acc=[0.75]) == [[0.5]]
    assert of(accuracy.TRAINING_ACCURACY).startswith("no accuracy")


def test_non_finite_values() -> None:
    rows = {"weight_health.non_finite": [[0.0] * 4, [0.0, 7.0, 0.0, 0.0]]}
    assert of(NON_FINITE, rows) == [[0.0], [7.0]]
    assert of(NON_FINITE, loss=[1.0, NAN]) == [[0.0], [1.0]]


def test_saturation() -> None:
    assert of(SATURATED_SHARE, {"saturation.pinned_ratio": [[0.5, NAN, NAN, NAN]]})[0][0] == 0.5
