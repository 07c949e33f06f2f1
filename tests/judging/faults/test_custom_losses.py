"""Losses that Keras does not define are judged by the numbers that they give, in real trainings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag import CNNDiagnostics, judge_log
from tb_cnndiag.finding import Finding
from tb_cnndiag.judging.coverage import Verdict
from tests.models import images, plain

FAULT = "output_loss_mismatch"
ops = keras.ops


def cross_entropy(y: Any, p: Any) -> Any:
    return -ops.sum(y * ops.log(p + 1e-7), axis=-1)


def of_logits(y: Any, z: Any) -> Any:
    return ops.logsumexp(z, axis=-1) - ops.sum(y * z, axis=-1)


def squared(y: Any, p: Any) -> Any:
    return ops.mean(ops.square(y - p), axis=-1)


def rewarding(y: Any, p: Any) -> Any:
    return -cross_entropy(y, p)


def focal(y: Any, p: Any) -> Any:
    p = ops.clip(p, 1e-7, 1 - 1e-7)
    return ops.sum(-0.25 * y * (1 - p) ** 2 * ops.log(p), axis=-1)


def dice(y: Any, p: Any) -> Any:
    return 1 - (2 * ops.sum(y * p) + 1) / (ops.sum(y) + ops.sum(p) + 1)


def contrastive(y: Any, d: Any) -> Any:
    return ops.mean(y * ops.square(d) + (1 - y) * ops.square(ops.maximum(1 - d, 0)))


def of_embeddings(y: Any, vectors: Any) -> Any:
    distances = ops.sum(ops.square(vectors[:, None] - vectors[None]), axis=-1)
    same = ops.cast(ops.equal(ops.reshape(y, (-1, 1)), ops.reshape(y, (1, -1))), "float32")
    return ops.mean(same * distances + (1 - same) * ops.maximum(1 - distances, 0))


def raising(y: Any, p: Any) -> Any:
    if not isinstance(p, keras.KerasTensor) and "Eager" in type(p).__name__:
        raise ValueError("only inside a training step")
    return cross_entropy(y, p)


class Weighted(keras.losses.Loss):
    def __init__(self, weights: Sequence[float]) -> None:
        super().__init__()
        self.weights = np.array(weights, np.float32)

    def call(self, y: Any, p: Any) -> Any:
        return -ops.sum(self.weights * y * ops.log(ops.clip(p, 1e-7, 1.0)), axis=-1)


def judged(loss: Any, path: Path, *, activation: str = "softmax", units: int = 4, one_hot: bool = True) -> Verdict:
    keras.utils.set_random_seed(1)
    x, y = images(np.random.default_rng(2), samples=128)
    body = plain()
    head = keras.layers.Dense(units, activation=activation, name="head")
    model = keras.Model(body.inputs, head(body.layers[-2].output))
    targets = np.eye(4, dtype=np.float32)[y] if one_hot else (y % 2 if units == 1 else y).astype(np.float32)
    model.compile(keras.optimizers.Adam(0.003), loss)
    callback = CNNDiagnostics(path, budget=None, verbose=0, on_finding=lambda _: None)
    model.fit(x, targets, epochs=5, batch_size=16, verbose=0, callbacks=[callback])
    return judge_log(str(path))


def mismatches(verdict: Verdict) -> list[Finding]:
    return [finding for finding in verdict.findings if finding.fault == FAULT]


def coverage(verdict: Verdict) -> tuple[str, str]:
    return next((each.status, each.reason) for each in verdict.coverage if each.fault == FAULT)


def test_softmax_in_the_model_and_in_the_loss(tmp_path: Path) -> None:
    (finding,) = mismatches(judged(of_logits, tmp_path))
    assert finding.message == "Softmax is applied twice: in head and in the loss."
    (adjustment,) = finding.adjustments
    assert (adjustment.layer, adjustment.parameter, adjustment.proposed) == ("head", "activation", "linear")


def test_logits_for_a_loss_of_probabilities(tmp_path: Path) -> None:
    (finding,) = mismatches(judged(focal, tmp_path, activation="linear"))
    assert (finding.severity, finding.adjustments[0].proposed) == ("error", "softmax")


def test_a_squared_error_of_classes(tmp_path: Path) -> None:
    (finding,) = mismatches(judged(squared, tmp_path))
    assert finding.severity in ("info", "warning")
    assert finding.adjustments[0].proposed == "categorical_crossentropy"


def test_a_wrong_sign(tmp_path: Path) -> None:
    (finding,) = mismatches(judged(rewarding, tmp_path))
    assert (finding.severity, finding.layer) == ("error", "head")
    assert "rewarding" in finding.message


@pytest.mark.parametrize("loss", [cross_entropy, focal, [focal], {"head": focal}, Weighted([1, 2, 1, 2])])
def test_healthy_losses_of_classes(loss: Any, tmp_path: Path) -> None:
    verdict = judged(loss, tmp_path)
    assert not [finding for finding in verdict.findings if finding.severity == "error"]
    assert coverage(verdict)[0] == "clear"


@pytest.mark.parametrize("loss", [of_logits, [of_logits], {"head": of_logits}])
def test_a_healthy_loss_of_logits(loss: Any, tmp_path: Path) -> None:
    verdict = judged(loss, tmp_path, activation="linear")
    assert not mismatches(verdict)
    assert coverage(verdict)[0] == "clear"


@pytest.mark.parametrize(
    ("loss", "options", "reason"),
    [
        (dice, {}, "the loss dice needs is not known"),
        (contrastive, {"activation": "sigmoid", "units": 1, "one_hot": False}, "contrastive"),
        (of_embeddings, {"activation": "linear", "units": 3, "one_hot": False}, "of_embeddings"),
        (raising, {}, "it raises ValueError"),
    ],
)
def test_losses_whose_needs_stay_open(loss: Any, options: Any, reason: str, tmp_path: Path) -> None:
    verdict = judged(loss, tmp_path, **options)
    assert not mismatches(verdict)
    status, why = coverage(verdict)
    assert status == "unknown"
    assert reason in why


@pytest.mark.parametrize(
    "loss", [[keras.losses.CategoricalCrossentropy(from_logits=True)], {"head": keras.losses.MeanSquaredError()}]
)
def test_objects_of_keras_in_lists_and_dictionaries_are_known(loss: Any, tmp_path: Path) -> None:
    verdict = judged(loss, tmp_path, activation="linear")
    assert not [finding for finding in mismatches(verdict) if finding.severity == "error"]
    assert coverage(verdict)[0] in ("clear", "found")
