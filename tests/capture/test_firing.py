"""Units that fire during training, checked against a spy layer that records its inputs while Keras trains eagerly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.capture.backends.tensorflow import firing
from tb_cnndiag.history import History
from tb_cnndiag.payloads import UnitState, UnitStates
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.warning import DiagnosticsWarning
from tests.models import compiled, images

UNITS = 40
BATCHES = 24


class Spy(layers.Layer):
    """Returns its input unchanged. When run eagerly, it notes which channels exceed 0 anywhere in a training batch."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.notes: list[np.ndarray] = []

    def call(self, x: Any, training: bool = False) -> Any:
        if training and tf.executing_eagerly():
            self.notes.append((x.numpy() > 0).any(axis=(0, 1, 2)))
        return x


def _network(*, norm: bool) -> Any:
    """A layer with units that always fire, fire in some batches, or never fire, due to a bias or a normalization."""
    bias = keras.initializers.Constant
    before = [layers.BatchNormalization(beta_initializer=bias(-2.3))] if norm else []
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(UNITS, 3, name="conv", activation=None if norm else "relu"),
            *before,
            *([layers.ReLU()] if norm else []),
            Spy(name="spy"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(4, activation="softmax", name="head"),
        ]
    )
    if not norm:
        model.get_layer("conv").bias.assign(np.linspace(0, -3, UNITS))
    return model


def _trained(*, norm: bool = False, callbacks: Any = (), epochs: int = 1, **options: Any) -> Any:
    x, y = images(np.random.default_rng(0), 4 * BATCHES - 1)
    model = compiled(_network(norm=norm), keras.optimizers.SGD(0.02), **options)
    model.fit(x, y, batch_size=4, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks))
    return model


def _states(log_dir: Path, layer: str = "conv") -> UnitStates:
    states = History.of(read_run(log_dir / "cnndiag")).latest("dead_units", layer)
    assert isinstance(states, UnitStates)
    return states


@pytest.mark.parametrize("norm", [False, True], ids=["bias", "batch norm"])
@pytest.mark.parametrize(
    "options",
    [{}, {"run_eagerly": True}, {"jit_compile": True}, {"steps_per_execution": 5}],
    ids=["graph", "eager", "XLA", "several steps per execution"],
)
def test_units_reported_as_silent_are_those_the_spy_never_saw_firing(
    options: dict[str, Any], norm: bool, tmp_path: Path
) -> None:
    seen = np.array(_trained(norm=norm, run_eagerly=True).get_layer("spy").notes)
    assert seen.shape == (BATCHES, UNITS)
    observed = [b for b in range(BATCHES) if b < firing.FIRST_BATCHES or b % firing.BATCH_INTERVAL == 0]
    late = observed[len(observed) // 2 :]
    expected = ~seen[late].any(axis=0)
    assert 0 < expected.sum() < UNITS
    assert (expected != ~seen[observed[0]]).any()
    _trained(norm=norm, callbacks=[CNNDiagnostics(tmp_path, verbose=0)], **options)
    states = _states(tmp_path)
    np.testing.assert_array_equal(states.silent_in_training, expected)
    assert (states.training_batches, states.training_samples) == (len(late), 4 * len(late))


def test_each_snapshot_counts_from_zero_and_the_head_is_not_rectified(tmp_path: Path) -> None:
    model = _trained(epochs=3, run_eagerly=True)
    seen = np.array(model.get_layer("spy").notes)[2 * BATCHES :]
    observed = [b for b in range(BATCHES) if b < firing.FIRST_BATCHES or b % firing.BATCH_INTERVAL == 0]
    late = observed[len(observed) // 2 :]
    _trained(epochs=3, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    np.testing.assert_array_equal(_states(tmp_path).silent_in_training, ~seen[late].any(axis=0))
    head = _states(tmp_path, "head")
    assert head.silent_in_training is None
    assert head.training_batches == 0


def test_a_unit_that_fires_only_in_training_is_not_dead(tmp_path: Path) -> None:
    """The probe is nearly black. Units that fire on training images are not dead; units that never fire are."""
    probe = np.random.default_rng(5).normal(0, 0.01, (64, 12, 12, 1)).astype(np.float32)
    _trained(callbacks=[CNNDiagnostics(tmp_path, probe=probe, verbose=0)])
    states = _states(tmp_path)
    assert states.silent_in_training is not None
    silent = states.silent_in_training
    assert 0 < silent.sum() < UNITS
    on_probe = states.states == UnitState.ALIVE
    np.testing.assert_array_equal(states.states == UnitState.DEAD, silent & ~on_probe)
    only_in_training = states.states[~silent & ~on_probe]
    assert only_in_training.size
    assert (only_in_training == UnitState.NEARLY_DEAD).all()


class Branching(keras.Model):
    """Calls its first convolution inside a branch of the step's graph, and its second directly in the step."""

    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Conv2D(3, 3, activation="relu", name="first")
        self.second = layers.Conv2D(3, 3, activation="relu", name="second")
        self.pool = layers.GlobalAveragePooling2D()
        self.head = layers.Dense(4, activation="softmax", name="head")

    def call(self, x: Any) -> Any:
        x = tf.cond(tf.reduce_sum(x) > -1e9, lambda: self.first(x), lambda: tf.zeros((tf.shape(x)[0], 10, 10, 3)))
        x.set_shape((None, 10, 10, 3))
        return self.head(self.pool(self.second(x)))


def test_layers_called_in_an_inner_graph_are_not_observed(tmp_path: Path) -> None:
    x, y = images(np.random.default_rng(0), 16)
    model = Branching()
    model(x[:1])
    compiled(model).fit(x, y, batch_size=4, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    assert _states(tmp_path, "second").training_batches == 2
    assert History.of(read_run(tmp_path / "cnndiag")).latest("dead_units", "first") is None


def test_a_failure_to_observe_is_reported_once_and_training_continues(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare = _trained(epochs=2)

    def broken(*_: Any) -> Any:
        raise TypeError("on purpose")

    monkeypatch.setattr(firing, "channels_last", broken)
    with pytest.warns(DiagnosticsWarning, match="cannot be observed .TypeError: on purpose.") as caught:
        model = _trained(epochs=2, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    assert len([w for w in caught if issubclass(w.category, DiagnosticsWarning)]) == 1
    for a, b in zip(bare.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert _states(tmp_path).silent_in_training is None
    assert (History.of(read_run(tmp_path / "cnndiag")).series("gradient_flow", "gradient_norm").values > 0).all()


def test_the_history_of_batch_sizes_wraps_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(firing, "SIZE_HISTORY", 5)
    monkeypatch.setattr(firing, "FIRST_BATCHES", BATCHES)
    seen = np.array(_trained(run_eagerly=True).get_layer("spy").notes)
    _trained(callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    states = _states(tmp_path)
    np.testing.assert_array_equal(states.silent_in_training, ~seen[-5:].any(axis=0))
    assert (states.training_batches, states.training_samples) == (5, 4 * 4 + 3)
