"""Top images of each unit and their positions, compared with a search through the whole activation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tb_cnndiag import audit
from tb_cnndiag.capture import reductions
from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.probe_samples import Samples
from tb_cnndiag.payloads import Atlas, Patches
from tb_cnndiag.summaries.reader import read_run

NEEDS = ["image", "peaks", "sample_max"]


def model_of(*shape: int) -> Any:
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(5, 3, padding="same", name="a"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(7, 3, activation="relu", name="b"),
            layers.Flatten(name="flat"),
            layers.Dense(3, name="end"),
        ]
    )


def captured(model: Any, x: np.ndarray, *, costly: bool = True) -> dict[str, dict[str, np.ndarray]]:
    inspector = ModelInspector({"": model})
    inspector.set_probe("", Samples(x, None, "given"))
    return inspector.activations(NEEDS, costly=costly)


@pytest.mark.parametrize(("samples", "shape"), [(40, (20, 14, 2)), (40, (9, 7, 1)), (4, (20, 14, 2))])
def test_peaks_are_those_of_a_full_search(
    samples: int, shape: tuple[int, ...], rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tb_cnndiag.capture.probe.CHUNK_SAMPLES", 16)  # three chunks
    model = model_of(*shape)
    x = rng.normal(size=(samples, *shape)).astype(np.float32)
    found = captured(model, x)
    for name in ("a", "b", "end"):
        output = keras.ops.convert_to_numpy(keras.Model(model.inputs, model.get_layer(name).output)(x))
        flat = output.reshape(samples, -1, output.shape[-1])
        for unit, rows in enumerate(found[name]["peaks"]):
            maxima = flat[:, :, unit].max(axis=1)
            best = np.argsort(-maxima, kind="stable")[: reductions.PATCHES]
            rows = rows[np.isfinite(rows[:, 0])]
            np.testing.assert_allclose(rows[:, 0], maxima[best], rtol=1e-5)
            for value, image, position in rows:
                np.testing.assert_allclose(flat[int(image), int(position), unit], value, rtol=1e-5)
                assert position == flat[int(image), :, unit].argmax() or value == 0
    assert found["a"]["searched"] == samples
    np.testing.assert_allclose(found["a"]["image"], x, rtol=1e-6)
    assert "image" not in found["b"]


def test_costly_reductions_are_made_only_when_they_are_asked_for(rng: np.random.Generator) -> None:
    found = captured(model_of(9, 7, 1), rng.normal(size=(12, 9, 7, 1)).astype(np.float32), costly=False)
    assert not {"peaks", "image", "searched"} & found["a"].keys()
    assert "sample_max" in found["a"]


def test_a_large_probe_is_searched_in_part(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tb_cnndiag.capture.probe.CHUNK_SAMPLES", 16)
    monkeypatch.setattr("tb_cnndiag.capture.probe.SEARCHED", 20)
    found = captured(model_of(9, 7, 1), rng.normal(size=(50, 9, 7, 1)).astype(np.float32))
    assert found["a"]["searched"] == len(found["a"]["image"]) == 32
    assert found["a"]["peaks"][..., 1].max() < 32
    assert len(found["a"]["sample_max"]) == 50


def test_patches_of_a_planted_unit_show_its_shape(rng: np.random.Generator, tmp_path: Path) -> None:
    """A unit whose kernel is a cross is excited most by the images that hold a cross, at the place of the cross."""
    cross = np.zeros((5, 5), np.float32)
    cross[2], cross[:, 2] = 1, 1
    model = keras.Sequential([keras.Input((24, 24, 1)), layers.Conv2D(2, 5, activation="relu", name="conv")])
    kernel = rng.normal(0, 0.05, (5, 5, 1, 2)).astype(np.float32)
    kernel[..., 0, 1] = cross - cross.mean()
    model.layers[-1].set_weights([kernel, np.zeros(2, np.float32)])
    x = rng.uniform(0, 0.4, (60, 24, 24, 1)).astype(np.float32)
    planted = {int(image): tuple(rng.integers(0, 19, 2)) for image in rng.choice(60, 9, replace=False)}
    for image, (row, column) in planted.items():
        x[image, row : row + 5, column : column + 5, 0] = cross
    audit(model, x, tmp_path)
    payloads = {m.diagnostic: m for m in read_run(tmp_path / "cnndiag")}
    info = payloads["run_info"].payload.layers[0]
    patches, atlas = payloads["top_patches"].payload, payloads["probe_atlas"].payload
    assert isinstance(patches, Patches)
    assert isinstance(atlas, Atlas)
    assert set(patches.images[1].tolist()) == set(planted)
    pictures = _pictures(atlas)
    for image, position in zip(patches.images[1], patches.positions[1], strict=True):
        row, column = (info.receptive_field.axes[axis].box(at)[0] for axis, at in enumerate(divmod(int(position), 20)))
        assert (row, column) == planted[int(image)]
        patch = pictures[image, row : row + 5, column : column + 5, 0]
        assert np.corrcoef(patch.ravel(), cross.ravel())[0, 1] > 0.95


def _pictures(atlas: Atlas) -> np.ndarray:
    import io

    from PIL import Image

    whole = np.asarray(Image.open(io.BytesIO(atlas.webp)).convert("RGB"), np.float64) / 255
    height, width = atlas.tile
    rows = whole.reshape(-1, height, atlas.columns, width, 3).swapaxes(1, 2)
    return rows.reshape(-1, height, width, 3)[: atlas.samples]


def test_no_pictures_are_stored_if_they_must_not_be(rng: np.random.Generator, tmp_path: Path) -> None:
    audit(model_of(9, 7, 1), rng.normal(size=(12, 9, 7, 1)).astype(np.float32), tmp_path, images=False)
    found = {m.diagnostic for m in read_run(tmp_path / "cnndiag")}
    assert "top_patches" in found
    assert "probe_atlas" not in found
