"""On each backend, the callback does not change the training, bit for bit, and records all that it can."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.history import History
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.warning import DiagnosticsWarning
from tests.backends.models import OwnLoss, own_step
from tests.models import (
    Interrupt,
    NoisyLoss,
    accumulating,
    compiled,
    images,
    normalized,
    plain,
    trained,
    under_policy,
)

BACKEND = keras.backend.backend()


@pytest.fixture(autouse=True, scope="module")
def _deterministic() -> Any:
    if BACKEND == "tensorflow":
        import tensorflow as tf
        from tensorflow.python.framework import config

        tf.config.experimental.enable_op_determinism()
        yield
        config.disable_op_determinism()
    else:
        yield


def _scaling() -> Any:
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), initial_scale=2.0**10)


CASES: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "plain": (plain, {}),
    "regularized": (lambda: plain(regularizer=keras.regularizers.L2(0.1)), {}),
    "dropout and batch norm": (normalized, {}),
    "mixed precision": (lambda: under_policy("mixed_bfloat16", normalized), {}),
    "own train step": (own_step, {}),
    "own loss": (OwnLoss, {}),
    "eager": (plain, {"run_eagerly": True}),
    "compiled": (normalized, {"jit_compile": True}),
    "several steps per execution": (plain, {"steps_per_execution": 3}),
    "accumulation, clipping, EMA": (plain, {"optimizer": accumulating}),
    "loss scaling": (normalized, {"optimizer": _scaling}),
}
LEFT_OUT = {("torch", "several steps per execution"): "Keras refuses it on torch"}
if shutil.which("c++") is None:
    LEFT_OUT["torch", "compiled"] = "torch needs a C++ compiler for that"


@pytest.mark.parametrize("case", CASES)
def test_weights_and_history_are_bit_for_bit_the_same(case: str, tmp_path: Path) -> None:
    if (BACKEND, case) in LEFT_OUT:
        pytest.skip(LEFT_OUT[BACKEND, case])
    bare = trained(*CASES[case], [])
    with warnings.catch_warnings():
        warnings.simplefilter("error", DiagnosticsWarning)
        watched = trained(*CASES[case], [CNNDiagnostics(tmp_path, verbose=0, on_finding=lambda _: None)])
    for a, b in zip(bare[0], watched[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert bare[1] == watched[1]
    history = History.of(read_run(tmp_path / "cnndiag"))
    assert history.snapshots == 4
    seen = (BACKEND, case) != ("torch", "compiled")  # a step that torch compiles is left alone
    norms = history.series("gradient_flow", "gradient_norm").values
    assert len(norms) == (3 if seen else 0)
    assert (norms > 0).all()
    assert (history.series("update_ratio", "update_ratio").values > 0).any()
    assert np.isfinite(history.series("dead_units", "dead_ratio").values).any()  # on a collected probe
    states = history.latest("dead_units", history.layers[0].path)
    assert states is not None
    assert (states.training_batches > 0) == (seen and (case != "own train step" or BACKEND != "jax"))  # type: ignore[union-attr]


def test_a_loss_that_draws_and_counts_is_not_disturbed(tmp_path: Path) -> None:
    bare, watched = NoisyLoss(), NoisyLoss()
    expected = trained(plain, {"loss": bare}, [])
    drawn = np.asarray(keras.ops.convert_to_numpy(keras.random.normal((3,))))
    callback = CNNDiagnostics(
        tmp_path,
        diagnostics=["weight_health", "model_output", "gradient_noise"],
        budget=None,
        verbose=0,
        on_finding=lambda _: None,
    )
    found = trained(plain, {"loss": watched}, [callback])
    for a, b in zip(expected[0], found[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert expected[1] == found[1]
    assert BACKEND == "jax" or watched.calls == bare.calls  # JAX traces a step of its own for gradients
    np.testing.assert_array_equal(drawn, keras.ops.convert_to_numpy(keras.random.normal((3,))))
    history = History.of(read_run(tmp_path / "cnndiag"))
    info, noise = history.info, history.series("gradient_noise", "gradient_snr").values
    assert info is not None
    assert info.loss_facts is not None
    if BACKEND == "jax":
        assert "SeedGenerator" in info.loss_facts.unknown
        assert [note for note in info.notes if "no gradient noise" in note and "SeedGenerator" in note]
        assert not len(noise)
    else:
        assert np.isfinite(noise).any()
        assert (info.loss_facts.unknown, info.loss_facts.from_logits) == ("", False)


HOME = f"tb_cnndiag.capture.backends.{BACKEND}"
OBSERVED_IN_A_STEP = {
    "tensorflow": (
        f"{HOME}.batch_samples.BatchSamples.keep",
        f"{HOME}.firing.Firing._observe",
        f"{HOME}.taps.Taps._add",
        "tb_cnndiag.capture.recorder.Recording.add",
    ),
    "jax": (f"{HOME}.shadow.ShadowStep.__call__", "tb_cnndiag.capture.recorder.Recording.add"),
    "torch": (
        f"{HOME}.norms.GradientNorms._add",
        f"{HOME}.taps.TappedTraining._observe",
        "tb_cnndiag.capture.recorder.Recording.add",
    ),
}


def _broken(*_arguments: Any, **_keywords: Any) -> Any:
    raise RuntimeError("broken on purpose")


@pytest.mark.parametrize("observation", OBSERVED_IN_A_STEP[BACKEND])
def test_what_fails_inside_a_step_does_not_reach_it(
    observation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = trained(plain, {}, [])
    monkeypatch.setattr(observation, _broken)
    with pytest.warns(DiagnosticsWarning, match="cannot be observed") as caught:
        watched = trained(plain, {}, [CNNDiagnostics(tmp_path, verbose=0, on_finding=lambda _: None)])
    assert all("broken on purpose" in str(each.message) for each in caught if each.category is DiagnosticsWarning)
    for a, b in zip(bare[0], watched[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert bare[1] == watched[1]
    assert History.of(read_run(tmp_path / "cnndiag")).snapshots == 4


@pytest.mark.parametrize("case", ["dropout and batch norm", "mixed precision"])
def test_images_at_the_end_change_nothing(case: str, tmp_path: Path) -> None:
    bare = trained(*CASES[case], [])
    drawn = np.asarray(keras.ops.convert_to_numpy(keras.random.normal((3,))))
    with warnings.catch_warnings():
        warnings.simplefilter("error", DiagnosticsWarning)
        callback = CNNDiagnostics(tmp_path, budget=None, verbose=0, on_finding=lambda _: None)
        watched = trained(*CASES[case], [callback])
    for a, b in zip(bare[0], watched[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert bare[1] == watched[1]
    np.testing.assert_array_equal(drawn, keras.ops.convert_to_numpy(keras.random.normal((3,))))
    history = History.of(read_run(tmp_path / "cnndiag"))
    assert history.at_last_step("sample_maps") is not None
    assert history.at_last_step("synthetic_images", next(each.path for each in history.layers if each.role == "conv"))


def test_what_is_installed_in_a_model_is_removed(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model = compiled(plain())
    model.fit(x, y, epochs=1, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    original = model.train_function
    for _ in range(2):
        model.fit(x, y, epochs=1, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
        assert model.train_function is original
    for patched in (model, model.optimizer, *model.layers):
        assert not {"train_step", "apply", "stateless_apply", "call", "compute_loss_and_updates"} & set(vars(patched))


def test_an_interrupt_leaves_no_patch_behind(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model = compiled(plain())

    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0), Interrupt()])
    model.fit(x, y, epochs=1, verbose=0)
    assert "Tapped" not in type(model.train_function).__name__
    assert "Tapped" not in type(getattr(model.train_function, "__self__", None)).__name__
