"""What a loss compares, from its name or class as Keras writes it into a config."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.diagnostics import BUILTIN as DIAGNOSTICS
from tb_cnndiag.judging.signals.base import MISSING, Signals, column
from tb_cnndiag.judging.signals.loss_function import LossFunction, loss_function, loss_of
from tb_cnndiag.payloads import LossFacts
from tests.judging.faults.made import INFO, history


@pytest.mark.parametrize(
    ("names", "family"),
    [
        (("mse", "MSE", "mean_squared_error", "MeanSquaredError"), "squared"),
        (("msle", "mean_squared_logarithmic_error", "MeanSquaredLogarithmicError"), "squared"),
        (("mae", "mean_absolute_error", "MeanAbsoluteError"), "absolute"),
        (("mape", "mean_absolute_percentage_error", "MeanAbsolutePercentageError"), "absolute"),
        (("huber", "Huber", "log_cosh", "LogCosh"), "absolute"),
        (("bce", "binary_crossentropy", "BinaryCrossentropy", "BinaryFocalCrossentropy"), "binary"),
        (("categorical_crossentropy", "CategoricalFocalCrossentropy"), "categorical"),
        (("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"), "categorical"),
        (("kld", "kl_divergence", "KLDivergence", "kullback_leibler_divergence"), "divergence"),
        (("poisson", "Poisson"), "count"),
        (("hinge", "CosineSimilarity", "dice", ""), "other"),
    ],
)
def test_families(names: tuple[str, ...], family: str) -> None:
    for name in names:
        assert loss_of(name).family == loss_of({"class_name": name, "config": {}}).family == family
        assert loss_of([name]).family == loss_of({"head": name}).family == family
        assert loss_of(f"Own>{name}").given == loss_of(name).given == name
        assert loss_of(name).plain == (name.lower().replace("_", "") in PLAIN)
        assert loss_of(name).sparse == name.lower().startswith("sparse")


PLAIN = ("mse", "mae", "meansquarederror", "meanabsoluteerror")


def test_short_names_stand_for_the_long_ones() -> None:
    for short, long in (
        ("mse", "mean_squared_error"),
        ("mape", "mean_absolute_percentage_error"),
        ("kld", "kl_divergence"),
    ):
        assert loss_of(short).name == loss_of(long).name


def test_options_of_a_loss() -> None:
    options = {"from_logits": True, "ignore_class": 255}
    found = loss_of({"class_name": "SparseCategoricalCrossentropy", "config": options})
    assert (found.from_logits, found.ignores, found.sparse) == (True, True, True)
    assert not loss_of({"class_name": "BinaryCrossentropy", "config": {"from_logits": False}}).from_logits


@pytest.mark.parametrize("several", [["mse", "mae"], {"a": "mse", "b": "mae"}, [], {}, None])
def test_several_losses_or_none_are_unknown(several: Any) -> None:
    assert loss_of(several) == LossFunction()


def test_a_diagnostic_that_is_missing_in_the_log_is_the_reason() -> None:
    assert MISSING.keys() <= {kind.name for kind in DIAGNOSTICS}
    signals = Signals(history({"weight_health.rms": [[0.1] * 4]}))
    for diagnostic, reason in MISSING.items():
        assert column(signals, diagnostic, "elsewhere").reason == reason
    assert column(signals, "other", "elsewhere").reason == "no other was recorded"


@pytest.mark.parametrize(
    ("config", "given", "name", "from_logits", "ignores"),
    [
        ("mse", "mse", "meansquarederror", False, False),
        ("own>my_loss", "my_loss", "myloss", False, False),
        ({"class_name": "BinaryCrossentropy", "config": {"from_logits": True}}, "BinaryCrossentropy",
         "binarycrossentropy", True, False),
        ({"class_name": "SparseCategoricalCrossentropy", "config": {"ignore_class": 0}},
         "SparseCategoricalCrossentropy", "sparsecategoricalcrossentropy", False, True),
        ({"class_name": "Huber", "config": None}, "Huber", "huber", False, False),
        ({"class_name": None, "config": {}}, "", "", False, False),
    ],
)  # fmt: skip
def test_what_a_config_says(config: Any, given: str, name: str, from_logits: bool, ignores: bool) -> None:
    found = loss_of(config)
    assert (found.given, found.name, found.from_logits, found.ignores) == (given, name, from_logits, ignores)


@pytest.mark.parametrize("text", ["not json", "[" * 100_000, "", "null", "3"])
def test_a_text_that_is_no_config_is_no_loss(text: str) -> None:
    found = loss_function(Signals(history({}, info=replace(INFO, loss=text), scalars={"loss": [1.0]})))
    assert found.family == "other"
    assert not found.of_classes
    assert not found.of_numbers


@pytest.mark.parametrize(
    ("loss", "facts", "expected"),
    [
        ("categorical_crossentropy", None, ""),
        ("mine", None, "what the loss mine needs is not known"),
        ("", None, ""),
        ("mine", LossFacts("it raises"), "what the loss mine needs is not known: it raises"),
        ("mine", LossFacts(falls=True), "what the loss mine needs is not known"),
        ("mine", LossFacts(same_as="mean_squared_error"), ""),
        ("", LossFacts("it raises"), "what the loss of your own needs is not known: it raises"),
    ],
)
def test_what_is_not_known_of_a_loss(loss: str, facts: LossFacts | None, expected: str) -> None:
    info = replace(INFO, loss=f'"{loss}"', loss_facts=facts)
    found = loss_function(Signals(history({}, info=info, scalars={"loss": [1.0]})))
    assert found.open_ == expected
    assert found.factor == (1.0 if facts is None else facts.factor)


@pytest.mark.parametrize(
    ("family", "classes", "numbers"),
    [
        ("categorical", True, False), ("binary", True, False), ("classes", True, False), ("divergence", False, False),
        ("squared", False, True), ("absolute", False, True), ("distance", False, True), ("count", False, True),
        ("other", False, False),
    ],
)  # fmt: skip
def test_kinds_of_targets(family: Any, classes: bool, numbers: bool) -> None:
    found = LossFunction("name", "name", family)
    assert (found.of_classes, found.of_numbers) == (classes, numbers)
