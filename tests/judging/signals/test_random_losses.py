"""Signals of the loss, of validation and of the schedule against loops over random curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from tb_cnndiag.judging.signals import accuracy, configuration, loss, prior_relative_loss, schedule, validation
from tb_cnndiag.judging.signals.base import LONGEST_PERIOD, PERIOD_WITHOUT_EPOCHS, Signals, decrease
from tb_cnndiag.payloads import Probe, Targets
from tests.judging.signals.random_runs import INFO, PERIOD, Expected, Run, check, largest_so_far, runs

NAN = math.nan
LN4 = math.log(4)
Curve = Mapping[int, float]


def positive(rng: np.random.Generator) -> float:
    return float(10 ** rng.uniform(-1, 1))


def sometimes_nan(rng: np.random.Generator) -> float:
    return NAN if rng.random() < 0.1 else positive(rng)


def best(curve: Curve, step: int) -> float:
    return min(value for at, value in curve.items() if at <= step)


def test_losses() -> None:
    for run in runs({}, {"loss": positive, "val_loss": positive}, count=20):
        curve = {step: value / LN4 for step, value in run.scalars["loss"].items()}
        first, last = curve[0], curve[max(curve)]
        check(loss.LOSS, run, {step: [value] for step, value in run.scalars["loss"].items()})
        for signal in (loss.RELATIVE_LOSS, loss.FINITE_RELATIVE_LOSS, prior_relative_loss.PRIOR_RELATIVE_LOSS):
            check(signal, run, {step: [value] for step, value in curve.items()})
        check(loss.FIRST_RELATIVE_LOSS, run, {0: [first]})
        check(loss.LAST_RELATIVE_LOSS, run, {0: [last]})
        rise = {step: [value / best(curve, step)] for step, value in curve.items()}
        check(loss.LOSS_RISE, run, rise)
        check(loss.RISE_OF_SEVERAL, run, rise if len(rise) > 1 else "there is a single loss")
        check(loss.LOSS_DECREASE, run, {step: [1 - best(curve, step) / first] for step in curve})
        check(loss.BEST_OF_FIRST_LOSS, run, {step: [best(curve, step) / first] for step in curve})
        check(loss.LOSS_ZIGZAG, run, {step: [_second_rise(curve, step)] for step in curve})
        assert loss.learns(run.signals(), last * 1.001)
        assert not loss.learns(run.signals(), last)


def _second_rise(curve: Curve, step: int) -> float:
    """The best of two rises over one epoch, in the last five epochs, that are at least an epoch apart; at least 1."""
    recent = [at for at in curve if step - 5 * PERIOD < at <= step]
    rises = {at: curve[at] / curve[at - PERIOD] if at >= PERIOD else 1.0 for at in recent}
    pairs = [min(rises[a], rises[b]) for a in recent for b in recent if b - a >= PERIOD]
    return max([1.0, *pairs])


def test_losses_that_are_not_finite() -> None:
    for run in runs({}, {"loss": sometimes_nan}, count=20):
        curve = run.scalars["loss"]
        relative = {step: [value / LN4 if math.isfinite(value) else math.inf] for step, value in curve.items()}
        check(loss.RELATIVE_LOSS, run, relative)
        reason = "the loss is not finite"
        finite = all(map(math.isfinite, curve.values()))
        check(loss.FINITE_RELATIVE_LOSS, run, relative if finite else reason)
        if not finite:
            for signal in (loss.LOSS_RISE, loss.LOSS_ZIGZAG, loss.LOSS_DECREASE, loss.BEST_OF_FIRST_LOSS):
                check(signal, run, reason)
            check(prior_relative_loss.PRIOR_RELATIVE_LOSS, run, reason)
        assert loss.loss_is_not_finite(run.signals()) == (not math.isfinite(curve[max(curve)]))


def test_without_a_loss_everything_about_it_is_unknown() -> None:
    run = Run(columns={"weight_health.rms": {0: [1.0] * 6}})
    for signal in (
        loss.LOSS, loss.RELATIVE_LOSS, loss.FIRST_RELATIVE_LOSS, loss.LAST_RELATIVE_LOSS, loss.FINITE_RELATIVE_LOSS,
        loss.LOSS_RISE, loss.RISE_OF_SEVERAL, loss.LOSS_ZIGZAG, loss.LOSS_DECREASE, loss.BEST_OF_FIRST_LOSS,
    ):  # fmt: skip
        check(signal, run, "loss was not logged")
    assert loss.reference(run.signals()) == 0
    assert loss.loss_is_not_finite(run.signals()) == "loss was not logged"
    assert not loss.learns(run.signals(), 9.0)


@pytest.mark.parametrize(
    ("variance", "first", "expected"),
    [(4.0, 1.0, 4.0), (4.0, 9.0, 9.0), (0.0, 3.0, 3.0), (4.0, NAN, 4.0), (0.0, NAN, 0.0)],
)
def test_a_regression_is_compared_with_the_larger_of_prior_and_first_loss(
    variance: float, first: float, expected: float
) -> None:
    head = replace(INFO.layers[-1], units=1, activation="linear")
    probe = Probe("given", 64, (), Targets(variance=variance))
    info = replace(INFO, layers=(*INFO.layers[:-1], head), loss='"mse"', probe=probe)
    run = Run(info, {}, {"loss": {0: first, 10: 2.0}})
    assert loss.reference(run.signals()) == expected
    if expected:
        check(loss.LAST_RELATIVE_LOSS, run, {0: [2.0 / expected]})
    else:
        check(loss.RELATIVE_LOSS, run, "the prior loss is not known, and the first loss is not positive")


def test_validation() -> None:
    curves: dict[str, Callable[[np.random.Generator], float]] = {"loss": positive, "val_loss": positive}
    for run in runs({}, curves, count=30):
        training, held_out = run.scalars["loss"], run.scalars["val_loss"]
        steps = list(held_out)
        at_best = {step: min((at for at in steps if at <= step), key=lambda at: held_out[at]) for step in steps}
        recent = {step: _recent(held_out, at_best[step], step) for step in steps}
        check(validation.RECENT_VALIDATION_LOSS, run, {step: [recent[step]] for step in steps})
        rise = {
            step: [recent[step] / held_out[at_best[step]] if training[step] < training[at_best[step]] else 1.0]
            for step in steps
        }
        check(validation.VALIDATION_RISE, run, rise)
        noise = {step: [(recent[step] - held_out[at_best[step]]) / held_out[0]] for step in steps}
        check(validation.VALIDATION_RISE_OF_FIRST, run, noise)
        check(validation.GENERALIZATION_GAP, run, {step: [recent[step] / training[step]] for step in steps})
        check(validation.VALIDATION_TO_TRAINING, run, {step: [held_out[step] / training[step]] for step in steps})
        assert validation.best_step(run.signals()) == at_best[steps[-1]]


def _recent(curve: Curve, best_step: int, step: int) -> float:
    """Mean of the last three epochs after the best one; at the best one, its value."""
    after = [value for at, value in curve.items() if best_step < at <= step and at > step - 3 * PERIOD]
    return float(np.mean(after)) if after else curve[step]


@pytest.mark.parametrize(
    ("scalars", "reason"),
    [
        ({"loss": {0: 1.0}}, "val_loss was not logged: give validation data"),
        ({"val_loss": {0: 1.0}}, "loss was not logged"),
        ({"loss": {0: 1.0}, "val_loss": {0: NAN}}, "the validation loss is not finite"),
    ],
)
def test_what_validation_needs(scalars: dict[str, dict[int, float]], reason: str) -> None:
    for signal in (
        validation.RECENT_VALIDATION_LOSS, validation.VALIDATION_RISE, validation.VALIDATION_RISE_OF_FIRST,
        validation.GENERALIZATION_GAP, validation.VALIDATION_TO_TRAINING,
    ):  # fmt: skip
        check(signal, Run(scalars=scalars), reason)


def test_a_validation_loss_is_compared_with_the_latest_training_loss() -> None:
    run = Run(scalars={"loss": {0: 2.0, 20: 1.0}, "val_loss": {10: 3.0, 20: 4.0, 30: 5.0}})
    check(validation.VALIDATION_TO_TRAINING, run, {10: [1.5], 20: [4.0], 30: [5.0]})
    accuracies = Run(scalars={"accuracy": {0: 0.5, 20: 0.9}, "val_accuracy": {10: 0.4, 30: 0.5}})
    check(validation.ACCURACY_GAP, accuracies, {10: [0.1], 30: [0.4]})


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (("accuracy",), False),
        (("val_accuracy",), False),
        (("loss", "val_loss"), False),
        (("top_accuracy", "val_top_accuracy"), True),
    ],
)
def test_accuracies_of_training_and_validation(names: tuple[str, ...], known: bool) -> None:
    run = Run(scalars={name: {0: 0.5} for name in names})
    check(validation.ACCURACY_GAP, run, {0: [0.0]} if known else "no accuracy was logged for training and validation")


def test_accuracy_above_the_majority() -> None:
    for counts in ((16,) * 4, (40, 10, 10, 4), ()):
        info = replace(INFO, probe=Probe("given", 64, counts))
        largest = max(counts) / sum(counts) if counts else 1 / 4
        for run in runs({}, {"acc": lambda rng: float(rng.random())}, info=info, count=4):
            expected: Expected = {step: [(each - largest) / (1 - largest)] for step, each in run.scalars["acc"].items()}
            check(accuracy.TRAINING_ACCURACY, run, expected)
            assert not accuracy.accuracy_is_not_logged(run.signals())
    alone = replace(INFO, probe=Probe("given", 64, (64, 0, 0, 0)))
    check(accuracy.TRAINING_ACCURACY, Run(alone, {}, {"acc": {0: 0.5}}), "the probe has samples of one class only")
    check(accuracy.TRAINING_ACCURACY, Run(scalars={"loss": {0: 1.0}}), "no accuracy was logged: add it to the metrics")
    check(
        accuracy.TRAINING_ACCURACY, Run(scalars={"val_acc": {0: 1.0}}), "no accuracy was logged: add it to the metrics"
    )
    assert accuracy.accuracy_is_not_logged(Run(scalars={"val_acc": {0: 1.0}}).signals())
    two = replace(INFO, layers=tuple(replace(layer, output=row > 3) for row, layer in enumerate(INFO.layers)))
    check(accuracy.TRAINING_ACCURACY, Run(two, {}, {"acc": {0: 0.5}}), "the model has several outputs")
    single = replace(INFO, layers=(*INFO.layers[:-1], replace(INFO.layers[-1], units=1)), probe=Probe())
    check(accuracy.TRAINING_ACCURACY, Run(single, {}, {"acc": {0: 0.75}}), {0: [0.5]})


def test_schedules() -> None:
    for run in runs({}, {"learning_rate": positive}, count=20):
        rates = run.scalars["learning_rate"]
        values, signals = list(rates.values()), run.signals()
        highest = largest_so_far({step: [rate] for step, rate in rates.items()})
        fall = {step: [highest[step][0] / rate] for step, rate in rates.items()}
        check(schedule.RATE_FALL, run, fall)
        assert schedule.highest_rate(signals) == max(values)
        assert schedule.rate_has_risen(signals) == (values[-1] > 1.001 * values[0])
        assert schedule.rate_was_lowered(signals) == (max(values) > 1.001 * values[-1])
        assert schedule.rate_was_cut(signals) == (max(values) >= 10 * values[-1])
        falls = [position for position in range(1, len(values)) if values[position] < values[position - 1]]
        rises = [position for position in range(1, len(values)) if values[position] > values[position - 1]]
        again = bool(falls) and any(position > falls[0] for position in rises)
        assert configuration.has_cyclical_learning_rate(signals) == again
        assert configuration.learning_rate(signals) == values[-1]


@pytest.mark.parametrize("rates", [(), (1.0,), (1.0, 1.0)])
def test_a_constant_rate_follows_no_schedule(rates: tuple[float, ...]) -> None:
    signals = Run(scalars={"learning_rate": dict(enumerate(rates))} if rates else {"loss": {0: 1.0}}).signals()
    assert not schedule.rate_has_risen(signals)
    assert not schedule.rate_was_lowered(signals)
    assert not schedule.rate_was_cut(signals)
    assert not configuration.has_cyclical_learning_rate(signals)
    assert math.isnan(schedule.highest_rate(signals)) == (not rates)


@pytest.mark.parametrize(
    ("epochs", "period"),
    [
        ({0: 0, 50: 1, 100: 2}, 50),
        ({0: 0, 40: 1, 100: 2}, 40),  # the shortest epoch: the last batch of an epoch may be shorter
        ({0: 0, 9000: 1}, LONGEST_PERIOD),
        ({0: 0, 30: 0}, PERIOD_WITHOUT_EPOCHS),
        ({}, PERIOD_WITHOUT_EPOCHS),
    ],
)
def test_the_period_is_an_epoch_of_usual_length(epochs: dict[int, int], period: float) -> None:
    history = Run(scalars={"loss": dict.fromkeys(epochs, 1.0)}).history()
    history.epochs = epochs
    signals = Signals(history)
    assert signals.period == period
    assert signals.periods == max(max(epochs, default=0), 0) / period


@pytest.mark.parametrize("span", [10, 20, 35])
def test_the_mean_decrease_per_epoch(span: float) -> None:
    for run in runs({}, {"loss": positive}, count=6):
        curve = run.scalars["loss"]
        steps, values = list(curve), list(curve.values())
        expected = [
            (1 - curve[step] / float(np.interp(step - span, steps, values))) * PERIOD / span if step >= span else NAN
            for step in steps
        ]
        found = decrease(run.signals()(loss.LOSS), span, PERIOD)
        np.testing.assert_allclose(found[:, 0], expected, rtol=1e-9)
