"""A preflight changes nothing: model, optimizer, seeds and data are bit for bit as before, and so is the training."""

from __future__ import annotations

import random
from typing import Any

import keras
import numpy as np
import pytest

import tb_cnndiag
from tb_cnndiag import CNNDiagnostics
from tests.models import compiled, images, normalized, plain


class Stepped(keras.Model):
    """Its training step is its own."""

    def train_step(self, data: Any) -> Any:
        return super().train_step(data)


def _dropout() -> keras.Model:
    model = normalized()
    inputs = keras.Input((12, 12, 1))
    x = keras.layers.RandomTranslation(0.1, 0.1)(inputs)
    return Stepped(inputs, model(x))


@pytest.mark.parametrize("build", [plain, normalized, _dropout])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_training_after_it_is_bit_for_bit_the_same(build: Any, optimizer: str, rng: np.random.Generator) -> None:
    x, y = images(rng, 96)
    results = []
    for check in (False, True):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        model = compiled(build(), optimizer, metrics=["accuracy"])
        model.fit(x, y, epochs=1, batch_size=32, verbose=0)
        given = x.copy(), y.copy()
        before = [np.array(v) for v in (*model.variables, *model.optimizer.variables)]
        states = random.getstate(), np.random.get_state()[1].copy()
        if check:
            tb_cnndiag.preflight(model, x, y, validation_data=(x[:20], y[:20]))
        for variable, value in zip((*model.variables, *model.optimizer.variables), before, strict=True):
            np.testing.assert_array_equal(np.array(variable), value)
        assert random.getstate() == states[0]
        np.testing.assert_array_equal(np.random.get_state()[1], states[1])
        np.testing.assert_array_equal(x, given[0])
        np.testing.assert_array_equal(y, given[1])
        name = keras.layers.Dense(1).name
        fitted = model.fit(x, y, epochs=2, batch_size=32, verbose=0)
        results.append((fitted.history, model.get_weights(), name, keras.random.normal((3,))))
    (history, weights, name, noise), (history_after, weights_after, name_after, noise_after) = results
    assert history == history_after
    assert name == name_after
    for a, b in zip(weights, weights_after, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(np.array(noise), np.array(noise_after))


def test_generators_are_not_read() -> None:
    def samples() -> Any:
        raise AssertionError("read")
        yield

    findings = tb_cnndiag.preflight(compiled(plain()), samples())
    assert findings == []


def test_the_callback_checks_before_the_first_step(tmp_path: Any, rng: np.random.Generator, capsys: Any) -> None:
    x, y = images(rng, 160)
    order = np.argsort(y, kind="stable")
    x, y = x[order], y[order]
    weights = []
    for preflight in (None, (x, y)):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        model = compiled(plain())
        log = tmp_path / str(preflight is not None)
        model.fit(x, y, epochs=2, verbose=0, callbacks=[CNNDiagnostics(log, preflight=preflight, on_finding=print)])
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert "preflight: warning: The 160 samples are sorted" in capsys.readouterr().out
    assert "sorted_data" not in {f.fault for f in tb_cnndiag.diagnose(tmp_path / "False")}
    assert "sorted_data" in {f.fault for f in tb_cnndiag.diagnose(tmp_path / "True")}


def test_the_argument_is_checked_and_a_failing_preflight_does_not_end_the_training(
    tmp_path: Any, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    with pytest.raises(ValueError, match="preflight is of type str"):
        CNNDiagnostics(tmp_path, preflight="yes")
    x, y = images(rng, 64)
    compiled(plain()).fit(x, y, verbose=0, callbacks=[CNNDiagnostics(tmp_path / "a", preflight=True)])
    assert "not applicable" in capsys.readouterr().out  # without data

    def broken(*_args: Any) -> Any:
        raise RuntimeError("no")

    monkeypatch.setattr("tb_cnndiag.callback.preflight_verdict", broken)
    with pytest.warns(UserWarning, match="The preflight failed"):
        compiled(plain()).fit(x, y, verbose=0, callbacks=[CNNDiagnostics(tmp_path / "b", preflight=(x, y))])
    assert tb_cnndiag.judge_log(tmp_path / "b").coverage
