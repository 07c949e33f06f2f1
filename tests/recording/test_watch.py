"""Hand-written loops, and models of several parts."""

from __future__ import annotations

import importlib.util
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.history import History
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.warning import DiagnosticsWarning
from tests.models import images, plain

EXAMPLES = Path(__file__).parents[2] / "examples"


def _history(log_dir: Path) -> History:
    return History.of(read_run(log_dir / "cnndiag"))


class Loop:
    """A training loop written by hand."""

    def __init__(self, seed: int = 1) -> None:
        keras.utils.set_random_seed(seed)
        self.model = plain()
        self.optimizer = keras.optimizers.SGD(0.1)
        self.gradients: list[float] = []

        @tf.function
        def step(x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, self.model(x, training=True)))
            gradients = tape.gradient(loss, self.model.trainable_variables)
            self.optimizer.apply(gradients, self.model.trainable_variables)
            return loss, tf.norm(gradients[0])

        self.step = step


def test_a_loop_is_watched_and_not_changed(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    bare, watched = Loop(), Loop()
    norms = []
    for _ in range(6):
        norms.append(float(bare.step(x, y)[1]))
    callback = CNNDiagnostics(tmp_path, probe=(x, y), update_freq=2, verbose=0)
    with callback.watch(net=watched.model, optimizers=[watched.optimizer]) as snapshot:
        for _ in range(6):
            loss, _ = watched.step(x, y)
            snapshot.step({"loss": loss})
    for a, b in zip(bare.model.get_weights(), watched.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert "apply" not in vars(watched.optimizer)
    history = _history(tmp_path)
    assert [layer.path for layer in history.layers] == ["net/conv_a", "net/conv_b", "net/head"]
    series = history.series("gradient_flow", "gradient_norm")
    assert series.steps.tolist() == [2, 4, 6]
    expected = [np.mean(norms[i : i + 2]) for i in (0, 2, 4)]
    np.testing.assert_allclose(series.values[:, 0], expected, rtol=1e-4)
    assert history.series("update_ratio", "update_ratio").steps.tolist()[0] == 2
    assert history.scalar_names("training_curve") == ("learning_rate", "loss")


class Unbuilt(keras.Model):
    """Built by its first call."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = layers.Conv2D(4, 3, activation="relu")
        self.flat = layers.Flatten()
        self.head = layers.Dense(4)

    def call(self, x: Any) -> Any:
        return self.head(self.flat(self.conv(x)))


def _train_unbuilt(x: Any, y: Any, callback: CNNDiagnostics | None) -> list[Any]:
    """Two epochs in a compiled step of batches of 16 and, as the last one, 7 samples."""
    keras.utils.set_random_seed(2)
    model, optimizer = Unbuilt(), keras.optimizers.SGD(0.1)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )
        return loss

    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
    with callback.watch(model=model, optimizers=[optimizer]) if callback else nullcontext() as watched:
        for _ in range(2):
            for batch in batches:
                loss = step(*batch)
                if watched:
                    watched.step({"loss": loss})
            if watched:
                watched.end_epoch()
    return list(model.get_weights())


def test_a_step_is_traced_again_for_a_smaller_batch(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng, 16 * 3 + 7)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DiagnosticsWarning)
        watched = _train_unbuilt(x, y, CNNDiagnostics(tmp_path, verbose=0, on_finding=lambda _: None))
    for a, b in zip(_train_unbuilt(x, y, None), watched, strict=True):
        np.testing.assert_array_equal(a, b)
    info = _history(tmp_path).info
    assert info is not None
    assert info.probe is not None
    # The step was first traced before the model was built, and only the second trace, of 7 samples, is watched.
    assert info.probe.samples == 7


def test_epochs_of_a_loop(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    loop = Loop()
    with CNNDiagnostics(tmp_path, probe=x, verbose=0).watch(net=loop.model) as snapshot:
        for _ in range(3):
            for _ in range(5):
                loop.step(x, y)
                snapshot.step()
            snapshot.end_epoch({"loss": 1.0})
    assert _history(tmp_path).series("weight_health", "rms").steps.tolist() == [0, 5, 10, 15]


def test_an_error_of_the_loop_is_the_loops_own(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), CNNDiagnostics(tmp_path, verbose=0).watch(net=plain()) as snapshot:
        snapshot.step({"loss": 1 / 0})
    assert _history(tmp_path).snapshots >= 1


def test_what_fails_in_a_snapshot_does_not_reach_the_loop(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.warns(DiagnosticsWarning, match="cannot be written"),
        CNNDiagnostics(tmp_path / "file", verbose=0).watch(net=plain()) as snapshot,
    ):
        snapshot.step({"loss": "not a number"})


def test_watch_wants_a_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"watch\(generator=g"):
        CNNDiagnostics(tmp_path).watch()


class GAN(keras.Model):
    """Two models and a step of its own, without a call."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(144, activation="relu", name="fc"),
                layers.Reshape((12, 12, 1)),
                layers.Conv2D(1, 3, padding="same", name="out"),
            ]
        )
        self.discriminator = keras.Sequential(
            [
                keras.Input((12, 12, 1)),
                layers.Conv2D(4, 3, activation="leaky_relu", name="conv"),
                layers.Flatten(),
                layers.Dense(1, name="real"),
            ]
        )

    def compile(self, g_optimizer: Any, d_optimizer: Any) -> None:  # type: ignore[override]
        super().compile()
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer

    def train_step(self, data: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(tf.random.normal((tf.shape(data)[0], 4)))
            d_fake, d_real = self.discriminator(fake), self.discriminator(data)
            d_loss = tf.reduce_mean(tf.nn.softplus(d_fake) + tf.nn.softplus(-d_real))
            g_loss = tf.reduce_mean(tf.nn.softplus(-d_fake))
        for part, loss, optimizer in (
            (self.discriminator, d_loss, self.d_optimizer),
            (self.generator, g_loss, self.g_optimizer),
        ):
            optimizer.apply_gradients(
                zip(tape.gradient(loss, part.trainable_variables), part.trainable_variables, strict=True)
            )
        return {"d_loss": d_loss, "g_loss": g_loss}


def test_the_parts_of_a_gan_under_fit(tmp_path: Path, rng: np.random.Generator) -> None:
    gan = GAN()
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
    x = images(rng)[0]
    probe = {"generator": rng.normal(size=(32, 4)).astype(np.float32), "discriminator": x}
    gan.fit(x, batch_size=16, epochs=2, verbose=0, callbacks=[CNNDiagnostics(tmp_path, probe=probe, verbose=0)])
    history = _history(tmp_path)
    assert [layer.path for layer in history.layers] == [
        "generator/fc",
        "generator/out",
        "discriminator/conv",
        "discriminator/real",
    ]
    assert (history.series("gradient_flow", "gradient_norm").values > 0).all()
    assert np.isfinite(history.series("dead_units", "dead_ratio").values).all()
    assert history.info
    assert history.info.batch_size == 16
    assert [layer.output for layer in history.layers] == [False, True, False, True]


def test_each_part_gets_a_probe_that_it_fits(tmp_path: Path, rng: np.random.Generator) -> None:
    """The discriminator gets the images, the generator the noise that it was called with."""
    gan = GAN()
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
    gan.fit(images(rng)[0], batch_size=16, epochs=1, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    history = _history(tmp_path)
    assert np.isfinite(history.series("dead_units", "dead_ratio").values[-1]).all()
    assert all(layer.seen_at for layer in history.layers)


def test_the_example_on_faces_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("skimage")
    spec = importlib.util.spec_from_file_location("gan", EXAMPLES / "gan.py")
    assert spec
    assert spec.loader
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.main(steps=4, log_dir=str(tmp_path))
    assert _history(tmp_path).last_step == 4


def test_stop_asks_a_loop_to_end_and_goes_on_recording(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    loop = Loop()
    loop.model.get_layer("conv_a").bias.assign(np.full(6, -50.0))
    callback = CNNDiagnostics(tmp_path, probe=(x, y), update_freq=2, on_finding="stop", verbose=0)
    steps = 0
    with callback.watch(net=loop.model, optimizers=[loop.optimizer]) as watched:
        while not watched.stop and steps < 40:
            watched.step({"loss": loop.step(x, y)[0]})
            steps += 1
    assert 0 < steps < 40
    info = _history(tmp_path).info
    assert info is not None
    assert info.switched_off is None
    assert any(finding.severity == "error" for finding in callback.findings)


def test_a_model_that_its_first_step_builds_is_recorded_from_then_on(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model = keras.Sequential([layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(4)])
    optimizer = keras.optimizers.SGD(0.1)
    with CNNDiagnostics(tmp_path, verbose=0).watch(net=model, optimizers=[optimizer]) as watched:
        for _ in range(6):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(x), from_logits=True))
            optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            watched.step({"loss": loss})
    history = _history(tmp_path)
    assert history.info is not None
    assert history.info.switched_off is None
    assert [layer.units for layer in history.layers] == [4, 4]
    assert history.series("weight_health", "rms").steps.tolist() == [6]
    assert history.info.probe.source == "collected"


def test_a_model_that_is_never_built_is_named(tmp_path: Path) -> None:
    model = keras.Sequential([layers.Dense(4)])
    with (
        pytest.warns(DiagnosticsWarning, match="recorded nothing of this training"),
        CNNDiagnostics(tmp_path, verbose=0).watch(net=model),
    ):
        pass
    info = _history(tmp_path).info
    assert info is not None
    assert info.switched_off is not None
