"""What the output layer, its loss and its targets are, put together."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.targets import Head, head, output_range
from tb_cnndiag.payloads import Probe, RunInfo, Targets
from tests.judging.boundaries.boundary import layer, with_layers
from tests.judging.faults.made import INFO, LAYERS, NAN, history


def made(info: RunInfo = INFO, columns: Any = None, **scalars: list[float]) -> Head | None:
    return head(Signals(history(columns or {}, info=info, scalars=scalars or {"none": [0.0]})))


def test_the_numbers_of_the_output() -> None:
    columns = {
        "model_output.row_sum_error": [layer(3, 0.5), layer(3, 0.25)],
        "model_output.top_class_share": [layer(3, 0.75), layer(3, 0.5)],
    }
    targets = Targets(variance=4.0)
    info = with_layers(
        {3: {"units": 1, "activation": "linear"}}, loss='"mse"', probe=Probe("given", 9, (4, 0, 5), targets)
    )
    found = made(info, columns, loss=[6.0, 3.0])
    assert found is not None
    assert (found.layer, found.row, found.loss.name) == (info.layers[3], 3, "meansquarederror")
    assert (found.targets, found.counts, found.classes) == (targets, (4, 0, 5), 2)
    assert (found.row_sum_error, found.top_share) == (0.25, 0.5)
    assert (found.first_loss, found.last_loss) == (6.0, 3.0)
    assert (found.relative_loss, found.loss_to_spread) == (0.5, 0.75)  # of the first loss; of the variance


def test_numbers_that_are_not_known() -> None:
    found = made()
    assert found is not None
    numbers = (found.row_sum_error, found.top_share, found.first_loss, found.last_loss, found.relative_loss)
    assert all(map(math.isnan, (*numbers, found.loss_to_spread)))
    assert found.targets is None


@pytest.mark.parametrize(
    "info",
    [
        replace(INFO, loss=""),
        replace(INFO, loss='["mse", "mae"]'),
        replace(INFO, layers=(*LAYERS, replace(LAYERS[3], path="second"))),
        replace(INFO, layers=LAYERS[:3]),
    ],
)
def test_without_one_loss_and_one_output_there_is_no_head(info: RunInfo) -> None:
    assert made(info) is None


@pytest.mark.parametrize(
    ("activation", "low", "high"),
    [
        ("relu", 0, math.inf),
        ("sigmoid", 0, 1),
        ("tanh", -1, 1),
        ("linear", -math.inf, math.inf),
        ("mine", -math.inf, math.inf),
    ],
)
def test_values_that_an_activation_can_produce(activation: str, low: float, high: float) -> None:
    found = made(with_layers({3: {"activation": activation}}))
    assert found is not None
    assert (found.low, found.high) == (low, high)


@pytest.mark.parametrize(
    ("shape", "units", "several"),
    [((4,), 4, True), ((2, 2), 4, True), ((1,), 1, False), ((), 1, False), ((4,), 2, False)],
)
def test_whether_each_output_has_a_target(shape: tuple[int, ...], units: int, several: bool) -> None:
    found = made(with_layers({3: {"units": units}}, probe=Probe("given", 9, (), Targets(shape))))
    assert found is not None
    assert found.several == several
    assert not replace(found, targets=None).several


def test_the_range_of_outputs_is_the_last_one() -> None:
    columns = {
        "model_output.minimum": [layer(3, -9.0, NAN), layer(3, -2.0, NAN), layer(3, -1.0, NAN)],
        "model_output.maximum": [layer(3, 9.0, NAN), layer(3, 3.0, NAN), layer(3, 4.0, NAN)],
    }
    assert output_range(Signals(history(columns)), 3) == (-1.0, 4.0)
    assert all(map(math.isnan, output_range(Signals(history({}, scalars={"loss": [1.0]})), 3)))
