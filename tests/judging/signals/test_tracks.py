"""What a track gives: the first, the last and the latest values; and that each signal has a test."""

from __future__ import annotations

import importlib
import math
import pkgutil
from pathlib import Path

import numpy as np
import pytest

import tb_cnndiag.judging.signals
from tb_cnndiag.judging.signals import gradients, inputs, magnitudes, similarity, weights
from tb_cnndiag.judging.signals.base import MISSING, Signal, Signals, Track, latest_at, logged, over_layers
from tb_cnndiag.payloads import Dendrogram
from tests.judging.boundaries.boundary import UNITS
from tests.judging.faults.made import INFO, LAYERS, history

NAN = math.nan


def test_every_signal_has_a_test_and_a_unit() -> None:
    texts = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for module in pkgutil.iter_modules(tb_cnndiag.judging.signals.__path__):
        for name, value in vars(importlib.import_module(f"tb_cnndiag.judging.signals.{module.name}")).items():
            assert not isinstance(value, Signal) or (name in texts and value.unit in UNITS and value.name), name


RECORDED = {
    "gradient_flow.gradient_norm": gradients.GRADIENT_NORM,
    "gradient_flow.relative_gradient": gradients.RELATIVE_GRADIENT,
    "gradient_flow.non_finite_ratio": gradients.MISSING_GRADIENT,
    "weight_health.rms": weights.WEIGHT_RMS,
    "weight_health.zero_share": weights.ZERO_SHARE,
    "weight_health.gain": magnitudes.GAIN,
    "dead_units.magnitude": magnitudes.MAGNITUDE,
    "model_input.mean": inputs.INPUT_MEAN,
    "model_input.std": inputs.INPUT_DEVIATION,
    "model_input.minimum": inputs.INPUT_MINIMUM,
    "model_input.maximum": inputs.INPUT_MAXIMUM,
    "filter_similarity.twin_ratio": similarity.TWIN_SHARE,
    "filter_similarity.mean_similarity": similarity.MEAN_SIMILARITY,
    "filter_clusters.suggested_width": similarity.SUGGESTED_WIDTH,
}


@pytest.mark.parametrize("column", RECORDED)
def test_signals_that_are_recorded(column: str) -> None:
    """Each is the column of its name, and unknown where all values are missing, or there is no snapshot."""
    signal = RECORDED[column]
    track = Signals(history({column: [[0.5, NAN, 2.0, NAN], [0.25, 1.0, NAN, NAN]]}))(signal)
    np.testing.assert_array_equal(track.values, [[0.5, NAN, 2.0, NAN], [0.25, 1.0, NAN, NAN]])
    assert track.steps.tolist() == [0, 10]
    reason = MISSING.get(column.partition(".")[0], f"no {column.partition('.')[0]} was recorded")
    for run in (history({column: [[NAN] * 4]}), history({}, scalars={"loss": [1.0]})):
        assert (len(Signals(run)(signal)), Signals(run)(signal).reason) == (0, reason)


def test_twins_of_the_latest_clusters() -> None:
    groups = np.array([2, 0, 1, 0, 2, 2, 3, 4])
    tree = Dendrogram(np.zeros((7, 2), int), np.zeros(7), np.arange(8), 0.1, groups)
    signals = Signals(history({"weight_health.rms": [[0.1] * 4]}, payloads=[("filter_clusters", "conv1", tree)]))
    assert similarity.twin_groups(signals, LAYERS[0]) == ((0, 4, 5), (1, 3))
    assert similarity.twin_groups(signals, LAYERS[1]) == ()


@pytest.mark.parametrize("seed", range(10))
def test_the_latest_known_value_of_each_layer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 7))
    values = np.where(rng.random((count, 3)) < 0.4, NAN, rng.random((count, 3)))
    track = Track(np.arange(count) * 10, values)

    def latest(step: int, row: int) -> float:
        known = [v for at, v in zip(track.steps, values[:, row], strict=True) if at <= step and not math.isnan(v)]
        return float(known[-1]) if known else NAN

    steps = np.array([-5, 0, 5, 10, 33, 99])
    expected = [[latest(int(step), row) for row in range(3)] for step in steps]
    np.testing.assert_array_equal(track.at(steps), expected)
    np.testing.assert_array_equal(track.latest, [[latest(int(step), row) for row in range(3)] for step in track.steps])
    for row in range(3):
        np.testing.assert_array_equal(track.last(row), latest(999, row))
        np.testing.assert_array_equal(track.first(row), values[0, row])
    assert track.of_layers
    assert len(track) == count


def test_a_number_of_the_model_is_that_of_every_layer() -> None:
    track = Track.of_model(np.array([0, 10]), [1.0, 2.0])
    assert not track.of_layers
    assert (track.first(3), track.last(3)) == (1.0, 2.0)
    nothing = Track.unknown("why")
    assert (len(nothing), nothing.reason) == (0, "why")
    assert math.isnan(nothing.first())
    assert math.isnan(nothing.last())
    assert np.isnan(nothing.at(np.array([0, 10]))).all()


@pytest.mark.parametrize(
    ("values", "reason", "known"),
    [([NAN, 2.0], "why", True), ([NAN], "why", False), ([NAN], "", True), ([math.inf], "why", False)],
)
def test_constants(values: list[float], reason: str, known: bool) -> None:
    track = Track.constant(values, reason)
    assert (track.steps.tolist() == [0]) == known
    assert track.reason == ("" if known else reason)


def test_the_latest_rows() -> None:
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    measured = np.array([10, 20])
    assert latest_at(measured, measured, values) is values
    np.testing.assert_array_equal(latest_at(np.array([5, 15, 25]), measured, values), [[NAN] * 2, [1, 2], [3, 4]])
    assert np.isnan(latest_at(np.array([5]), np.array([], int), np.empty((0, 3)))).all()
    assert latest_at(np.array([5]), np.array([], int), np.empty((0, 3))).shape == (1, 3)


def test_one_number_over_layers() -> None:
    track = Track(np.array([0, 10, 20]), np.array([[1.0, 3.0, 9.0], [NAN, NAN, 9.0], [math.inf, 5.0, 9.0]]))
    found = over_layers(np.nanmax, track, [0, 1])
    assert (found.steps.tolist(), found.values[:, 0].tolist()) == ([0, 20], [3.0, 5.0])
    whole = over_layers(np.nanmedian, track, [2])
    assert whole.values[:, 0].tolist() == [9.0] * 3
    assert over_layers(np.nanmax, Track(track.steps[1:2], track.values[1:2]), [0]).reason
    model = Track.of_model(np.array([0]), [4.0])
    assert over_layers(np.nanmean, model, [2, 3]).values.tolist() == [[4.0]]
    unknown = Track.unknown("why")
    assert over_layers(np.nanmean, unknown, [0]) is unknown


def test_signals_are_computed_once() -> None:
    calls = []
    signals = Signals(history({"weight_health.rms": [[0.1] * 4]}))

    def compute(given: Signals) -> Track:
        calls.append(given)
        return Track.constant([1.0])

    signal = Signal("made", "ratio", compute)
    assert signals(signal) is signals(signal)
    assert calls == [signals]
    assert (signals.layers, signals.info, signals.trainable, signals.hidden) == (LAYERS, INFO, [0, 1, 2, 3], [0, 1, 2])
    assert logged(signals, "val_loss").reason == "val_loss was not logged: give validation data"
    assert logged(signals, "loss").reason == "loss was not logged"
