"""Predictions, the choice of images, and the payload with their maps."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tb_cnndiag.summaries.codec import Measurement, decode, encode
from tb_cnndiag.unit_images.attribution import METHODS, NoMapError
from tb_cnndiag.unit_images.passes import Inputs, Passes
from tb_cnndiag.unit_images.predictions import Predictions, chosen, predicted
from tb_cnndiag.unit_images.sample_maps import CONSTANT, sample_maps
from tests.unit_images.helpers import answers, network, passes_of


@pytest.mark.parametrize("head", ["softmax", None])
def test_predictions_are_those_of_the_model(rng: np.random.Generator, head: str | None) -> None:
    model = network(head=head)
    passes = passes_of(model, rng, samples=70)
    found = predicted(passes, np.empty(0, np.int64))
    output = answers(model, passes.inputs.pictures).astype(np.float64)
    shares = output if head else np.exp(output) / np.exp(output).sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(found.classes, output.argmax(axis=1))
    np.testing.assert_allclose(found.confidences, shares.max(axis=1), rtol=1e-5)


def test_one_unit_is_two_classes_or_a_number(rng: np.random.Generator) -> None:
    passes = passes_of(network(head="sigmoid", classes=1), rng)
    found = predicted(passes, np.empty(0, np.int64))
    share = answers(passes.model, passes.inputs.pictures)[:, 0]
    np.testing.assert_array_equal(found.classes, share > 0.5)
    np.testing.assert_allclose(found.confidences, np.maximum(share, 1 - share), rtol=1e-5)
    model = network(head=None, classes=1)
    model.layers[-1].bias.assign([9.0])
    with pytest.raises(NoMapError, match="a number, not a class"):
        predicted(passes_of(model, rng), np.empty(0, np.int64))


def test_a_segmentation_map_counts_the_mean_over_positions(rng: np.random.Generator) -> None:
    layers = [keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(3, 3, padding="same", activation="softmax")]
    images = rng.uniform(size=(6, 8, 8, 1)).astype(np.float32)
    model = keras.Sequential(layers)
    passes = Passes(model, Inputs.of(images))
    made = sample_maps(passes, np.empty(0, np.int64))
    np.testing.assert_array_equal(made.predictions, answers(model, images).mean(axis=(1, 2)).argmax(axis=1))
    assert made.chosen


def test_wrong_unsure_and_typical_images_are_chosen_once() -> None:
    labels = np.repeat([0, 1], 10)
    classes = labels.copy()
    classes[[2, 5]] = 1
    sure = np.linspace(0.5, 0.99, 20).astype(np.float32)
    found = chosen(Predictions(classes, sure, 2), labels)
    by_reason = {
        reason: [sample for sample, why in found if why == reason] for reason in ("wrong", "unsure", "typical")
    }
    assert by_reason == {"wrong": [5, 2], "unsure": [0, 1, 3, 4], "typical": [8, 15]}


def test_maps_survive_the_log_and_carry_their_check(rng: np.random.Generator) -> None:
    passes = passes_of(network(channels=3), rng)
    labels = rng.integers(0, 3, 8)
    made = sample_maps(passes, labels)
    again = decode(encode(Measurement("sample_maps", 0, 0, made)))
    assert again is not None
    read = again.payload
    assert type(read) is type(made)
    np.testing.assert_array_equal(read.predictions, made.predictions)
    np.testing.assert_array_equal(read.labels, labels)
    for each in read.chosen:
        assert [one.method for one in each.maps] == list(METHODS)
        assert all("trained layers" in one.note and -1 <= one.similarity <= 1 for one in each.maps)
    assert len(encode(Measurement("sample_maps", 0, 0, made))) < 500_000


def test_a_limit_keeps_what_is_done_and_a_constant_map_says_so(rng: np.random.Generator) -> None:
    model = network()
    model.layers[0].kernel.assign(np.zeros(model.layers[0].kernel.shape))
    calls = iter([True] * 6 + [False] * 99)
    made = sample_maps(passes_of(model, rng), np.empty(0, np.int64), lambda: next(calls))
    assert [len(each.maps) for each in made.chosen] == [4, 2]
    assert made.chosen[0].maps[0].note == CONSTANT
    assert np.isnan(made.chosen[0].maps[0].similarity)
