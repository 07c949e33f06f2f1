"""The prior loss against the cross-entropy of the best constant prediction, and what a loss compares."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.loss_function import loss_of
from tb_cnndiag.judging.signals.prior_loss import class_prior_entropy, prior_loss
from tb_cnndiag.payloads import Probe, Targets
from tests.judging.faults.made import INFO, LAYERS, history


@pytest.mark.parametrize("shares", [[0.9, 0.1], [0.6, 0.3, 0.1], [0.95, 0.03, 0.02]])
def test_the_entropy_of_the_class_prior_is_estimated_from_counts(shares: list[float]) -> None:
    rng = np.random.default_rng(0)
    exact = -sum(p * math.log(p) for p in shares)
    estimates = [class_prior_entropy(tuple(rng.multinomial(256, shares).tolist()), len(shares)) for _ in range(200)]
    assert np.mean(estimates) == pytest.approx(exact, rel=0.04)


@pytest.mark.parametrize("classes", [2, 10, 100, 1000])
def test_counts_of_balanced_classes_give_the_logarithm_of_their_number(classes: int) -> None:
    rng = np.random.default_rng(1)
    found = [
        class_prior_entropy(tuple(rng.multinomial(256, [1 / classes] * classes).tolist()), classes) for _ in range(100)
    ]
    assert np.mean([value == math.log(classes) for value in found]) >= 0.95


@pytest.mark.parametrize(
    ("loss", "units", "probe", "expected"),
    [
        ("sparse_categorical_crossentropy", 2, Probe("given", 100, (90, 10)), 0.325),
        ("categorical_crossentropy", 4, Probe("given", 0), math.log(4)),
        ("binary_crossentropy", 1, Probe("given", 100, (90, 10)), 0.325),
        ("binary_crossentropy", 1, Probe("given", 0), math.log(2)),
        # ten exclusive classes under a binary loss: each label is 1 for a tenth of the samples
        ("binary_crossentropy", 10, Probe("given", 9, (), Targets((10,), 0, 1, whole=True, variance=0.09)), 0.325),
        ("mse", 1, Probe("given", 9, (), Targets(variance=2.5)), 2.5),
        ("my_own", 1, Probe("given", 9, (), Targets(variance=2.5)), None),
    ],
)
def test_prior_losses(loss: str, units: int, probe: Probe, expected: float | None) -> None:
    info = replace(INFO, layers=(*LAYERS[:3], replace(LAYERS[3], units=units)), loss=json.dumps(loss), probe=probe)
    found = prior_loss(Signals(history({}, info=info, scalars={"loss": [1.0]})))
    assert found == (None if expected is None else pytest.approx(expected, abs=0.012))


@pytest.mark.parametrize(
    ("config", "family"),
    [
        ("mse", "squared"),
        (["mse"], "squared"),
        ({"head": "mae"}, "absolute"),
        ("mean_squared_logarithmic_error", "squared"),
        ("log_cosh", "absolute"),
        ("huber", "absolute"),
        ("poisson", "count"),
        ("kl_divergence", "divergence"),
        ("binary_focal_crossentropy", "binary"),
        ({"class_name": "CategoricalFocalCrossentropy", "config": {}}, "categorical"),
        ({"class_name": "MyLib>SparseCategoricalCrossentropy", "config": {"from_logits": True}}, "categorical"),
        (["mse", "mae"], "other"),
        ("cosine_similarity", "other"),
        (None, "other"),
    ],
)
def test_what_a_loss_compares(config: Any, family: str) -> None:
    assert loss_of(config).family == family


def test_settings_of_a_loss() -> None:
    found = loss_of(
        {"class_name": "SparseCategoricalCrossentropy", "config": {"from_logits": True, "ignore_class": -1}}
    )
    assert (found.from_logits, found.sparse, found.ignores) == (True, True, True)
