"""The callback does not change the training."""

from __future__ import annotations

import gc
import random
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.diagnostics import LayerDiagnostic, LayerResult, LayerSnapshot, available
from tb_cnndiag.history import History
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.warning import DiagnosticsWarning
from tests.models import (
    Interrupt,
    Subclassed,
    accumulating,
    compiled,
    images,
    normalized,
    plain,
    trained,
    under_policy,
)


@pytest.fixture(autouse=True, scope="module")
def _deterministic() -> Any:
    tf.config.experimental.enable_op_determinism()
    yield
    config.disable_op_determinism()


CASES: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "plain": (plain, {}),
    "dropout and batch norm": (normalized, {}),
    "mixed precision": (lambda: under_policy("mixed_float16", normalized), {}),
    "custom train step": (Subclassed, {}),
    "eager": (plain, {"run_eagerly": True}),
    "compiled by XLA": (normalized, {"jit_compile": True}),
    "several steps per execution": (plain, {"steps_per_execution": 3}),
    "accumulation, clipping, EMA": (plain, {"optimizer": accumulating}),
}


@pytest.mark.parametrize("case", CASES)
def test_weights_and_history_are_bit_for_bit_the_same(case: str, tmp_path: Path) -> None:
    bare = trained(*CASES[case], [])
    callback = CNNDiagnostics(tmp_path, verbose=0)
    watched = trained(*CASES[case], [callback])
    for a, b in zip(bare[0], watched[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert bare[1] == watched[1]
    history = History.of(read_run(tmp_path / "cnndiag"))
    # The first batch builds the subclassed model, so it has no snapshot before training.
    assert history.snapshots == (3 if case == "custom train step" else 4)
    norms = history.series("gradient_flow", "gradient_norm").values
    assert norms.shape[0] == 3
    assert (norms > 0).all()
    assert np.isfinite(history.series("dead_units", "dead_ratio").values).any()
    assert (history.series("update_ratio", "update_ratio").values > 0).any()


def _state_after_two_fits(case: str, callbacks: Callable[[], list[Any]]) -> dict[str, Any]:
    """Weights, optimizer, histories, and what the random generators give next, after each of two trainings."""
    make, options = CASES[case]
    options = dict(options)
    optimizer = options.pop("optimizer", lambda: "adam")()
    x, y = images(np.random.default_rng(1))
    keras.utils.set_random_seed(3)
    model = compiled(make(), optimizer, **options)
    found: dict[str, Any] = {}
    for training in range(2):
        history = model.fit(x, y, epochs=2, batch_size=16, verbose=0, callbacks=callbacks()).history
        found |= {f"{training} {name}": values for name, values in history.items()}
        variables = [*model.weights, *model.optimizer.variables]
        found |= {f"{training} {i}": np.asarray(each.numpy()) for i, each in enumerate(variables)}
        drawn = keras.random.normal((3,)), np.random.random(3), [random.random() for _ in range(3)]
        found |= {f"{training} draw {i}": np.asarray(each) for i, each in enumerate(drawn)}
    return found


@pytest.mark.parametrize("case", CASES)
def test_images_at_the_end_change_nothing(case: str, tmp_path: Path) -> None:
    bare = _state_after_two_fits(case, list)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DiagnosticsWarning)
        watched = _state_after_two_fits(
            case, lambda: [CNNDiagnostics(tmp_path, budget=None, verbose=0, on_finding=lambda finding: None)]
        )
    assert bare.keys() == watched.keys()
    for name, value in bare.items():
        np.testing.assert_array_equal(value, watched[name], err_msg=name)
    history = History.of(read_run(tmp_path / "cnndiag"))
    assert history.at_last_step("sample_maps") is not None
    path = next(layer.path for layer in history.layers if layer.role == "conv")
    assert history.at_last_step("synthetic_images", path) is not None


def test_later_fits_are_not_affected(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model = compiled(plain())
    model.fit(x, y, epochs=1, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    original = model.train_function
    assert "train_step" not in vars(model)
    assert "apply" not in vars(model.optimizer)
    assert all("call" not in vars(layer) for layer in model.layers)
    model.fit(x, y, epochs=1, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    assert model.train_function is original
    model.fit(x, y, epochs=1, verbose=0)
    assert model.train_function is original
    history = History.of(read_run(tmp_path / "cnndiag"))
    steps = history.series("gradient_flow", "gradient_norm").steps
    assert steps.tolist() == [2, 4]
    assert not model.losses


def test_a_second_fit_traces_nothing_again(tmp_path: Path, rng: np.random.Generator) -> None:
    keras.utils.set_random_seed(3)
    x, y = images(rng)
    traces = []

    class Counting(Subclassed):
        def call(self, x: Any, training: bool = False) -> Any:
            traces.append(training)
            return super().call(x, training=training)

    model = compiled(Counting())
    model.build((None, 12, 12, 1))
    names = [kind.name for kind in available()]  # what is made at the end calls the model each time
    callback = CNNDiagnostics(tmp_path, probe=(x, y), verbose=0, diagnostics=names)
    model.fit(x, y, batch_size=16, epochs=1, verbose=0, callbacks=[callback])
    before = len(traces)
    model.fit(x, y, batch_size=16, epochs=1, verbose=0, callbacks=[callback])
    assert len(traces) == before
    observed = traces.count(False)
    again = CNNDiagnostics(tmp_path / "again", probe=(x[:40], y[:40]), verbose=0, diagnostics=names)
    model.fit(x[:40], y[:40], batch_size=16, epochs=2, verbose=0, callbacks=[again])  # Keras traces a new kind of data
    assert traces.count(False) == observed


def test_an_interrupt_leaves_no_patch_behind(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model = compiled(plain())

    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0), Interrupt()])
    assert "train_step" not in vars(model)
    model.fit(x, y, epochs=1, verbose=0)
    assert type(model.train_function).__name__.lower() == "function"
    assert History.of(read_run(tmp_path / "cnndiag")).snapshots == 1


def test_the_model_can_be_garbage_collected(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model = compiled(plain())
    model.fit(x, y, epochs=1, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    reference = weakref.ref(model)
    del model
    keras.backend.clear_session()
    gc.collect()
    assert reference() is None


class Failing(LayerDiagnostic):
    name = "failing"
    title = "Failing"
    description = "Raises."
    needs = ("kernel",)

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        raise RuntimeError("broken on purpose")


def test_a_failing_diagnostic_is_reported_once_and_switched_off(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model = compiled(plain())
    callback = CNNDiagnostics(tmp_path, diagnostics=[Failing(), "dead_units"], verbose=0)
    with pytest.warns(DiagnosticsWarning, match="'failing' failed at step 0") as caught:
        model.fit(x, y, epochs=2, verbose=0, callbacks=[callback])
    assert len([w for w in caught if issubclass(w.category, DiagnosticsWarning)]) == 1
    assert len(History.of(read_run(tmp_path / "cnndiag")).series("dead_units", "dead_ratio")) == 2


def test_a_log_that_cannot_be_written_does_not_stop_training(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    (tmp_path / "file").write_text("in the way")
    model = compiled(plain())
    with pytest.warns(DiagnosticsWarning, match="cannot be written") as caught:
        history = model.fit(x, y, epochs=2, verbose=0, callbacks=[CNNDiagnostics(tmp_path / "file" / "run", verbose=0)])
    assert len(history.history["loss"]) == 2
    assert len([w for w in caught if issubclass(w.category, DiagnosticsWarning)]) == 1
