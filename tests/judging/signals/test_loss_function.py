"""What a loss compares, from its name or class as Keras writes it into a config."""

from __future__ import annotations

from typing import Any

import pytest

from tb_cnndiag.diagnostics import BUILTIN as DIAGNOSTICS
from tb_cnndiag.judging.signals.base import MISSING, Signals, column
from tb_cnndiag.judging.signals.loss_function import LossFunction, loss_of
from tests.judging.faults.made import history


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
