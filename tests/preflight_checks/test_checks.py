"""Each check finds what was put in, and passes what is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tb_cnndiag
from tb_cnndiag.cli import main
from tb_cnndiag.preflight_checks import PreflightError
from tb_cnndiag.preflight_checks.augmentation import Augmented, lost_share
from tb_cnndiag.preflight_checks.base import Subject
from tb_cnndiag.preflight_checks.data import Apart, Balanced, Finite, Fits, Informative, Shuffled
from tb_cnndiag.preflight_checks.model import SamplesApart
from tb_cnndiag.preflight_checks.run import preflight_verdict
from tb_cnndiag.preflight_checks.trial import rates
from tests.models import compiled, images, plain


@pytest.fixture
def subject(rng: np.random.Generator) -> Subject:
    x, y = images(rng, 240)
    order = rng.permutation(240)
    return Subject(compiled(plain()), x[order], y[order])


def _status(check: Any, subject: Subject) -> str:
    return check.run(subject).status


def test_healthy_data_pass(subject: Subject) -> None:
    for check in (Finite(), Fits(), Balanced(), Shuffled(), Informative()):
        assert _status(check, subject) == "passed"


def test_values_that_are_not_finite(subject: Subject) -> None:
    subject.x[3, 2, 2, 0] = np.nan
    subject.x[5] = np.inf
    (found,) = Finite().run(subject).findings
    assert found.message.startswith("2 samples of 240 have NaN")
    assert (found.fault, found.severity) == ("nan_or_inf", "error")


def test_shapes_and_axis_order(subject: Subject) -> None:
    color = compiled(keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(4)]))
    (found,) = Fits().run(Subject(color, np.zeros((9, 3, 8, 8)), np.zeros(9))).findings
    assert "channels come first" in found.message
    assert _status(Fits(), Subject(color, np.zeros((9, 8, 8, 3)), np.zeros(8))) == "found"
    assert _status(Fits(), Subject(color, np.zeros((9, 8, 8, 1)), np.zeros(9))) == "found"
    assert _status(Fits(), Subject(compiled(plain()), subject.x[..., 0], subject.y)) == "passed"


def test_classes_and_their_order(subject: Subject) -> None:
    order = np.argsort(subject.y, kind="stable")
    sorted_ = Subject(subject.model, subject.x[order], subject.y[order])
    (found,) = Shuffled().run(sorted_).findings
    assert found.evidence["changes"].value == 3
    rare = np.where(subject.y > 0, 0, np.arange(240) % 24 == 0).astype(int)
    (found,) = Balanced().run(Subject(subject.model, subject.x, rare)).findings
    assert found.severity == "info"
    assert _status(Shuffled(), Subject(subject.model, subject.x, subject.x)) == "not applicable"


def test_the_same_samples_in_training_and_validation(subject: Subject, rng: np.random.Generator) -> None:
    smooth = keras.ops.convert_to_numpy(
        keras.ops.image.resize(rng.normal(size=(60, 5, 5, 1)).astype("float32"), (24, 24), interpolation="bicubic")
    )
    other = keras.ops.convert_to_numpy(
        keras.ops.image.resize(rng.normal(size=(40, 5, 5, 1)).astype("float32"), (24, 24), interpolation="bicubic")
    )
    labels = np.zeros(60)

    def check(validation: Any) -> Any:
        return Apart().run(Subject(subject.model, smooth, labels, (validation, labels)))

    assert check(other).status == "passed"
    exact = check(np.concatenate([other, smooth[:5]]))
    assert exact.findings[0].message.startswith("5 validation samples of 45 are exactly")
    nearly = check(np.concatenate([other, 1.02 * smooth[:5] + 0.01]))
    assert "to the eye" in nearly.findings[0].message


@pytest.mark.parametrize(
    ("layer", "high", "proposed"),
    [
        (lambda: keras.layers.RandomBrightness(0.3, name="bright"), 1.0, "(0, 1)"),
        (lambda: keras.layers.RandomBrightness(0.3, value_range=(0, 1), name="bright"), 1.0, None),
        (lambda: keras.layers.RandomBrightness(0.2, name="bright"), 255.0, None),
        (lambda: keras.layers.RandomRotation(0.1, name="turn"), 1.0, None),
        (lambda: keras.layers.RandomTranslation(0.1, 0.1, name="move"), 1.0, None),
        (lambda: keras.layers.RandomContrast(0.3, name="contrast"), 1.0, None),
    ],
)
def test_augmentation_that_destroys_samples(
    layer: Any, high: float, proposed: str | None, rng: np.random.Generator
) -> None:
    x = (high * rng.uniform(size=(120, 12, 12, 3)) * rng.uniform(0.3, 1, (120, 1, 1, 1))).astype(np.float32)
    model = keras.Sequential([keras.Input((12, 12, 3)), layer(), keras.layers.Flatten(), keras.layers.Dense(4)])
    result = Augmented().run(Subject(compiled(model), x, rng.integers(0, 4, 120)))
    if proposed is None:
        assert result.status == "passed"
        return
    (found,) = result.findings
    assert (found.fault, found.layer) == ("destructive_augmentation", "bright")
    assert (found.adjustments[0].parameter, found.adjustments[0].proposed) == ("value_range", proposed)


def test_samples_are_lost_by_contrast_or_range(rng: np.random.Generator) -> None:
    x = rng.uniform(size=(10, 4, 4, 1))
    assert lost_share(x, x[:, ::-1]) == 0
    gray = np.concatenate([np.full_like(x[:4], 0.5), x[4:]])
    assert lost_share(x, gray) == pytest.approx(0.4)
    assert lost_share(x, np.concatenate([x[:7] + 9, x[7:]])) == pytest.approx(0.7)


def test_a_model_that_augments_nothing(subject: Subject) -> None:
    assert Augmented().run(subject).reason == "the model augments no images"


def test_labels_that_lost_their_order(subject: Subject, rng: np.random.Generator) -> None:
    shuffled = Subject(subject.model, subject.x, rng.permutation(subject.y))
    (found,) = Informative().run(shuffled).findings
    assert found.fault == "uninformative_labels"
    assert _status(Informative(), Subject(subject.model, subject.x[:50], subject.y[:50])) == "not applicable"


class MixedUp(keras.layers.Layer):
    """Subtracts the mean over the batch, as with a wrong axis."""

    def call(self, x: Any) -> Any:
        return x - keras.ops.mean(x, axis=0)


def test_samples_that_interact(subject: Subject) -> None:
    assert _status(SamplesApart(), subject) == "passed"
    model = keras.Sequential([keras.Input((12, 12, 1)), keras.layers.Flatten(), MixedUp(), keras.layers.Dense(4)])
    (found,) = SamplesApart().run(Subject(compiled(model), subject.x, subject.y)).findings
    assert (found.fault, found.severity) == ("samples_interact", "error")


@pytest.mark.parametrize(("rate", "fault"), [(1e-7, "learning_rate_too_low"), (3.0, "learning_rate_too_high")])
def test_rates_that_learn_nothing(rate: float, fault: str, subject: Subject) -> None:
    subject.model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    judged = preflight_verdict(subject.model, subject.x, subject.y)
    (found,) = [f for f in judged.findings if f.fault == fault]
    change = found.adjustments[0].change
    assert change is not None
    assert (change.value > rate) == (fault == "learning_rate_too_low")


def test_a_good_rate_is_inside_the_bracket(subject: Subject) -> None:
    subject.model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    runs = rates(subject)
    assert runs[1.0].relative < 0.95
    assert runs[1.0].relative < runs[0.01].relative


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"bias_initializer": keras.initializers.Constant(-50.0)}, ("dead_units", "conv_b")),
        ({"kernel_initializer": "zeros"}, ("bad_init", "conv_b")),
    ],
)
def test_what_the_rules_of_trainings_find_in_a_short_one(change: Any, expected: Any, subject: Subject) -> None:
    model = keras.models.clone_model(
        plain(),
        clone_function=lambda layer: type(layer).from_config(
            layer.get_config() | (change if layer.name == "conv_b" else {})
        ),
    )
    findings = tb_cnndiag.preflight(compiled(model), subject.x, subject.y)
    assert findings
    assert all((f.first_step, f.last_step) == (0, 0) for f in findings)
    assert expected in {(f.fault, f.layer) for f in findings}


def test_what_does_not_apply_is_said(subject: Subject) -> None:
    judged = preflight_verdict(subject.model, subject.x, subject.y)
    assert {c.fault: c.reason for c in judged.coverage}["leaking_samples"] == "there are no validation data"
    late = preflight_verdict(subject.model, subject.x, subject.y, time_limit=0)
    assert all(c.status == "not_applicable" and c.reason == "the time limit was reached" for c in late.coverage)
    with pytest.raises(PreflightError, match="not compiled"):
        tb_cnndiag.preflight(plain(), subject.x, subject.y)
    with pytest.raises(PreflightError, match="Keras models"):
        tb_cnndiag.preflight("model.keras", subject.x, subject.y)


SCRIPT = """
import numpy as np
from tests.models import compiled, images, plain
def setup():
    x, y = images(np.random.default_rng(0), 160)
    order = np.argsort(y, kind="stable")
    return compiled(plain()), x[order], y[order]
def broken():
    raise RuntimeError("no data")
def wrong():
    return 1
"""


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("my_training.py").write_text(SCRIPT)
    assert main(["preflight", "my_training:setup", "-o", "log", "--fail-on", "warning"]) == 1
    printed = capsys.readouterr().out
    assert "my_training:setup: 3 layers" in printed
    assert "[sorted_data]" in printed
    assert main(["check", "log", "--fail-on", "warning", "--select", "sorted_data"]) == 1
    assert main(["preflight", "my_training:setup", "--ignore", "sorted_data", "--time-limit", "0.01"]) == 0
    capsys.readouterr()
    for name, words in {
        "my_training:broken": "RuntimeError: no data",
        "my_training:wrong": "must return a compiled model",
        "my_training": "expected MODULE:FUNCTION",
        "nowhere:f": "ModuleNotFoundError",
    }.items():
        assert main(["preflight", name]) == 2
        assert words in capsys.readouterr().err
