"""What the class explains, the noise of gradients, and ranks, against their definitions and SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from tb_cnndiag.numerics.gradients import signal_to_noise
from tb_cnndiag.numerics.ranks import rank_correlation, ranks
from tb_cnndiag.numerics.selectivity import class_means, explained

pytestmark = pytest.mark.filterwarnings("error")


def test_means_and_shares_of_classes(rng: np.random.Generator) -> None:
    responses, labels = rng.normal(size=(40, 5)) + 3, rng.choice([2, 5, 9], size=40)
    responses[:, 1] = labels  # the class explains everything
    responses[:, 2] = 7.0  # it does not vary
    means, classes, counts = class_means(responses, labels)
    shares = explained(responses, means, counts)
    assert classes.tolist() == [2, 5, 9]
    for column, label in enumerate(classes):
        own = responses[labels == label]
        assert counts[column] == len(own)
        np.testing.assert_allclose(means[:, column], own.mean(axis=0))
    for unit in (0, 1, 3, 4):
        values = responses[:, unit]
        within = sum(float(((values[labels == each] - values[labels == each].mean()) ** 2).sum()) for each in classes)
        assert shares[unit] == pytest.approx(1 - within / float(((values - values.mean()) ** 2).sum()))
    assert shares[1] == pytest.approx(1)
    assert np.isnan(shares[2])


@pytest.mark.parametrize("seed", range(4))
def test_the_noise_of_gradients_is_that_between_their_parts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gradients = rng.normal(size=(6, 30)) + rng.normal(size=30)
    mean = gradients.mean(axis=0)
    noise = float(((gradients - mean) ** 2).sum()) / 5
    signal = max(float((mean**2).sum()) - noise / 6, 0.0)
    found = signal_to_noise(np.linalg.norm(gradients, axis=1), float(np.linalg.norm(mean)))
    assert found == pytest.approx(math.sqrt(signal / noise))


def test_gradients_without_noise_without_signal_and_without_size() -> None:
    assert signal_to_noise(np.full(4, 2.0), 2.0) == math.inf  # all equal
    assert signal_to_noise(np.ones(4), 0.0) == 0  # they cancel
    assert signal_to_noise(np.array([3.0, 1.0]), 1.0) == pytest.approx(0)  # less signal than noise
    assert math.isnan(signal_to_noise(np.zeros(4), 0.0))
    assert math.isnan(signal_to_noise(np.array([1.0, math.nan]), 1.0))
    assert math.isnan(signal_to_noise(np.array([1.0, math.inf]), 1.0))


@pytest.mark.parametrize("seed", range(4))
def test_ranks_agree_with_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 9, size=(2, 5, 6))
    np.testing.assert_allclose(ranks(a.ravel()), rankdata(a.ravel()) - 1)
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)
    assert rank_correlation(a, -a) == pytest.approx(-1)
    assert rank_correlation(a, np.ones_like(a)) == 0


@pytest.mark.parametrize(("size", "varies"), [(1e-7, False), (1e-5, True)])
def test_a_response_that_varies_by_rounding_only_is_not_explained(size: float, varies: bool) -> None:
    responses = 3 + 3 * size * np.array([[1.0], [-1.0], [1.0], [-1.0]])
    means, _, counts = class_means(responses, np.array([0, 1, 0, 1]))
    assert explained(responses, means, counts) == pytest.approx(1 if varies else np.nan, rel=1e-3, nan_ok=True)
