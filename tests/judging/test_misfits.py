"""Each way in which an output, its loss and its targets do not fit, in full; and what fits."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.judging.signals.loss_function import loss_of
from tb_cnndiag.payloads import Targets
from tests.judging.test_fitting import ONE_HOT, checked

LABELS = Targets((), 0.0, 3.0, whole=True)
NUMBERS = Targets((), 2.0, 10.0, variance=4.0)
SEVERAL = Targets((4,), 0.0, 1.0, whole=True, variance=0.2)
LOGITS = {"class_name": "CategoricalCrossentropy", "config": {"from_logits": True}}
BINARY_LOGITS = {"class_name": "BinaryCrossentropy", "config": {"from_logits": True}}
Expected = tuple[str, str, str, str, str, str]


@pytest.mark.parametrize(
    ("given", "known", "expected"),
    [
        (
            ("sparse_categorical_crossentropy", "softmax", 4),
            {"counts": (1,) * 6},
            ("error", "Labels go up to 5, but the 4 outputs of head stand for classes 0 to 3.", "units", "4", "6",
             "one output per class"),
        ),
        (
            ("binary_crossentropy", "sigmoid", 1),
            {"counts": (1, 1, 1)},
            ("error", "The single output of head cannot distinguish 3 classes.", "units", "1", "3",
             "one output per class"),
        ),
        (
            ("sparse_categorical_crossentropy", "softmax", 4, replace(LABELS, low=-1.0)),
            {},
            ("error", "The loss of head expects class indices, but labels lie between −1 and 3.", "labels", "-1 … 3",
             "0 … 3", "each label is the number of a class"),
        ),
        (
            ("sparse_categorical_crossentropy", "softmax", 4, replace(LABELS, high=2.5, whole=False)),
            {},
            ("error", "The loss of head expects class indices, but labels lie between 0 and 2.5.", "labels",
             "0 … 2.5", "0 … 3", "each label is the number of a class"),
        ),
        (
            ("binary_crossentropy", "sigmoid", 1, replace(LABELS, low=-1.0, high=1.0)),
            {},
            ("error", "The loss of head expects labels between 0 and 1, but labels lie between −1 and 1.", "labels",
             "-1 … 1", "0 or 1", "binary cross-entropy compares probabilities"),
        ),
        (
            ("poisson", "softplus", 1, replace(NUMBERS, low=-2.0)),
            {},
            ("error", "The loss of head expects counts, but labels lie between −2 and 10.", "labels", "-2 … 10",
             "not negative", "a count is not negative"),
        ),
        (
            ("categorical_crossentropy", "softmax", 4, SEVERAL),
            {},
            ("error",
             "Samples have several labels or none, but softmax makes the outputs of head compete for one label.",
             "loss", "categorical_crossentropy", "binary_crossentropy", "each label is independent"),
        ),
        (
            ("mse", "linear", 4, NUMBERS),
            {},
            ("error", "The loss compares each of the 4 outputs of head with the same single target.", "units", "4",
             "1", "one output for one target"),
        ),
        (
            ("mse", "softmax", 4, LABELS),
            {"counts": (1,) * 4},
            ("error", "The loss compares each of the 4 outputs of head with the same single target.", "loss", "mse",
             "sparse_categorical_crossentropy", "targets are class numbers"),
        ),
        (
            ("mse", "softmax", 4, replace(SEVERAL, whole=False)),
            {},
            ("error", "The softmax outputs of head sum to 1, but the targets of a sample do not.", "activation",
             "softmax", "sigmoid", "lets outputs differ freely"),
        ),
        (
            ("mse", "softmax", 4, replace(SEVERAL, whole=False, high=1.5)),
            {},
            ("error", "The softmax outputs of head sum to 1, but the targets of a sample do not.", "activation",
             "softmax", "linear", "lets outputs differ freely"),
        ),
        (
            ("mse", "relu", 1, replace(NUMBERS, low=-10.0)),
            {},
            ("error", "Targets lie between −10 and 10, but the relu of head only produces values above 0.",
             "activation", "relu", "linear", "can take any value"),
        ),
        (
            ("binary_crossentropy", "sigmoid", 1),
            {"last_loss": -0.5},
            ("error", "The loss of head is negative, so labels lie outside 0 … 1.", "labels", "outside 0 … 1",
             "0 or 1", "binary cross-entropy compares probabilities"),
        ),
        (
            ("categorical_crossentropy", "sigmoid", 1),
            {},
            ("error", "The single output of head cannot distinguish classes under categorical cross-entropy.",
             "units", "1", "number of classes", "one output per class"),
        ),
        (
            ("categorical_crossentropy", "relu", 4),
            {},
            ("error", "The relu of head cuts off negative logits.", "activation", "relu", "softmax",
             "allows logits of both signs"),
        ),
        (
            (loss_of(LOGITS), "relu6", 4),
            {"row_sum_error": 9.0},
            ("error", "The relu6 of head cuts off negative logits.", "activation", "relu6", "linear",
             "allows logits of both signs"),
        ),
        (
            (loss_of(LOGITS), "softmax", 4),
            {},
            ("warning", "Softmax is applied twice: in head and in the loss.", "from_logits", "True", "False",
             "the outputs are probabilities already"),
        ),
        (
            (loss_of(LOGITS), "linear", 4),
            {"row_sum_error": 0.01},
            ("warning", "Softmax is applied twice: in head and in the loss.", "from_logits", "True", "False",
             "the outputs are probabilities already"),
        ),
        (
            ("categorical_crossentropy", "linear", 4),
            {"row_sum_error": 0.02},
            ("error", "The loss reads the logits of head as probabilities.", "from_logits", "False", "True",
             "the output is logits"),
        ),
        (
            (loss_of(LOGITS), "tanh", 4),
            {"row_sum_error": 9.0},
            ("warning", "The tanh of head bounds the logits: no class can be predicted with certainty.", "activation",
             "tanh", "linear", "the loss applies softmax itself"),
        ),
        (
            ("categorical_crossentropy", "sigmoid", 4),
            {"row_sum_error": 1.0},
            ("warning", "The sigmoid outputs of head do not sum to 1, but categorical cross-entropy expects that.",
             "activation", "sigmoid", "softmax", "gives a distribution over classes"),
        ),
        (
            ("categorical_crossentropy", "tanh", 4),
            {"row_sum_error": 1.0},
            ("error", "The tanh outputs of head do not sum to 1, but categorical cross-entropy expects that.",
             "activation", "tanh", "softmax", "gives a distribution over classes"),
        ),
        (
            ("kl_divergence", "sigmoid", 4),
            {"row_sum_error": 1.0},
            ("error", "The sigmoid outputs of head do not sum to 1, but the divergence compares distributions.",
             "activation", "sigmoid", "softmax", "gives a distribution over classes"),
        ),
        (
            ("binary_crossentropy", "softmax", 1),
            {},
            ("error", "The softmax of the single output of head is always 1.", "activation", "softmax", "sigmoid",
             "gives a probability"),
        ),
        (
            ("mse", "softmax", 1),
            {},
            ("error", "The softmax of the single output of head is always 1.", "activation", "softmax", "linear",
             "can take any value"),
        ),
        (
            ("binary_crossentropy", "softmax", 2),
            {},
            ("warning", "The loss treats each output of head as independent, but softmax makes the outputs compete.",
             "loss", "binary_crossentropy", "categorical_crossentropy", "fits outputs that exclude each other"),
        ),
        (
            ("binary_crossentropy", "relu", 1),
            {},
            ("error", "The relu outputs of head are not probabilities.", "activation", "relu", "sigmoid",
             "gives a probability"),
        ),
        (
            ("binary_crossentropy", "tanh", 4),
            {},
            ("error", "The tanh outputs of head are not probabilities.", "activation", "tanh", "sigmoid",
             "gives a probability"),
        ),
        (
            (loss_of(BINARY_LOGITS), "sigmoid", 1),
            {},
            ("warning", "The sigmoid is applied twice: in head and in the loss.", "from_logits", "True", "False",
             "the output is a probability already"),
        ),
        (
            ("binary_crossentropy", "linear", 1),
            {},
            ("error", "The loss reads the logits of head as probabilities.", "from_logits", "False", "True",
             "the output is logits"),
        ),
        (
            ("poisson", "tanh", 1),
            {},
            ("warning", "The loss takes the logarithm of the output of head, but its tanh can be negative.",
             "activation", "tanh", "softplus", "is always positive"),
        ),
        (
            ("mse", "relu", 1, Targets((), 0.0, 1.0, whole=True)),
            {},
            ("warning", "Targets are 0 or 1, but the relu of head has no gradient where it is 0.", "activation",
             "relu", "sigmoid", "gives a probability"),
        ),
        (
            ("mse", "linear", 1, replace(NUMBERS, high=500.0)),
            {"relative_loss": 1.0, "loss_to_spread": 1.0},
            ("warning", "Targets lie between 2 and 500: the output of head does not reach them.", "targets",
             "2 … 500", "mean 0, deviation 1", "the output starts at the order of 1"),
        ),
        (
            ("mae", "sigmoid", 4, ONE_HOT),
            {},
            ("info", "Targets are classes, but the mae of head has little gradient for wrong answers.", "loss", "mae",
             "categorical_crossentropy", "fits classes"),
        ),
        (
            ("binary_crossentropy", "sigmoid", 4, ONE_HOT),
            {"relative_loss": 0.95},
            ("warning", "Classes exclude each other, but the loss treats each output of head as independent.", "loss",
             "binary_crossentropy", "categorical_crossentropy", "one class per sample"),
        ),
        (
            ("my_loss", "softmax", 4),
            {"counts": (1, 1, 2), "top_share": 0.96, "first_loss": 1.0, "last_loss": -0.5},
            ("error", "The loss falls to −0.5 while head predicts one class for all samples: the loss rewards wrong "
             "predictions.", "loss", "my_loss", "categorical_crossentropy", "is minimal for correct predictions"),
        ),
        (
            ("my_loss", "softmax", 2),
            {"counts": (1, 1), "top_share": 1.0, "first_loss": -1.0, "last_loss": -2.0},
            ("error", "The loss falls to −2 while head predicts one class for all samples: the loss rewards wrong "
             "predictions.", "loss", "my_loss", "categorical_crossentropy", "is minimal for correct predictions"),
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit(given: tuple[Any, ...], known: dict[str, Any], expected: Expected) -> None:
    assert checked(*given, **known) == expected


@pytest.mark.parametrize(
    ("given", "known"),
    [
        (("sparse_categorical_crossentropy", "softmax", 4, LABELS), {"counts": (1,) * 4}),
        (("categorical_crossentropy", "softmax", 4), {"counts": (1,) * 4, "row_sum_error": math.nan}),
        (("categorical_crossentropy", "sigmoid", 4), {"row_sum_error": 0.01}),
        ((loss_of(LOGITS), "linear", 4), {"row_sum_error": 9.0}),
        ((loss_of(BINARY_LOGITS), "linear", 1), {}),
        ((loss_of(BINARY_LOGITS), "tanh", 1), {}),
        (("binary_crossentropy", "linear", 4), {"row_sum_error": 0.0}),
        (("binary_crossentropy", "sigmoid", 2, replace(ONE_HOT, shape=(2,))), {}),
        (("binary_crossentropy", "sigmoid", 4, SEVERAL), {}),
        (("binary_crossentropy", "sigmoid", 1, Targets((), -0.005, 1.005)), {}),
        (("kl_divergence", "linear", 4), {"row_sum_error": 0.0}),
        (("kl_divergence", "softmax", 4), {"row_sum_error": 1.0}),
        (("mse", "linear", 4, replace(NUMBERS, shape=(4,))), {}),
        (("mse", "sigmoid", 1, Targets((), -0.02, 1.0)), {}),
        (("mse", "relu", 1, Targets((), 0.0, 2.0, whole=True)), {}),
        (("mse", "relu", 1, Targets((), 0.0, 1.0)), {}),
        (("mse", "sigmoid", 1, Targets((), 0.0, 1.0, whole=True)), {}),
        (("mse", "linear", 1, replace(NUMBERS, high=500.0)), {"relative_loss": 1.0, "loss_to_spread": 0.9}),
        (("mse", "linear", 1, replace(NUMBERS, high=500.0)), {"relative_loss": 0.9, "loss_to_spread": 1.0}),
        (("mse", "linear", 1, replace(NUMBERS, high=99.0)), {"relative_loss": 1.0, "loss_to_spread": 1.0}),
        (("huber", "linear", 1, replace(NUMBERS, high=500.0)), {"relative_loss": 1.0, "loss_to_spread": 1.0}),
        (("poisson", "exponential", 1, replace(NUMBERS, low=0.0)), {}),
        (("my_loss", "softmax", 4), {"counts": (1, 3), "top_share": 0.96, "last_loss": -0.5}),
        (("my_loss", "softmax", 4), {"counts": (1, 1), "top_share": 0.95, "last_loss": -0.5}),
        (("my_loss", "softmax", 4), {"counts": (1, 1), "top_share": 0.96, "last_loss": 0.5}),
        (("my_loss", "softmax", 4), {"counts": (1, 1), "top_share": 0.96, "first_loss": -2.0, "last_loss": -1.0}),
        (("my_loss", "sigmoid", 4), {"counts": (1, 1), "top_share": 0.96, "last_loss": -0.5}),
        (("my_loss", "linear", 1), {"last_loss": -0.5}),
    ],
)
def test_what_fits(given: tuple[Any, ...], known: dict[str, Any]) -> None:
    assert checked(*given, **known) is None
