"""Hand-written loops, models of several parts, audits, preflights and changes to a model, on each backend."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tb_cnndiag import CNNDiagnostics, adjust, audit
from tb_cnndiag.history import History
from tb_cnndiag.payloads import UnitStates
from tb_cnndiag.preflight_checks.run import preflight_verdict
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.warning import DiagnosticsWarning
from tests.backends import loops
from tests.models import compiled, images, plain

BACKEND = keras.backend.backend()


def _history(log_dir: Path) -> History:
    return History.of(read_run(log_dir / "cnndiag"))


@pytest.mark.parametrize("kind", loops.KINDS[BACKEND])
def test_a_loop_is_recorded_and_not_changed(kind: str, tmp_path: Path) -> None:
    """Gradient norms are those that the loop sees itself; weights are bit for bit those of the bare loop."""
    x, y = images(np.random.default_rng(0))
    bare, watched = loops.make(kind), loops.make(kind)
    norms = [bare.step(x, y) for _ in range(6)]
    callback = CNNDiagnostics(tmp_path, probe=(x, y), update_freq=2, verbose=0, on_finding=lambda _: None)
    with callback.watch(net=watched.model, optimizers=watched.optimizers) as snapshot:
        for _ in range(6):
            watched.step(x, y)
            snapshot.step({"loss": 1.0}, **watched.handed_over())
    for a, b in zip(bare.weights(), watched.weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    history = _history(tmp_path)
    series = history.series("gradient_flow", "gradient_norm")
    assert series.steps.tolist() == [2, 4, 6]
    np.testing.assert_allclose(series.values[:, 0], [np.mean(norms[i : i + 2]) for i in (0, 2, 4)], rtol=1e-4)
    assert (history.series("update_ratio", "update_ratio").values > 0).any()
    rms = history.series("weight_health", "rms").values[-1, 0]
    assert rms == pytest.approx(float(np.sqrt(np.mean(watched.weights()[0] ** 2))), rel=1e-5)


def test_a_loop_without_a_probe_collects_one(tmp_path: Path) -> None:
    x, y = images(np.random.default_rng(0))
    loop = loops.make(loops.KINDS[BACKEND][0])
    with CNNDiagnostics(tmp_path, update_freq=2, verbose=0).watch(net=loop.model, optimizers=loop.optimizers) as seen:
        for _ in range(4):
            loop.step(keras.ops.convert_to_tensor(x), y)
            seen.step(batch=(x, y) if BACKEND == "jax" else None)
    info = _history(tmp_path).info
    assert info is not None
    assert info.probe.source == "collected"
    assert np.isfinite(_history(tmp_path).series("dead_units", "dead_ratio").values[-1]).any()


@pytest.mark.skipif(BACKEND != "jax", reason="elsewhere a loop shows what it calls its models with")
def test_a_loop_of_jax_that_hands_nothing_over_says_why_it_has_no_probe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = images(np.random.default_rng(0))
    loop = loops.make("stateless")
    with CNNDiagnostics(tmp_path, update_freq=2).watch(net=loop.model) as seen:
        for _ in range(4):
            loop.step(x, y)
            seen.step(**loop.handed_over())
    said = "a step that JAX compiles does not show what it calls a model with"
    assert said in capsys.readouterr().out
    info = _history(tmp_path).info
    assert info is not None
    assert any(said in note and "watched.step(batch=…)" in note for note in info.notes)


def test_an_audit(tmp_path: Path) -> None:
    model = plain()
    model.layers[0].kernel.assign(np.zeros(model.layers[0].kernel.shape))
    model.layers[0].bias.assign(np.full(6, -1.0))
    model.save(tmp_path / "dead.keras")
    assert "units_without_effect" in {finding.fault for finding in audit(tmp_path / "dead.keras")}
    x, y = images(np.random.default_rng(0))
    assert "dead_units" in {finding.fault for finding in audit(model, (x, y))}


@keras.saving.register_keras_serializable("tests")
class Scaled(layers.Layer):
    """Multiplies by a weight, through which only half of the gradient flows if ``wrong``."""

    def __init__(self, wrong: bool, **more: Any) -> None:
        super().__init__(**more)
        self.wrong = wrong

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x: Any) -> Any:
        scaled = x * self.scale
        return scaled + keras.ops.stop_gradient(scaled) if self.wrong else scaled

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "wrong": self.wrong}


@pytest.mark.parametrize("wrong", [False, True])
def test_a_preflight_compares_gradients_and_changes_nothing(wrong: bool) -> None:
    x, y = images(np.random.default_rng(0), samples=96)
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(6, 3, activation="tanh"),
            layers.GlobalAveragePooling2D(),
            Scaled(wrong),
            layers.Dense(4, activation="softmax"),
        ]
    )
    compiled(model)
    before = model.get_weights()
    draw = np.asarray(keras.ops.convert_to_numpy(keras.random.normal((3,), seed=keras.random.SeedGenerator(4))))
    verdict = preflight_verdict(model, x, y)
    assert ("wrong_gradient" in {finding.fault for finding in verdict.findings}) == wrong
    assert not [each for each in verdict.coverage if each.status in ("crashed", "unknown")]
    again = np.asarray(keras.ops.convert_to_numpy(keras.random.normal((3,), seed=keras.random.SeedGenerator(4))))
    np.testing.assert_array_equal(draw, again)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_proposed_changes_are_carried_out(tmp_path: Path) -> None:
    x, y = images(np.random.default_rng(0))
    keras.utils.set_random_seed(1)
    model = plain()
    model.layers[0].bias.assign(np.full(6, -50.0))
    compiled(model)
    callback = CNNDiagnostics(tmp_path, probe=(x, y), verbose=0, on_finding=lambda _: None)
    model.fit(x, y, epochs=2, batch_size=64, verbose=0, callbacks=[callback])
    assert "dead_units" in {finding.fault for finding in callback.findings}
    assert adjust.apply(model, callback.findings).model is not model


def test_numbers_for_tensorboard_without_tensorflow(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    x, y = images(np.random.default_rng(0))
    model = compiled(plain(), metrics=["accuracy"])
    callback = CNNDiagnostics(tmp_path, verbose=0, on_finding=lambda _: None)
    history = model.fit(x, y, validation_data=(x, y), epochs=2, verbose=0, callbacks=[callback]).history
    events = EventAccumulator(str(tmp_path / "cnndiag"))
    events.Reload()
    scalars = {tag for tag in events.Tags()["tensors"] if tag.startswith("epoch_")}
    if importlib.util.find_spec("tensorflow"):
        assert scalars == set()
        return
    assert {"epoch_loss", "epoch_val_loss", "epoch_accuracy"} <= scalars
    from tensorboard.util.tensor_util import make_ndarray

    last = [float(make_ndarray(event.tensor_proto)) for event in events.Tensors("epoch_loss")][-1]
    assert last == pytest.approx(history["loss"][-1])


def test_an_activation_that_is_no_layer(tmp_path: Path) -> None:
    x, y = images(np.random.default_rng(0))

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = layers.Conv2D(4, 3, name="conv"), layers.Dense(4, name="head")
            self.pool = layers.GlobalAveragePooling2D()

        def call(self, x: Any) -> Any:
            return self.head(self.pool(keras.ops.relu(self.conv(x))))

    model = Own()
    model.build((None, 12, 12, 1))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callback = CNNDiagnostics(tmp_path, probe=(x, y), verbose=0, on_finding=lambda _: None)
    model.fit(x, y, epochs=1, verbose=0, callbacks=[callback])
    history = _history(tmp_path)
    assert history.layers[0].activation == ("relu" if BACKEND == "tensorflow" else "linear")


class Looped(keras.Model):
    """Calls a layer inside a loop, which JAX and TensorFlow trace as a computation of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = (
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.Dense(4, activation="softmax", name="head"),
        )
        self.inner, self.pool = layers.Dense(4, activation="relu", name="inner"), layers.GlobalAveragePooling2D()

    def call(self, x: Any) -> Any:
        pooled = self.inner(self.pool(self.conv(x))) if not self.inner.built else self.pool(self.conv(x))
        return self.head(keras.ops.fori_loop(0, 3, lambda _, h: self.inner(h), pooled))


