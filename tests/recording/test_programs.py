"""Programs as people write them: recorded to the end, with a probe, every matrix inspected or named; or it is said."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tb_cnndiag
from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.cli import main
from tb_cnndiag.history import History
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.warning import DiagnosticsWarning
from tests.models import compiled, images, plain
from tests.programs import IMAGES, PROGRAMS, Program


def _fit(program: Program, *callbacks: Any, epochs: int = 3) -> Any:
    options = {} if len(program.data) == 1 and not isinstance(program.data[0], np.ndarray) else {"batch_size": 16}
    return program.model.fit(
        *program.data, **(options | program.options), epochs=epochs, verbose=0, callbacks=list(callbacks)
    )


def _history(log: Path) -> History:
    return History.of(read_run(log / "cnndiag"))


@pytest.mark.parametrize("make", PROGRAMS, ids=lambda make: make.__name__)
def test_it_is_recorded_to_its_end_with_a_probe_and_unchanged(make: Callable[[], Program], tmp_path: Path) -> None:
    keras.utils.set_random_seed(3)
    alone = make()
    _fit(alone)
    keras.backend.clear_session()
    keras.utils.set_random_seed(3)
    program = make()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "CNN diagnostics|Making", DiagnosticsWarning)
        _fit(program, CNNDiagnostics(tmp_path, verbose=0))
    for before, after in zip(alone.model.get_weights(), program.model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    history = _history(tmp_path)
    info = history.info
    assert info is not None
    assert info.switched_off is None
    assert history.snapshots >= 3
    assert (info.probe.source, info.probe.samples >= 32) == ("collected", True)
    for part in program.parts:
        rows = [layer for layer in info.layers if layer.path.startswith(f"{part}/" if part else "")]
        assert any(layer.seen_at for layer in rows), part
    assert not [note for note in info.notes if note.startswith("Activations of")]
    _every_matrix_is_inspected_or_named(program.model, info.layers, info.notes)


def _every_matrix_is_inspected_or_named(model: Any, rows: Any, notes: Any) -> None:
    """By Keras' own list of variables: as many kernels as rows, and the owner of every other matrix in a note."""
    shapes = sorted(row.kernel_shape for row in rows)
    for variable in model.trainable_variables:
        shape = tuple(int(n) for n in variable.shape)
        if sum(n > 1 for n in shape) < 2 or "bias" in variable.name:
            continue
        if shape in shapes:
            shapes.remove(shape)
            continue
        owners = variable.path.split("/")
        assert any(any(owner in note for owner in owners) for note in notes), variable.path


def test_a_layer_behind_a_recurrent_one_does_not_read_the_input(tmp_path: Path) -> None:
    program = next(make for make in PROGRAMS if make.__name__ == "recurrent")()
    _fit(program, CNNDiagnostics(tmp_path, verbose=0))
    assert np.isnan(_history(tmp_path).series("model_input", "mean").values).all()


