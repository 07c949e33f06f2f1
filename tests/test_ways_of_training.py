"""Training with different sources of data, after interruptions, and with different kinds of models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.history import History
from tb_cnndiag.summaries.reader import find_runs, read_run
from tests.models import compiled, images, plain


def _history(log_dir: Path) -> History:
    return History.of(read_run(log_dir / "cnndiag"))


class _Batches(keras.utils.PyDataset):
    def __init__(self, x: Any, y: Any) -> None:
        super().__init__()
        self._x, self._y = x, y

    def __len__(self) -> int:
        return len(self._x) // 16

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        rows = slice(16 * index, 16 * index + 16)
        return self._x[rows], self._y[rows]


def _generator(x: Any, y: Any) -> Iterator[tuple[Any, Any]]:
    while True:
        for start in range(0, len(x), 16):
            yield x[start : start + 16], y[start : start + 16]


SOURCES: dict[str, Callable[[Any, Any], dict[str, Any]]] = {
    "arrays": lambda x, y: {"x": x, "y": y, "batch_size": 16},
    "tf.data": lambda x, y: {"x": tf.data.Dataset.from_tensor_slices((x, y)).batch(16)},
    "tf.data of unknown length": lambda x, y: {
        "x": tf.data.Dataset.from_tensor_slices((x, y)).batch(16).filter(lambda *_: True)
    },
    "generator": lambda x, y: {"x": _generator(x, y), "steps_per_epoch": 4},
    "PyDataset": lambda x, y: {"x": _Batches(x, y)},
    "sample weights": lambda x, y: {"x": x, "y": y, "sample_weight": np.ones(len(x)), "batch_size": 16},
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_sources_of_data(source: str, tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model = compiled(plain())
    model.fit(**SOURCES[source](x, y), epochs=2, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    history = _history(tmp_path)
    assert history.series("weight_health", "rms").steps.tolist() == [0, 4, 8]
    assert history.info
    assert history.info.probe.source == "collected"
    assert sum(history.info.probe.class_counts) == history.info.probe.samples == 64
    assert (history.series("gradient_flow", "gradient_norm").values > 0).all()


def test_a_killed_and_restored_training_continues_its_log(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)

    class KilledError(Exception):
        pass

    class Kill(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                raise KilledError

    def fit(*more: Any) -> None:
        keras.utils.set_random_seed(1)
        restore = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        callbacks = [CNNDiagnostics(tmp_path / "log", verbose=0), *more, restore]
        compiled(plain()).fit(x, y, batch_size=16, epochs=5, verbose=0, callbacks=callbacks)

    with pytest.raises(KilledError):
        fit(Kill())
    fit()
    assert set(find_runs(tmp_path / "log")) == {"."}
    history = _history(tmp_path / "log")
    steps = history.series("weight_health", "rms").steps.tolist()
    assert steps == sorted(set(steps))
    assert steps[-1] == 20


def test_a_fit_with_initial_epoch_continues_the_log(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model = compiled(plain())
    for first, last in ((0, 2), (2, 4)):
        model.fit(
            x,
            y,
            batch_size=16,
            initial_epoch=first,
            epochs=last,
            verbose=0,
            callbacks=[CNNDiagnostics(tmp_path, verbose=0)],
        )
    history = _history(tmp_path)
    assert history.series("weight_health", "rms").steps.tolist() == [0, 4, 8, 12, 16]
    epochs = [m.epoch for m in read_run(tmp_path / "cnndiag") if m.diagnostic == "weight_health"]
    assert epochs == [0, 1, 2, 3, 4]


def test_a_layer_that_is_unfrozen_between_fits(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model = plain()
    model.get_layer("conv_a").trainable = False
    compiled(model).fit(x, y, batch_size=16, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    assert not _history(tmp_path).layers[0].trainable
    model.get_layer("conv_a").trainable = True
    compiled(model).fit(x, y, batch_size=16, verbose=0, callbacks=[CNNDiagnostics(tmp_path / "unfrozen", verbose=0)])
    unfrozen = _history(tmp_path / "unfrozen")
    assert unfrozen.layers[0].trainable
    assert unfrozen.series("gradient_flow", "gradient_norm").values[-1, 0] > 0


def test_blocks_of_modern_networks(tmp_path: Path, rng: np.random.Generator) -> None:
    inputs = keras.Input((12, 12, 1))
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="stem")(inputs)
    x = layers.Activation("gelu")(layers.GroupNormalization(4)(x))
    x = layers.PReLU(name="prelu")(layers.Conv2D(8, 3, padding="same", name="parametric")(x))
    x = layers.Activation("silu", name="silu")(layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x))
    tokens = layers.LayerNormalization()(layers.Reshape((36, 8))(x))
    tokens = layers.Add()([tokens, layers.MultiHeadAttention(2, 4, name="attention")(tokens, tokens)])
    tokens = layers.Bidirectional(layers.GRU(3), name="both_ways")(tokens)
    model = keras.Model(inputs, layers.Dense(4, activation="softmax", name="head")(tokens))
    data = images(rng)
    compiled(model).fit(*data, batch_size=16, verbose=0, callbacks=[CNNDiagnostics(tmp_path, probe=data, verbose=0)])
    history = _history(tmp_path)
    seen = {layer.path: layer.activation for layer in history.layers}
    assert [seen[name] for name in ("stem", "parametric", "depthwise")] == ["gelu", "prelu", "silu"]
    projections = [path for path in seen if path.startswith("attention/")]
    assert len(projections) == 4
    assert history.info
    assert any("both_ways" in note for note in history.info.notes)
    observed = [row for row, layer in enumerate(history.layers) if layer.seen_at]
    assert len(observed) == len(history.layers)
    assert np.isfinite(history.series("dead_units", "dead_ratio").values[:, observed]).all()


def test_weights_tied_across_layers(tmp_path: Path, rng: np.random.Generator) -> None:
    class Tied(keras.layers.Layer):
        """A second projection with the transposed kernel of the first."""

        def __init__(self, dense: Any) -> None:
            super().__init__(name="tied")
            self.dense = dense

        def call(self, x: Any) -> Any:
            return keras.ops.matmul(x, keras.ops.transpose(self.dense.kernel))

    dense = layers.Dense(5, name="encoder")
    inputs = keras.Input((7,))
    model = keras.Model(inputs, Tied(dense)(dense(inputs)))
    model.compile("adam", "mse")
    x = rng.normal(size=(64, 7)).astype(np.float32)
    model.fit(x, x, batch_size=16, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    assert [layer.path for layer in _history(tmp_path).layers] == ["encoder"]
