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
from tb_cnndiag.judging.signals.prior_loss import binary_entropy, class_prior_entropy, output_layer, prior_loss
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


@pytest.mark.parametrize("classes", [2, 4, 9])
def test_counts_that_contradict_equal_shares(classes: int) -> None:
    """χ² above its mean by more than three of its standard deviations; then the entropy is corrected (Miller 1955)."""
    rng = np.random.default_rng(classes)
    for _ in range(60):
        shares = rng.dirichlet([9.0] * classes)
        counts = rng.multinomial(200, shares)
        expected = 200 / classes
        chi_square = sum((count - expected) ** 2 / expected for count in counts)
        balanced = chi_square <= (classes - 1) + 3 * math.sqrt(2 * (classes - 1))
        present = [count / 200 for count in counts if count]
        entropy = -sum(p * math.log(p) for p in present) + (len(present) - 1) / 400
        found = class_prior_entropy(tuple(counts.tolist()), classes)
        assert found == pytest.approx(math.log(classes) if balanced else min(entropy, math.log(classes)))


def test_classes_without_samples() -> None:
    assert class_prior_entropy((), 7) == math.log(7)
    assert class_prior_entropy((0, 0), 2) == math.log(2)
    assert class_prior_entropy((9,), 1) == 0
    # χ² is 20 = 8 + 3 · √(2 · 8): three deviations above its mean are no contradiction yet.
    assert class_prior_entropy((20, 0, *[10] * 7), 9) == math.log(9)
    assert class_prior_entropy((21, 0, *[10] * 6, 9), 9) < math.log(9)
    # Of four classes, two of which have all samples: the counts contradict equal shares.
    assert class_prior_entropy((100, 100), 4) == pytest.approx(math.log(2) + 1 / 400)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_entropy_of_a_label(share: float) -> None:
    shares = [each for each in (share, 1 - share) if each > 0]
    assert binary_entropy(share) == pytest.approx(-sum(each * math.log(each) for each in shares))


@pytest.mark.parametrize(
    ("loss", "units", "probe", "expected"),
    [
        ("mae", 1, Probe("given", 9, (), Targets(variance=2.5, deviation=1.5)), 1.5),
        ("mse", 1, Probe("given", 9, (), Targets(variance=0.0)), None),
        ("mse", 1, Probe("given", 9), None),
        ("huber", 1, Probe("given", 9, (), Targets(variance=2.5)), None),
        ("categorical_crossentropy", 1, Probe("given", 9), None),
        ("sparse_categorical_crossentropy", 2, Probe("given", 64, (16,) * 4), math.log(4)),
        ("binary_crossentropy", 3, Probe("given", 100, (90, 10)), math.log(2)),
        ("binary_crossentropy", 1, Probe("given", 100, (50, 50)), math.log(2)),
        ("binary_crossentropy", 1, Probe("given", 99, (33, 33, 33)), math.log(2)),
        ("binary_crossentropy", 4, Probe("given", 9, (), Targets((4,), 0, 1, whole=True, variance=0.16)), 0.5004),
        ("binary_crossentropy", 4, Probe("given", 9, (), Targets((4,), 0, 1, whole=True, variance=0.25)), math.log(2)),
        ("binary_crossentropy", 4, Probe("given", 9, (), Targets((4,), 0, 1, whole=True, variance=0.0)), math.log(2)),
        ("binary_crossentropy", 4, Probe("given", 9, (), Targets((4,), 0, 1, variance=0.16)), math.log(2)),
        ("binary_crossentropy", 4, Probe("given", 9, (), Targets((4,), -1, 1, whole=True, variance=0.16)), math.log(2)),
        ("binary_crossentropy", 4, Probe("given", 9, (), Targets((4,), 0, 2, whole=True, variance=0.16)), math.log(2)),
        ("kl_divergence", 4, Probe("given", 64, (16,) * 4), None),
    ],
)
def test_more_prior_losses(loss: str, units: int, probe: Probe, expected: float | None) -> None:
    info = replace(INFO, layers=(*LAYERS[:3], replace(LAYERS[3], units=units)), loss=json.dumps(loss), probe=probe)
    found = prior_loss(Signals(history({}, info=info, scalars={"loss": [1.0]})))
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-4))


def test_with_several_outputs_or_none_the_prior_loss_is_not_known() -> None:
    for outputs in ((False, False, False, False), (True, False, False, True)):
        layers = tuple(replace(layer, output=output) for layer, output in zip(LAYERS, outputs, strict=True))
        signals = Signals(history({}, info=replace(INFO, layers=layers), scalars={"loss": [1.0]}))
        assert output_layer(signals) is None
        assert prior_loss(signals) is None
    assert output_layer(Signals(history({}, scalars={"loss": [1.0]}))) is LAYERS[3]
