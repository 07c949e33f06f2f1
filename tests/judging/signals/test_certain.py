"""What is proved about a saved model, and what is known of the two parts of a GAN."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tb_cnndiag.history import History
from tb_cnndiag.judging.signals import certain, gan
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.payloads import UnitStates
from tests.judging.faults.made import GAN, LAYERS, history
from tests.judging.faults.made import gan as adversarial
from tests.judging.signals.random_runs import INFO, Run, check, measured, runs

NAN = math.nan
ROWS = range(len(INFO.layers))
COUNTS = {
    "zero_filters": certain.ZERO_FILTERS,
    "idle_units": certain.IDLE_UNITS,
    "constant_units": certain.CONSTANT_UNITS,
    "unread_units": certain.UNREAD_UNITS,
    "exact_twins": certain.EXACT_TWINS,
    "removable_parameters": certain.REMOVABLE_PARAMETERS,
    "masked_share": certain.MASKED_SHARE,
}
OF_WEIGHTS = {
    "initial_p": certain.INITIAL_P,
    "zero_variances": certain.ZERO_VARIANCES,
    "largest_variance": certain.LARGEST_VARIANCE,
}


def count(rng: np.random.Generator) -> float:
    return float(rng.integers(0, 5))


def test_counts_are_those_of_the_proofs() -> None:
    names = {f"certain_units.{name}": signal for name, signal in COUNTS.items()}
    names |= {f"untouched_weights.{name}": signal for name, signal in OF_WEIGHTS.items()}
    for run in runs(dict.fromkeys((*names, "certain_units.called"), count), count=8):
        for name, signal in names.items():
            if measured(run, name):
                check(signal, run, run.columns[name])
        idle, constant = "certain_units.idle_units", "certain_units.constant_units"
        if measured(run, idle) and run.columns[idle].keys() == run.columns[constant].keys():
            most = {
                step: [float(np.fmax(a, b)) for a, b in zip(row, run.columns[constant][step], strict=True)]
                for step, row in run.columns[idle].items()
            }
            check(certain.NO_EFFECT, run, most)
        examined = [row for row in ROWS if any(not math.isnan(values[row]) for values in run.columns[idle].values())]
        assert certain.audited(run.signals()) == examined


def test_what_was_not_proved_is_unknown() -> None:
    run = Run(columns={"weight_health.rms": {0: [1.0] * 6}})
    check(certain.CALLED, run, "the model could not be called without data")
    check(certain.NO_EFFECT, run, "no certain_units was recorded")
    assert certain.audited(run.signals()) == []
    assert not certain.pruned(run.signals())
    assert certain.untouched(run.signals(), 0.01) == []
    assert certain.stale_rows(run.signals()) == []


def _pruned(zeros: list[float], masked: list[float]) -> bool:
    layers = tuple(replace(layer, units=100) for layer in LAYERS)
    rows = {"idle_units": [0.0] * 4, "zero_filters": zeros, "masked_share": masked}
    columns = {f"certain_units.{name}": [values] for name, values in rows.items()}
    return certain.pruned(Signals(history(columns, info=replace(INFO, layers=layers))))


@pytest.mark.parametrize(
    ("zeros", "masked", "expected"),
    [
        ([0, 0, 0, 0], [0, 0, 0, 0], False),
        ([0, 0, 0, 0], [0.1, 0.5, 0.1, 0.0], True),  # scattered zeros in most layers
        ([0, 0, 0, 0], [0.09, 0.5, 0.1, 0.0], False),  # in half of them
        ([30, 31, 32, 35], [0, 0, 0, 0], True),  # the same share everywhere
        ([30, 35, 0, 0], [0, 0, 0, 0], True),  # in half of the layers
        ([30, 36, 0, 0], [0, 0, 0, 0], False),
        ([30, 31, 32, 36], [0, 0, 0, 0], False),
        ([30, 0, 0, 0], [0, 0, 0, 0], False),  # one layer is no sparsity
    ],
)
def test_zeros_of_a_pruning(zeros: list[float], masked: list[float], expected: bool) -> None:
    assert _pruned(zeros, masked) == expected


@pytest.mark.parametrize(
    ("probability", "bias", "statistics", "expected"),
    [
        (0.5, 1, 1, True),
        (0.5, NAN, NAN, True),
        (0.011, 1, 1, True),
        (0.009, 1, 1, False),
        (0.5, 0, 1, False),
        (0.5, 1, 0, False),
        (NAN, 1, 1, False),
    ],
)
def test_untouched_weights(probability: float, bias: float, statistics: float, expected: bool) -> None:
    values = {"initial_p": probability, "initial_bias": bias, "initial_statistics": statistics}
    run = Run(columns={f"untouched_weights.{name}": {0: [0.0, value, 0, 0, 0, 0]} for name, value in values.items()})
    assert certain.untouched(run.signals(), 0.01) == ([1] if expected else [])


@pytest.mark.parametrize(
    ("probability", "statistics", "expected"), [(1e-9, 1, True), (1e-5, 1, False), (1e-9, 0, False), (NAN, 1, False)]
)
def test_statistics_that_a_trained_layer_never_updated(probability: float, statistics: float, expected: bool) -> None:
    values = {"initial_p": probability, "initial_statistics": statistics}
    run = Run(
        columns={f"untouched_weights.{name}": {0: [NAN, value, NAN, NAN, NAN, NAN]} for name, value in values.items()}
    )
    assert certain.stale_rows(run.signals()) == ([1] if expected else [])


def test_units_that_are_proved_idle() -> None:
    states = UnitStates(np.array([3, 1, 3, 0, 2, 1, 1, 1], np.uint8), 0, 0)
    signals = Signals(history({"weight_health.rms": [[1.0] * 4]}, payloads=[("certain_units", "conv1", states)]))
    assert certain.idle_units(signals, LAYERS[0]) == (0, 2)
    assert certain.idle_units(signals, LAYERS[1]) == ()


def test_the_two_parts_of_a_gan() -> None:
    """The generator ends in images; the discriminator takes images of that depth, and ends without positions."""
    parts = gan.adversaries(Signals(adversarial([0.1], [1.4])))
    assert parts == gan.Adversaries((0, 1), 1, 2)
    layers = GAN.layers
    for changed in (
        replace(GAN, model="generator"),
        replace(GAN, model="generator, critic"),
        replace(GAN, layers=(layers[0], replace(layers[1], output=False), *layers[2:])),
        replace(GAN, layers=(layers[0], replace(layers[1], output_shape=(1, 1, 1)), *layers[2:])),
        replace(GAN, layers=(*layers[:3], replace(layers[3], output_shape=(4, 4, 1)))),
        replace(GAN, layers=(*layers[:2], replace(layers[2], kernel_shape=(4, 4, 3, 8)), layers[3])),
        replace(GAN, layers=(replace(layers[0], output=True), *layers[1:])),
    ):
        signals = Signals(history({"weight_health.rms": [[1.0] * 4]}, info=changed))
        assert gan.adversaries(signals) is None
        assert gan.no_adversaries(signals) == "the run has no generator and discriminator"
        check_reason(gan.DIVERSITY, signals, "the run has no generator and discriminator")


def check_reason(signal: gan.Signal, signals: Signals, reason: str) -> None:
    assert (len(signals(signal)), signals(signal).reason) == (0, reason)


@pytest.mark.parametrize("seed", range(4))
def test_diversity_and_gradient_of_a_generator(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made, norms = rng.random(6).astype(np.float32), rng.random(6).astype(np.float32)
    signals = Signals(adversarial(made.tolist(), [1.0] * 6, norms.tolist()))
    ratio = [float(each) / 0.5 for each in made[1:]]  # without step 0
    assert signals(gan.DIVERSITY).values[:, 0].tolist() == pytest.approx(ratio)
    assert signals(gan.DIVERSITY).steps.tolist() == [10, 20, 30, 40, 50]
    fall = [max(ratio[: i + 1]) / each for i, each in enumerate(ratio)]
    assert signals(gan.DIVERSITY_FALL).values[:, 0].tolist() == pytest.approx(fall)
    largest = [float(max(norms[: i + 1])) for i in range(6)]
    gradient = [float(norm) / so_far for norm, so_far in zip(norms, largest, strict=True)]
    assert signals(gan.GENERATOR_GRADIENT).values[:, 0].tolist() == pytest.approx(gradient)


def test_what_the_signals_of_a_gan_need() -> None:
    def run(**columns: list[float]) -> History:
        rows = {name.replace("__", "."): [[each] * 4 for each in values] for name, values in columns.items()}
        return history(rows, info=GAN, scalars={"g_loss": [1.0] * max(map(len, columns.values()), default=1)})

    both = run(model_output__diversity=[0.1] * 3, model_input__diversity=[0.0] * 3)
    for made, reason in (
        (run(), "no output was recorded: give a probe"),
        (run(model_output__diversity=[0.1] * 3), "no input was recorded: give a probe"),
        (
            run(model_output__diversity=[0.1], model_input__diversity=[0.1]),
            "generated and real images were never recorded together",
        ),
        (both, "real images do not differ"),
    ):
        check_reason(gan.DIVERSITY, Signals(made), reason)
        check_reason(gan.DIVERSITY_FALL, Signals(made), reason)
    check_reason(gan.GENERATOR_GRADIENT, Signals(run()), "no gradients were recorded")
    none = Signals(run(gradient_flow__gradient_norm=[0.0] * 3))
    check_reason(gan.GENERATOR_GRADIENT, none, "the generator received no gradient")


@pytest.mark.parametrize(
    "name", ["d_loss", "disc_loss", "discriminator_loss", "loss_d", "D_loss", "d_real_loss", "my_d_loss"]
)
def test_names_of_the_loss_of_a_discriminator(name: str) -> None:
    signals = Signals(history({}, info=GAN, scalars={"g_loss": [9.0] * 3, name: [1.0, 0.5, 0.25]}))
    track = signals(gan.DISCRIMINATOR_LOSS)
    assert (track.steps.tolist(), track.values[:, 0].tolist()) == ([10, 20], [0.5, 0.25])


@pytest.mark.parametrize(
    ("scalars", "reason"),
    [
        ({"loss": [1.0, 1.0]}, "no loss of a discriminator was logged, e.g. d_loss"),
        ({"val_d_loss": [1.0, 1.0]}, "no loss of a discriminator was logged, e.g. d_loss"),
        ({"add_loss": [1.0, 1.0]}, "no loss of a discriminator was logged, e.g. d_loss"),
        ({"d_loss": [1.0]}, "no loss of a discriminator was logged, e.g. d_loss"),  # only at step 0
        ({"d_loss": [1.0, -0.5]}, "d_loss can be negative, as that of Wasserstein"),
    ],
)
def test_losses_that_say_nothing_of_a_discriminator(scalars: dict[str, list[float]], reason: str) -> None:
    check_reason(gan.DISCRIMINATOR_LOSS, Signals(history({}, info=GAN, scalars=scalars)), reason)
