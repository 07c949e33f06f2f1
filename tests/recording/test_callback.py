"""What the callback is asked for, and what it says when it is asked for the impossible."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag import CNNDiagnostics, Finding, diagnose, every, log_spaced
from tb_cnndiag.diagnostics.probe_images import ProbeImages
from tb_cnndiag.history import History
from tb_cnndiag.payloads import Images
from tb_cnndiag.summaries.reader import find_runs, read_run
from tb_cnndiag.warning import DiagnosticsWarning
from tests.models import compiled, images, normalized, plain


def _history(log_dir: Path) -> History:
    return History.of(read_run(log_dir / "cnndiag"))


def _fit(model: Any, log_dir: Path, rng: np.random.Generator, *, epochs: int = 2, **options: Any) -> Any:
    x, y = images(rng)
    options.setdefault("verbose", 0)
    callback = CNNDiagnostics(log_dir, **options)
    model.fit(x, y, batch_size=16, epochs=epochs, verbose=0, callbacks=[callback])
    return callback


def test_every_diagnostic_reaches_the_log(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    _fit(compiled(plain("tanh"), metrics=["accuracy"]), tmp_path, rng, probe=(x, y), budget=None)
    _fit(compiled(normalized()), tmp_path / "normalized", rng, probe=(x, y), budget=None)
    logs = (tmp_path / "cnndiag", tmp_path / "normalized" / "cnndiag")
    seen = {m.diagnostic for log in logs for m in read_run(log)}
    history = _history(tmp_path)
    assert history.info
    assert {info.name for info in history.info.diagnostics} <= seen
    assert history.info.probe.source == "given"
    assert history.info.probe.class_counts == (16, 16, 16, 16)
    assert {"loss", "accuracy", "learning_rate"} <= set(history.scalar_names("training_curve"))
    assert set(history.scalar_names("overhead")) == {"seconds", "bytes"}


def test_without_images_no_picture_of_the_data_is_in_the_log(tmp_path: Path, rng: np.random.Generator) -> None:
    def pictured(log_dir: Path) -> set[tuple[str, bool]]:
        return {
            (m.diagnostic, image.sample is not None)
            for m in read_run(log_dir / "cnndiag")
            if isinstance(m.payload, Images)
            for image in m.payload.images
        }

    class Own(ProbeImages):
        name = "own_images"

    chosen = [Own(), "feature_maps", "filter_images", "probe_images"]
    _fit(compiled(plain()), tmp_path / "with", rng, diagnostics=chosen)
    shown = {("feature_maps", True), ("probe_images", True), ("own_images", True), ("filter_images", False)}
    assert pictured(tmp_path / "with") == shown
    _fit(compiled(plain()), tmp_path / "without", rng, diagnostics=chosen, images=False)
    assert pictured(tmp_path / "without") == {("filter_images", False)}
    _fit(compiled(plain()), tmp_path / "default", rng, images=False)
    assert pictured(tmp_path / "default") == {("filter_images", False)}


def test_update_freq_in_steps(tmp_path: Path, rng: np.random.Generator) -> None:
    _fit(compiled(plain()), tmp_path, rng, update_freq=3, diagnostics=["weight_health"])
    assert _history(tmp_path).series("weight_health", "rms").steps.tolist() == [0, 3, 4, 6, 8]


def test_the_schedule_thins_heavy_diagnostics_but_never_the_last_snapshot(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    _fit(compiled(plain()), tmp_path, rng, epochs=6, schedule=every(4))
    history = _history(tmp_path)
    assert history.series("filter_similarity", "mean_similarity").steps.tolist() == [0, 16, 24]
    assert len(history.series("weight_health", "rms")) == 7


@pytest.mark.parametrize(("schedule", "taken"), [(every(3), [0, 3, 6, 9]), (log_spaced(4), [0, 1, 2, 3, 4, 6, 8, 10])])
def test_schedules(schedule: Any, taken: list[int]) -> None:
    assert [snapshot for snapshot in range(11) if schedule(snapshot)] == taken


def test_layers_can_be_chosen(tmp_path: Path, rng: np.random.Generator) -> None:
    _fit(compiled(plain()), tmp_path, rng, layers="conv")
    assert [layer.path for layer in _history(tmp_path).layers] == ["conv_a", "conv_b"]


def test_a_second_training_gets_a_directory_of_its_own(tmp_path: Path, rng: np.random.Generator) -> None:
    _fit(compiled(plain()), tmp_path, rng)
    with pytest.warns(DiagnosticsWarning, match="already holds a training"):
        _fit(compiled(plain()), tmp_path, rng)
    assert set(find_runs(tmp_path)) == {".", "training_2"}


def test_a_resumed_training_goes_on_where_it_was(tmp_path: Path, rng: np.random.Generator) -> None:
    model = compiled(plain())
    _fit(model, tmp_path, rng)
    _fit(model, tmp_path, rng)
    history = _history(tmp_path)
    assert history.series("weight_health", "rms").steps.tolist() == [0, 4, 8, 12, 16]
    assert history.snapshots == 5


def test_stop_ends_a_hopeless_run(tmp_path: Path, rng: np.random.Generator) -> None:
    model = plain()
    model.get_layer("conv_a").bias.assign(np.full(6, -50.0))
    x, y = images(rng)
    history = compiled(model).fit(
        x, y, epochs=9, verbose=0, callbacks=[CNNDiagnostics(tmp_path, probe=x, on_finding="stop", verbose=0)]
    )
    assert len(history.history["loss"]) < 9


def test_findings_of_the_last_snapshot_are_there_after_early_stopping(tmp_path: Path, rng: np.random.Generator) -> None:
    """What only the last snapshot measures, similarity here, must reach ``callback.findings`` too."""
    x, y = images(rng)
    model = compiled(plain())

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                kernel = model.get_layer("conv_b").kernel
                value = np.asarray(kernel)
                kernel.assign(np.repeat(value[..., :1], value.shape[-1], axis=-1))
                model.stop_training = True

    only_last = CNNDiagnostics(tmp_path, probe=(x, y), schedule=lambda snapshot: False, verbose=0)
    model.fit(x, y, epochs=9, verbose=0, callbacks=[Stop(), only_last])
    assert "redundant_filters" in {finding.fault for finding in only_last.findings}
    assert list(only_last.findings) == list(diagnose(tmp_path))


def test_a_scheduled_learning_rate_is_no_new_run_info(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    model = compiled(plain())
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 / (1 + epoch))
    own = CNNDiagnostics(tmp_path, probe=(x, y), verbose=0, diagnostics=["dead_units", "training_curve"])
    model.fit(x, y, epochs=6, verbose=0, callbacks=[schedule, own])
    infos = [m.step for m in read_run(tmp_path / "cnndiag") if m.diagnostic == "run_info"]
    assert len(infos) == len(set(infos)) <= 2  # the batch size is known after the first epoch
    rates = _history(tmp_path).scalars("training_curve", "learning_rate")[1]
    np.testing.assert_allclose(rates[1:], [0.01 / (1 + epoch) for epoch in range(6)], rtol=1e-6)


def test_a_function_is_called_once_per_finding(tmp_path: Path, rng: np.random.Generator) -> None:
    model = plain()
    model.get_layer("conv_a").bias.assign(np.full(6, -50.0))
    reported: list[Finding] = []
    x, _ = images(rng)
    callback = _fit(compiled(model), tmp_path, rng, epochs=5, probe=x, on_finding=reported.append)
    dead = [f for f in reported if f.fault == "dead_units"]
    assert [(f.layer, f.severity) for f in dead] == [("conv_a", "error"), ("conv_b", "error")]
    assert dead[1].caused_by == dead[0]
    assert len({(f.fault, f.layer, f.severity) for f in reported}) == len(reported)
    assert callback.findings[0].layer == "conv_a"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"update_freq": 0}, "update_freq is 0"),
        ({"update_freq": "batch"}, "update_freq is 'batch'"),
        ({"on_finding": "panic"}, "on_finding is 'panic'"),
        ({"schedule": 5}, "schedule is 5"),
        ({"diagnostics": ["dead_unit"]}, "Did you mean 'dead_units'?"),
    ],
)
def test_wrong_arguments_name_what_is_allowed(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words.replace("?", r"\?")):
        CNNDiagnostics(tmp_path, **options)


@pytest.mark.parametrize(
    ("options", "words", "snapshots"),
    [
        ({"probe": np.empty((0, 12, 12, 1))}, "probe is empty", True),
        ({"probe": (np.ones((4, 12, 12, 1)), np.ones(3))}, r"different lengths: \[3, 4\]", True),
        ({"probe": np.ones((4, 9, 9, 1))}, r"shape \(9, 9, 1\), but the model expects \(12, 12, 1\)", True),
        ({"layers": "nothing"}, "No layer matches 'nothing'. The layers are: conv_a, conv_b, head", False),
    ],
)
def test_bad_input_is_reported_and_training_goes_on(
    options: dict[str, Any], words: str, snapshots: bool, tmp_path: Path, rng: np.random.Generator
) -> None:
    with pytest.warns(DiagnosticsWarning, match=words):
        _fit(compiled(plain()), tmp_path, rng, **options)
    history = _history(tmp_path)
    assert history.info is not None
    assert (history.snapshots > 0, history.info.switched_off is None) == (snapshots, snapshots)


def test_a_model_without_kernels_is_reported(tmp_path: Path, rng: np.random.Generator) -> None:
    model = compiled(keras.Sequential([keras.Input((12, 12, 1)), keras.layers.GlobalAveragePooling2D()]))
    model.compile("sgd", "mse")
    with pytest.warns(DiagnosticsWarning, match="no layer with a kernel"):
        _fit(model, tmp_path, rng)


def test_a_model_whose_probe_pass_fails_is_still_looked_at(tmp_path: Path, rng: np.random.Generator) -> None:
    class Picky(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.head = keras.layers.Dense(4, activation="softmax", name="head")

        def call(self, x: Any, training: bool = False) -> Any:
            if not training:
                raise RuntimeError("training only")
            return self.head(keras.ops.reshape(x, (-1, 144)))

    with pytest.warns(DiagnosticsWarning, match="pass over the probe failed .RuntimeError: .*training only"):
        _fit(compiled(Picky()), tmp_path, rng)
    assert len(_history(tmp_path).series("weight_health", "rms")) >= 1


def test_dictionaries_as_inputs(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    a, b = keras.Input((12, 12, 1), name="a"), keras.Input((12, 12, 1), name="b")
    joined = keras.layers.Concatenate()([a, b])
    hidden = keras.layers.Flatten()(keras.layers.Conv2D(4, 3, activation="relu", name="conv")(joined))
    model = compiled(keras.Model({"a": a, "b": b}, keras.layers.Dense(4, activation="softmax", name="head")(hidden)))
    with warnings.catch_warnings():
        warnings.simplefilter("error", DiagnosticsWarning)
        model.fit({"a": x, "b": x}, y, epochs=1, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    history = _history(tmp_path)
    assert history.info
    assert history.info.probe.samples >= 40
    assert np.isfinite(history.series("dead_units", "dead_ratio").values).all()
