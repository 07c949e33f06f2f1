"""Densities of units against the activations of the model, in logs of trainings, audits and ``visualize``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag import CNNDiagnostics, audit, visualize
from tb_cnndiag.history import History
from tb_cnndiag.numerics.density import density
from tb_cnndiag.payloads import FloatArray, LayerInfo, UnitDensities
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.unit_images import unit_densities as module
from tb_cnndiag.unit_images.passes import Inputs, Passes
from tb_cnndiag.unit_images.unit_densities import POINTS, unit_densities
from tests.unit_images.helpers import labeled, network


def _first(model: Any, x: FloatArray) -> FloatArray:
    """Activations of the first convolution, in numpy, ``(samples, positions, units)``."""
    kernel, bias = (np.asarray(w, np.float64) for w in model.get_layer("first").get_weights())
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), (3, 3), axis=(1, 2))
    values = np.maximum(np.einsum("nyxchw,hwco->nyxo", windows, kernel) + bias, 0)
    return values.reshape(len(x), -1, values.shape[-1])


def _integral(curve: Any) -> float:
    continuous = float(np.trapezoid(curve.values, dx=(curve.stop - curve.start) / max(len(curve.values) - 1, 1)))
    return continuous + sum(atom.mass for atom in curve.atoms)


def test_densities_are_those_of_the_activations(rng: np.random.Generator) -> None:
    model, x = network(), rng.normal(size=(20, 12, 12, 1)).astype(np.float32)
    passes = Passes(model, Inputs.of(x))
    layer = passes.layers[0]
    found = unit_densities(passes, [(layer, [3, 0])], {"first": LayerInfo("first", activation="relu")})["first"]
    assert found.units.tolist() == [0, 3]
    for unit, curve in zip(found.units, found.densities, strict=True):
        values = _first(model, x)[:, :, unit]
        assert curve.samples == values.size
        assert len(curve.values) == POINTS
        (atom,) = curve.atoms
        assert (atom.value, atom.mass) == (0.0, pytest.approx((values == 0).mean(), abs=1e-9))
        whole = density(values.astype(np.float32), bounds=(0, None))
        at = np.interp(
            np.linspace(whole.start, whole.stop, POINTS), np.linspace(curve.start, curve.stop, POINTS), curve.values
        )
        expected = np.interp(
            np.linspace(whole.start, whole.stop, POINTS),
            np.linspace(whole.start, whole.stop, len(whole.values)),
            whole.values,
        )
        assert np.abs(at - expected).mean() < 0.03 * expected.max()
        assert _integral(curve) == pytest.approx(1, abs=0.02)


def test_many_positions_are_drawn_from(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_VALUES", 400)
    model, x = network(), rng.normal(size=(20, 12, 12, 1)).astype(np.float32)
    passes = Passes(model, Inputs.of(x))
    (curve,) = unit_densities(passes, [(passes.layers[0], [1])], {"first": LayerInfo("first", activation="relu")})[
        "first"
    ].densities
    assert curve.samples == 400
    assert curve.atoms[0].mass == pytest.approx((_first(model, x)[:, :, 1] == 0).mean(), abs=0.1)


def _history(log_dir: Path) -> History:
    return History.of(read_run(log_dir / "cnndiag"))


def _densities(history: History, path: str) -> UnitDensities:
    found = history.at_last_step("unit_densities", path)
    assert isinstance(found, UnitDensities)
    return found


def test_trainings_audits_and_visualize_make_them(tmp_path: Path) -> None:
    model, (x, y) = network(channels=3), labeled()
    model.compile("adam", "sparse_categorical_crossentropy")
    wanted = ["top_patches", "unit_clusters", "unit_densities"]
    own = CNNDiagnostics(tmp_path / "fit", probe=(x, y), budget=None, verbose=0, diagnostics=wanted)
    model.fit(x, y, batch_size=12, epochs=1, verbose=0, callbacks=[own])
    before = [np.array(w) for w in model.get_weights()]
    history = _history(tmp_path / "fit")
    for path in ("first", "second", "head"):
        made = _densities(history, path)
        assert 0 < len(made.units) <= 8
        for curve in made.densities:
            assert _integral(curve) == pytest.approx(1, abs=0.02)
    (share,) = [atom.mass for atom in _densities(history, "first").densities[0].atoms]
    unit = _densities(history, "first").units[0]
    assert share == pytest.approx((_first(model, x)[:, :, unit] == 0).mean(), abs=1e-6)
    audit(model, (x, y), tmp_path / "audit")
    assert len(_densities(_history(tmp_path / "audit"), "first").units)
    for unit in (3, 1):
        visualize(model, x, layers="first", units=[unit], log_dir=tmp_path / "visualize")
    made = _densities(_history(tmp_path / "visualize"), "first")
    assert made.units.tolist() == [1, 3]
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_random_state_and_counters_stay(rng: np.random.Generator) -> None:
    model = network()
    passes = Passes(model, Inputs.of(rng.normal(size=(4, 12, 12, 1)).astype(np.float32)))
    keras.utils.set_random_seed(5)
    expected = np.asarray(keras.ops.convert_to_numpy(keras.random.normal((3,))))
    keras.utils.set_random_seed(5)
    unit_densities(passes, [(passes.layers[0], [1])], {"first": LayerInfo("first")})
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(keras.random.normal((3,))), expected)
