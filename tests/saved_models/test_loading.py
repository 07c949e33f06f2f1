"""Files of many kinds: what loads, what loads in part, and what is refused with a clear message."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from tb_cnndiag.capture.layers import find_kernel_layers
from tb_cnndiag.saved_models import LoadError, load
from tests.models import compiled, normalized, plain


def _kernels(model: Any) -> dict[str, np.ndarray]:
    return {layer.path: layer.kernel() for layer in find_kernel_layers(model)}


def _as_keras_2(path: Path, loss: Any, optimizer: Any = None) -> None:
    """Give an HDF5 model the training configuration that Keras 2 wrote."""
    config = {
        "loss": loss,
        "metrics": ["accuracy"],
        "weighted_metrics": None,
        "loss_weights": None,
        "optimizer_config": optimizer
        or {"class_name": "Adam", "config": {"lr": 0.003, "decay": 0.0, "epsilon": 1e-8, "beta_1": 0.9}},
    }
    with h5py.File(path, "r+") as file:
        file.attrs["training_config"] = json.dumps(config)


@pytest.mark.parametrize(
    ("given", "name", "from_logits"),
    [
        ("categorical_crossentropy", "categorical_crossentropy", None),
        (
            {
                "class_name": "SparseCategoricalCrossentropy",
                "config": {"reduction": "auto", "name": "sparse", "from_logits": True, "ignore_class": None},
            },
            "SparseCategoricalCrossentropy",
            True,
        ),
    ],
)
def test_the_training_configuration_of_keras_2_is_translated(tmp_path, given, name, from_logits):
    path = tmp_path / "model.h5"
    compiled(plain()).save(path)
    _as_keras_2(path, given)
    saved = load(path)
    assert saved.notes == ()
    assert getattr(saved.model.loss, "__name__", None) or type(saved.model.loss).__name__ or saved.model.loss
    loss = saved.model.loss
    assert (loss if isinstance(loss, str) else type(loss).__name__) == name
    if from_logits is not None:
        assert loss.from_logits is from_logits
    assert float(saved.model.optimizer.learning_rate) == pytest.approx(0.003)


def test_what_cannot_be_translated_is_said(tmp_path):
    path = tmp_path / "model.h5"
    compiled(plain()).save(path)
    _as_keras_2(path, "my_own_loss", {"class_name": "MyOptimizer", "config": {}})
    notes = load(path).notes
    assert any("loss" in note and "my_own_loss" in note for note in notes)
    assert any("MyOptimizer" in note for note in notes)


@pytest.mark.parametrize("build", [plain, normalized])
def test_weights_alone_are_the_weights_of_the_model(tmp_path, build):
    model = compiled(build())
    model.save_weights(tmp_path / "model.weights.h5")
    saved = load(tmp_path / "model.weights.h5")
    assert not saved.callable
    expected = _kernels(model)
    found = _kernels(saved.model)
    assert len(found) == len(expected)
    for kernel in expected.values():
        assert any(k.shape == kernel.shape and np.array_equal(k, kernel) for k in found.values())


class Doubled(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return 2 * x


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_model_with_unknown_layers_is_loaded_as_weights(tmp_path, ending):
    model = compiled(keras.Sequential([keras.Input((12,)), keras.layers.Dense(5, name="first"), Doubled()]))
    path = tmp_path / f"model{ending}"
    model.save(path)
    saved = load(path)
    assert not saved.callable
    assert "only its weights" in saved.notes[0]
    assert "--import" in saved.notes[0]
    (kernel,) = _kernels(saved.model).values()
    np.testing.assert_array_equal(kernel, model.get_layer("first").get_weights()[0].T)


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.write_text, (Path("exploded"), "!"))


def test_damaged_and_foreign_files_are_refused_and_execute_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    compiled(plain()).save("good.keras")
    compiled(plain()).save("good.h5")
    Path("cut.keras").write_bytes(Path("good.keras").read_bytes()[:5_000])
    Path("cut.h5").write_bytes(Path("good.h5").read_bytes()[:5_000])
    Path("pickled.h5").write_bytes(pickle.dumps(Bomb()))
    Path("empty.keras").touch()
    Path("text.keras").write_text("no model")
    with zipfile.ZipFile("other.keras", "w") as archive:
        archive.writestr("readme.txt", "no model")
    with h5py.File("nothing.h5", "w") as file:
        file["x"] = np.arange(3)
    expected = {
        "cut.keras": "cut off",
        "cut.h5": "damaged",
        "pickled.h5": "pickle",
        "empty.keras": "empty",
        "text.keras": "neither",
        "other.keras": r"no config\.json",
        "nothing.h5": "no weights of layers",
        "missing.keras": "does not exist",
    }
    for name, words in expected.items():
        with pytest.raises(LoadError, match=words):
            load(Path(name))
    assert not Path("exploded").exists()


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_lambda_with_bytecode_is_not_executed(tmp_path, ending):
    inputs = keras.Input((12,))
    x = keras.layers.Lambda(lambda t: t * 2, output_shape=(12,))(keras.layers.Dense(12)(inputs))
    path = tmp_path / f"model{ending}"
    compiled(keras.Model(inputs, keras.layers.Dense(3)(x))).save(path)
    saved = load(path)
    assert not saved.callable
    assert "bytecode" in saved.notes[0] or "Lambda" in saved.notes[0]