def _loop() -> tuple[Any, Any, Callable[[Any, Any], Any]]:
    """A model, its optimizer, and a training step written by hand."""
    model, optimizer = plain(), keras.optimizers.SGD(0.01)
    optimizer.build(model.trainable_variables)
    import tensorflow as tf

    @tf.function
    def train(xs: Any, ys: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = keras.ops.mean(keras.losses.sparse_categorical_crossentropy(ys, model(xs, training=True)))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return model, optimizer, train


def test_a_loop_gets_its_probe_from_what_its_models_are_called_with(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model, optimizer, train = _loop()
    with CNNDiagnostics(tmp_path, verbose=0).watch(model=model, optimizers=[optimizer]) as watched:
        for _ in range(2):
            for start in range(0, 64, 16):
                watched.step({"loss": train(x[start : start + 16], y[start : start + 16])})
            watched.end_epoch()
    history = _history(tmp_path)
    assert history.info is not None
    assert history.info.probe.source == "collected"
    assert all(layer.seen_at for layer in history.layers)
    assert "call" not in model.__dict__


def test_a_training_that_switches_diagnostics_off_does_not_pass(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = images(rng)
    callback = CNNDiagnostics(tmp_path, probe=(x, y), verbose=0)

    class Breaks(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                assert callback._training is not None
                callback._training.after_epoch = None  # type: ignore[method-assign,assignment]

    with pytest.warns(DiagnosticsWarning, match="are off for this training"):
        compiled(plain()).fit(x, y, epochs=4, verbose=0, callbacks=[Breaks(), callback])
    info = _history(tmp_path).info
    assert info is not None
    assert info.switched_off is not None
    assert info.switched_off.step > 0
    assert main(["check", str(tmp_path), "--format", "json", "--fail-on", "never"]) == 4
    judged = json.loads(capsys.readouterr().out)["judged"]
    assert "TypeError" in judged[0]["switched_off"]["reason"]
    for name in ("text", "markdown", "junit", "sarif", "github"):
        assert main(["check", str(tmp_path), "--format", name, "--fail-on", "never"]) == 4
        assert "switched off at step" in capsys.readouterr().out, name
    assert main(["check", str(tmp_path), "--fail-on", "never", "--allow-unjudged"]) == 0
    with pytest.raises(AssertionError, match="could not be judged"):
        tb_cnndiag.assert_healthy(tmp_path)


def test_a_training_that_cannot_be_inspected_leaves_a_log_that_says_so(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten(), keras.layers.ActivityRegularization()])
    model.compile("sgd", "mse")
    with pytest.warns(DiagnosticsWarning, match="no layer with a kernel"):
        model.fit(IMAGES, IMAGES.reshape(64, -1), verbose=0, callbacks=[CNNDiagnostics(tmp_path)])
    history = _history(tmp_path)
    assert history.snapshots == 0
    assert history.info is not None
    assert history.info.switched_off is not None
    assert "no layer with a kernel" in history.info.switched_off.reason
    assert main(["check", str(tmp_path)]) == 4


def test_a_part_without_a_probe_is_named_at_the_end_in_the_log_and_by_the_check(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = images(rng)
    model = compiled(plain())
    with pytest.warns(DiagnosticsWarning, match="probe is not used"):
        model.fit(x, y, epochs=2, verbose=0, callbacks=[CNNDiagnostics(tmp_path, probe=x[:, :5], layers="conv")])
    # A probe that does not fit costs only itself: another one is collected.
    assert _history(tmp_path).info.probe.source == "collected"  # type: ignore[union-attr]
    capsys.readouterr()
    called = compiled(plain())
    with CNNDiagnostics(tmp_path / "loop").watch(net=called) as watched:
        watched.step({"loss": 1.0})
    assert "Activations of net are not recorded: training has not called it" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "loop")]) == 0
    assert "note: Activations of net are not recorded" in capsys.readouterr().out


def test_equal_findings_of_many_layers_are_one_warning(tmp_path: Path) -> None:
    inputs = keras.Input((16, 16, 3))
    x = inputs
    for row in range(8):
        x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name=f"frozen{row}", trainable=False)(x)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x)))
    model.compile("adam", "mse")
    with pytest.warns(DiagnosticsWarning) as caught:
        model.fit(IMAGES, IMAGES[:, 0, 0, :2], epochs=2, verbose=0, callbacks=[CNNDiagnostics(tmp_path)])
    frozen = [str(each.message) for each in caught if "frozen0" in str(each.message)]
    assert len(frozen) == 1
    assert "The same in 7 more layers: frozen1, frozen2, frozen3, frozen4, frozen5, …" in frozen[0]


def test_a_loop_that_never_ends_an_epoch_uses_what_was_collected(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model, optimizer, train = _loop()
    with CNNDiagnostics(tmp_path, verbose=0).watch(model=model, optimizers=[optimizer]) as watched:
        for _ in range(8):
            watched.step({"loss": train(x[:16], y[:16])})
    history = _history(tmp_path)
    assert history.info is not None
    assert history.info.probe.source == "collected"
    assert history.series("dead_units", "dead_ratio").steps.tolist() == [8]


def test_a_part_that_training_does_not_call_is_named_with_that_reason(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = images(rng)

    class Averaged(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.network = plain()
            one, other = keras.Input((12, 12, 1)), keras.Input((4,))
            mixed = keras.layers.Concatenate()([keras.layers.Flatten()(one), other])
            self.average = keras.Model([one, other], keras.layers.Dense(2)(mixed))

        def train_step(self, data: Any) -> Any:
            import tensorflow as tf

            with tf.GradientTape() as tape:
                loss = self.compute_loss(data[0], data[1], self.network(data[0], training=True))
            variables = self.network.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    model = Averaged()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[CNNDiagnostics(tmp_path)])
    printed = capsys.readouterr().out
    assert "Activations of average are not recorded: training has not called it." in printed
    assert "Activations of network" not in printed


def test_a_second_fit_of_a_model_compiled_anew_goes_on_in_the_same_log(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    """Train the head, unfreeze, compile, train all: one training to the user, and one log."""
    x, y = images(rng)
    model = plain()
    model.get_layer("conv_a").trainable = False
    callback = CNNDiagnostics(tmp_path, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DiagnosticsWarning)
        compiled(model).fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[callback])
        model.get_layer("conv_a").trainable = True
        compiled(model).fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[callback])
    assert _history(tmp_path).series("weight_health", "rms").steps.tolist() == [0, 4, 8, 12, 16]
    assert not (tmp_path / "training_2").exists()
