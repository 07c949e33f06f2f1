"""``tb_cnndiag.visualize`` and its command: results, logs, limits, and bad input."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tb_cnndiag
from tb_cnndiag.cli import main
from tb_cnndiag.diagnostics import available
from tb_cnndiag.history import History
from tb_cnndiag.payloads import Images, SampleMaps, UnitValues
from tb_cnndiag.recording.visualizing import VisualizeError, visualize
from tb_cnndiag.summaries.reader import read_run
from tests.unit_images.helpers import network


@pytest.fixture
def model() -> Any:
    return network(channels=3)


@pytest.fixture
def probe(rng: np.random.Generator) -> Any:
    return rng.uniform(size=(20, 12, 12, 3)).astype(np.float32), rng.integers(0, 3, 20)


def test_images_excite_their_units_more_than_the_probe(model: Any, probe: Any) -> None:
    before = model.get_weights()
    made = tb_cnndiag.visualize(model, probe, layers="first")
    assert [(image.layer, image.unit) for image in made] == [("first", unit) for unit in range(4)]
    outputs = keras.Model(model.inputs, model.layers[0].output)
    answers = np.asarray(outputs(np.stack([image.image for image in made])))
    natural = np.asarray(outputs(probe[0])).max(axis=(0, 1, 2))
    for unit, image in enumerate(made):
        assert image.image.shape == (12, 12, 3)
        assert 0 <= image.image.min() <= image.image.max() <= 1
        assert image.activation == pytest.approx(answers[unit, ..., unit].max(), rel=1e-4)
        assert image.ratio == pytest.approx(image.activation / natural[unit], rel=1e-4)
    assert np.median([image.ratio for image in made]) > 1
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    again = visualize(model, probe, layers=["first"], units=[2])
    np.testing.assert_array_equal(made[2].image, again[0].image)


def _train(model: Any, probe: Any, log_dir: Path, **options: Any) -> None:
    """A training whose log gets no images at its end."""
    model.compile("adam", "sparse_categorical_crossentropy")
    measured = [kind() for kind in available()]
    callback = tb_cnndiag.CNNDiagnostics(
        log_dir, probe=probe, budget=None, verbose=False, diagnostics=measured, **options
    )
    model.fit(*probe, epochs=1, verbose=0, callbacks=[callback])


def test_images_join_the_log_of_the_training(model: Any, probe: Any, tmp_path: Path) -> None:
    _train(model, probe, tmp_path)
    before = History.of(read_run(tmp_path / "cnndiag"))
    visualize(model, probe, units=[1, 3], log_dir=tmp_path)
    history = History.of(read_run(tmp_path / "cnndiag"))
    assert (history.snapshots, history.last_step) == (before.snapshots, before.last_step)
    assert history.findings == before.findings
    assert history.info is not None
    names = [each.name for each in history.info.diagnostics]
    assert names[-7:] == [
        "synthetic_images",
        "synthetic_responses",
        "projections",
        "patch_gradients",
        "sample_maps",
        "gradient_boxes",
        "unit_densities",
    ]
    assert isinstance(history.latest("sample_maps"), SampleMaps)
    assert len(set(names)) == len(names)
    images, values = (history.latest(name, "second") for name in names[-7:-5])
    assert isinstance(images, Images)
    assert [image.unit for image in images.images] == [1, 3]
    assert isinstance(values, UnitValues)
    assert np.isfinite(values.columns["ratio"]).tolist() == [False, True, False, True, False, False]
    projected = history.latest("projections", "second")
    assert isinstance(projected, Images)
    patches: Any = history.latest("top_patches", "second")
    shown = [(image.unit, image.sample) for image in projected.images]
    assert shown == [(unit, sample) for unit in (1, 3) for sample in patches.images[unit] if sample >= 0]


def test_a_training_that_goes_on_keeps_images_and_their_description(model: Any, probe: Any, tmp_path: Path) -> None:
    _train(model, probe, tmp_path)
    visualize(model, probe, units=[1, 3], log_dir=tmp_path)
    before = History.of(read_run(tmp_path / "cnndiag"))
    measured = [kind() for kind in available()]
    callback = tb_cnndiag.CNNDiagnostics(tmp_path, probe=probe, budget=None, verbose=False, diagnostics=measured)
    model.fit(*probe, epochs=1, verbose=0, callbacks=[callback])
    history = History.of(read_run(tmp_path / "cnndiag"))
    assert history.snapshots > before.snapshots
    assert [path.name for path in tmp_path.iterdir()] == ["cnndiag"]
    assert history.info is not None
    assert before.info is not None
    assert {each.name for each in history.info.diagnostics} == {each.name for each in before.info.diagnostics}
    for name in ("synthetic_images", "synthetic_responses", "projections", "patch_gradients"):
        assert history.latest(name, "second") is not None
    assert history.latest("sample_maps") is not None


def test_units_join_those_that_have_images_at_the_same_step(model: Any, probe: Any, tmp_path: Path) -> None:
    _train(model, probe, tmp_path)
    for units in ([3], [1, 4], [3]):
        made = visualize(model, probe, layers="second", units=units, log_dir=tmp_path)
    history = History.of(read_run(tmp_path / "cnndiag"))
    images, projected = (history.latest(name, "second") for name in ("synthetic_images", "projections"))
    assert isinstance(images, Images)
    assert sorted(image.unit for image in images.images) == [1, 3, 4]
    assert isinstance(projected, Images)
    assert {image.unit for image in projected.images} <= {1, 3, 4}
    assert len({image.unit for image in projected.images}) > 1
    values = history.latest("synthetic_responses", "second")
    assert isinstance(values, UnitValues)
    assert np.flatnonzero(np.isfinite(values.columns["activation"])).tolist() == [1, 3, 4]
    assert values.columns["activation"][3] == pytest.approx(made[0].activation)


def test_projections_are_left_out_where_the_log_has_other_images(
    model: Any, probe: Any, tmp_path: Path, rng: np.random.Generator
) -> None:
    _train(model, probe, tmp_path)
    visualize(model, rng.uniform(size=(20, 12, 12, 3)), layers="second", units=[1], log_dir=tmp_path)
    history = History.of(read_run(tmp_path / "cnndiag"))
    assert history.latest("synthetic_images", "second") is not None
    assert history.latest("projections", "second") is None


def test_projections_are_left_out_where_the_log_shows_no_data(model: Any, probe: Any, tmp_path: Path) -> None:
    _train(model, probe, tmp_path, images=False)
    visualize(model, probe, layers="second", units=[1], log_dir=tmp_path)
    history = History.of(read_run(tmp_path / "cnndiag"))
    assert history.latest("top_patches", "second") is not None
    assert history.latest("synthetic_images", "second") is not None
    assert history.latest("projections", "second") is None


def test_new_directory_gets_a_log_of_its_own(model: Any, probe: Any, tmp_path: Path) -> None:
    visualize(model, probe, layers="first", log_dir=tmp_path / "new")
    history = History.of(read_run(tmp_path / "new" / "cnndiag"))
    assert history.info is not None
    assert history.info.origin == "audit"
    assert history.latest("projections", "first") is not None


def test_log_of_another_model_is_refused(model: Any, probe: Any, tmp_path: Path) -> None:
    _train(model, probe, tmp_path)
    with pytest.raises(VisualizeError, match="log of another model"):
        visualize(network(channels=3, classes=7), probe, log_dir=tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("limit", ["time", "interrupt"])
def test_limits_keep_what_is_done(model: Any, probe: Any, tmp_path: Path, limit: str) -> None:
    def progress(what: str, share: float) -> None:
        assert 0 <= share <= 1
        if what == "second" and limit == "interrupt":
            raise KeyboardInterrupt
        if what == "second":
            now.append(1e9)

    now = [0.0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tb_cnndiag.recording.visualizing.time.monotonic", lambda: now[-1])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            made = visualize(model, probe, time_limit=10, log_dir=tmp_path, progress=progress)
    assert {image.layer for image in made} == {"first"}
    assert any("4 of 10 units have an image" in str(each.message) for each in caught)
    assert History.of(read_run(tmp_path / "cnndiag")).latest("synthetic_images", "first") is not None


def test_bad_input_is_explained(model: Any, probe: Any, tmp_path: Path) -> None:
    def refused(match: str, *arguments: Any, **options: Any) -> None:
        with pytest.raises(VisualizeError, match=match):
            visualize(*arguments, **options)

    refused("first has 4 units, 0 to 3; there is no unit 9", model, probe, units=[0, 9], layers="first")
    refused("there is no unit -1", model, probe, units=[-1])
    refused("units is empty", model, probe, units=[])
    refused("No layer matches 'none'", model, probe, layers="none")
    refused("not a regular expression", model, probe, layers="(")
    refused("The model does not have other", model, probe, layers=["other"])
    refused("12, 12, 3", model, np.zeros((4, 9, 9, 3)))
    refused("need samples of your data", model, None)
    refused("The probe is empty", model, np.zeros((0, 12, 12, 3)))
    refused("NaN or infinite. Remove these images", model, np.full((4, 12, 12, 3), np.nan))
    refused("this is a int", 3, probe)
    refused("does not exist", tmp_path / "none.keras", probe)
    dense = keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(3)])
    refused("has no convolution", dense, np.zeros((4, 5)))
    refused("No input of the model is a picture", dense, np.zeros((4, 5)), layers="dense")
    model.get_layer("second").kernel.assign(np.full(model.get_layer("second").kernel.shape, np.nan))
    refused("Weights of second are NaN or infinite", model, probe)


def test_silent_layer_says_so(model: Any, probe: Any) -> None:
    model.get_layer("first").bias.assign([-100.0] * 4)
    (image,) = visualize(model, probe, layers="first", units=[0])
    assert np.isnan(image.ratio)
    assert image.note.startswith("silent on every image of the probe, and no synthetic image")


def test_command(model: Any, probe: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "probe.npz", x=probe[0])
    command = ["visualize", str(tmp_path / "model.keras"), "--probe", str(tmp_path / "probe.npz")]
    assert main([*command, "--layer", "first", "--units", "0,2", "-o", str(tmp_path / "log")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["first 0", "first 2"]
    assert (tmp_path / "log" / "cnndiag").is_dir()
    assert main([*command, "--units", "99"]) == 2
    assert "there is no unit 99" in capsys.readouterr().err
