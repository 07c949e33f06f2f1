"""What a pass over the probe is expected to take, on a clock that the tests move."""

from __future__ import annotations

import keras
import pytest

from tb_cnndiag.capture.backends import backend
from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.recording.pace import StepPace
from tests.recording.conftest import Clock


def test_a_pass_is_expected_from_the_pace_of_the_steps(clock: Clock) -> None:
    pace = StepPace()
    assert pace.expected(256, 32) == {}
    for seconds in (10.0, 0.5, 0.3, 0.4):
        pace.begin()
        clock.pass_by(seconds)
        pace.end(1)
    expected = pace.expected(256, 32)
    assert expected["probe"].later == pytest.approx(0.4 * 0.3 * 8)
    assert expected["probe"].first == pytest.approx(0.12 * 10 + 0.4 * 0.3 * 8)
    assert pace.expected(0, 32) == {}
    # Where nothing is trained, a step is hardly more than the pass.
    frozen = pace.expected(256, 32, trained=0.0)
    assert frozen["probe"].later == pytest.approx(4 * 0.4 * 0.3 * 8)
    assert frozen["probe"].first == pytest.approx(6 * 0.12 * 10 + 4 * 0.4 * 0.3 * 8)
    # However fast the first step was, a compiled pass over a deep network takes its time to make.
    least = backend().compilation_per_layer * 1000
    assert pace.expected(256, 32, 1000)["probe"].first == pytest.approx(max(least, 0.12 * 10) + 0.4 * 0.3 * 8)
    assert pace.expected(256, 32, 4) == expected
    half = pace.expected(256, 32, trained=0.5)
    assert expected["probe"].later < half["probe"].later < frozen["probe"].later


def test_gradients_flow_through_the_layers_from_the_first_trained_one_on() -> None:
    model = keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(4) for _ in range(4))])
    assert ModelInspector({"": model}).trained_share == 1.0
    model.layers[0].trainable = False
    assert ModelInspector({"": model}).trained_share == 0.75
    model.layers[2].trainable = False
    assert ModelInspector({"": model}).trained_share == 0.75
    model.trainable = False
    assert ModelInspector({"": model}).trained_share == 0.0
    other = keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(4) for _ in range(4))])
    assert ModelInspector({"one": model, "other": other}).trained_share == 0.5