def test_a_layer_inside_a_loop_spoils_nothing(tmp_path: Path) -> None:
    x, y = images(np.random.default_rng(0))
    model = Looped()
    model(x[:2])
    compiled(model)
    callback = CNNDiagnostics(tmp_path, probe=(x, y), budget=None, verbose=0, on_finding=lambda _: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DiagnosticsWarning)
        model.fit(x, y, epochs=1, batch_size=32, verbose=0, callbacks=[callback])
    history = _history(tmp_path)
    seen = {}
    for layer in history.layers:
        states = history.latest("dead_units", layer.path)
        seen[layer.path] = isinstance(states, UnitStates) and states.training_batches > 0
    assert seen == {"conv": True, "inner": BACKEND == "torch", "head": False}


class Pair(keras.Model):
    """A generator and a discriminator without a ``call``; the step trains the discriminator alone."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = keras.Sequential(
            [keras.Input((4,)), layers.Dense(144, activation="relu"), layers.Reshape((12, 12, 1)), layers.Conv2D(1, 1)]
        )
        self.discriminator = keras.Sequential(
            [keras.Input((12, 12, 1)), layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(1)]
        )

        self.built = True  # Keras cannot build a model without a call by itself

    def losses_of(self, fake: Any, real: Any) -> Any:
        return keras.ops.mean(keras.ops.softplus(fake)) + keras.ops.mean(keras.ops.softplus(-real))


def test_the_parts_of_a_gan(tmp_path: Path) -> None:
    pair = loops.gan(Pair)
    pair.compile(optimizer=keras.optimizers.SGD(0.1))
    x = images(np.random.default_rng(0))[0]
    noise = np.random.default_rng(1).normal(size=(32, 4)).astype(np.float32)
    pair.optimizer.build(pair.trainable_variables)
    for name, probe in (("given", {"generator": noise, "discriminator": x}), ("collected", None)):
        callback = CNNDiagnostics(tmp_path / name, probe=probe, verbose=0, on_finding=lambda _: None)
        pair.fit(x, batch_size=16, epochs=1, verbose=0, callbacks=[callback])
        history = _history(tmp_path / name)
        assert [layer.path.split("/")[0] for layer in history.layers] == ["generator"] * 2 + ["discriminator"] * 2
        assert (history.series("gradient_flow", "gradient_norm").values[-1] > 0).all()
        assert np.isfinite(history.series("dead_units", "dead_ratio").values[-1]).all()
