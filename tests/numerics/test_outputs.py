"""Statistics of a classifier's outputs, checked against SciPy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.metrics import confusion_matrix

from tb_cnndiag.numerics.outputs import confusion, mean_entropy, predicted_classes, row_sum_error, top_class_share

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def outputs():
    return softmax(np.random.default_rng(0).normal(size=(60, 4)), axis=1).astype(np.float32)


def test_entropy_agrees_with_scipy_and_reaches_its_extremes(outputs):
    assert mean_entropy(outputs) == pytest.approx(np.mean(entropy(outputs, base=4, axis=1)), rel=1e-5)
    assert mean_entropy(np.eye(3)) == pytest.approx(0)
    assert mean_entropy(np.full((2, 5), 0.2)) == pytest.approx(1)
    assert np.isnan(mean_entropy(np.ones((3, 1))))


def test_the_top_class_of_a_collapsed_output_has_every_sample(outputs):
    assert top_class_share(np.eye(4)) == 0.25
    assert top_class_share(outputs + np.array([9, 0, 0, 0])) == 1
    assert top_class_share(np.array([[0.2], [0.7], [0.9]])) == pytest.approx(2 / 3)


def test_rows_of_distributions_sum_to_one(outputs):
    assert row_sum_error(outputs) < 1e-6
    assert row_sum_error(outputs * 2) == pytest.approx(1, rel=1e-5)


def test_confusion_agrees_with_scikit_learn_and_is_unknown_for_an_absent_class(outputs):
    labels, predicted = np.random.default_rng(1).integers(0, 4, size=60), predicted_classes(outputs)
    np.testing.assert_allclose(confusion(labels, predicted, 4), confusion_matrix(labels, predicted, normalize="true"))
    assert np.isnan(confusion(np.minimum(labels, 2), predicted, 4)[3]).all()


def test_outputs_of_two_classes_and_of_one_output():
    assert mean_entropy(np.array([[0.25, 0.75], [0.5, 0.5]])) == pytest.approx((entropy([0.25, 0.75], base=2) + 1) / 2)
    assert mean_entropy(np.array([[1.0000001, 0.0]], np.float32)) >= 0
    assert predicted_classes(np.array([[0.49], [0.5], [0.51], [np.nan]])).tolist() == [0, 0, 1, 0]
    assert predicted_classes(np.array([[0.4, 0.6], [0.5, 0.5], [0.9, 0.1]])).tolist() == [1, 0, 0]
    assert row_sum_error(np.array([[1.0, 0.5], [0.5, 0.3]])) == pytest.approx((0.5 + 0.2) / 2)


def test_confusion_counts_each_sample():
    labels, predicted = np.array([0, 2, 2, 2, 3]), np.array([1, 2, 0, 2, 3])
    expected = np.full((4, 4), np.nan)
    for label in (0, 2, 3):
        own = predicted[labels == label]
        expected[label] = [np.mean(own == each) for each in range(4)]
    np.testing.assert_array_equal(confusion(labels, predicted, 4), expected)
    assert np.isnan(confusion(labels[:0], predicted[:0], 2)).all()
