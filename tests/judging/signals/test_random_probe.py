"""Signals of what the probe shows against loops over random runs: input, output, batch statistics, magnitudes."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import median

import numpy as np
import pytest

from tb_cnndiag.judging.signals import batch_statistics, explosion, inputs, magnitudes, non_finite, outputs
from tb_cnndiag.judging.signals.base import MISSING
from tb_cnndiag.judging.signals.loss import LOSS
from tb_cnndiag.payloads import Probe, Targets
from tests.judging.signals.random_runs import INFO, Column, Expected, Run, check, measured, over, runs

NAN = math.nan
ROWS = range(len(INFO.layers))
TRAINABLE = [0, 1, 2, 3, 5]
HE = math.sqrt(2)


def share(rng: np.random.Generator) -> float:
    return float(rng.random())


def size(rng: np.random.Generator) -> float:
    return float(rng.normal() * 10 ** rng.uniform(-2, 2))


def positive(rng: np.random.Generator) -> float:
    return abs(size(rng)) + 1e-3


def last(run: Run, name: str) -> list[float]:
    return [run.latest(name, 999, row) for row in ROWS]


def test_inputs() -> None:
    mean, deviation, constant = (f"model_input.{name}" for name in ("mean", "std", "constant_share"))
    for run in runs({mean: size, deviation: positive, constant: share}, count=20):
        if not measured(run, mean) or not measured(run, deviation):
            continue
        offsets, spreads = [abs(each) for each in last(run, mean)], last(run, deviation)
        known = [not math.isnan(a) and not math.isnan(b) for a, b in zip(offsets, spreads, strict=True)]
        for signal, values in (
            (inputs.INPUT_OFFSET, offsets),
            (inputs.INPUT_SPREAD, spreads),
            (inputs.INPUT_SCALE, [max(a, b) for a, b in zip(offsets, spreads, strict=True)]),
        ):
            expected = [value if here else NAN for value, here in zip(values, known, strict=True)]
            check(signal, run, {0: expected} if any(known) else "the input is not finite")
        if measured(run, constant):
            check(inputs.CONSTANT_SHARE, run, {0: last(run, constant)})
        seen = [row for row in ROWS if any(_seen(run, name, row) for name in (mean, constant))]
        assert inputs.first_layers(run.signals()) == seen


def _seen(run: Run, name: str, row: int) -> bool:
    return any(not math.isnan(values[row]) for values in run.columns[name].values())


@pytest.mark.parametrize("infinite", ["mean", "std"])
def test_an_input_that_is_not_finite_has_no_size(infinite: str) -> None:
    values = {"mean": 1.0, "std": 2.0} | {infinite: math.inf}
    run = Run(columns={f"model_input.{name}": {0: [value, *[NAN] * 5]} for name, value in values.items()})
    for signal in (inputs.INPUT_OFFSET, inputs.INPUT_SPREAD, inputs.INPUT_SCALE):
        check(signal, run, "the input is not finite")


OUTPUTS = {
    "top_class_share": outputs.TOP_CLASS_SHARE,
    "spread": outputs.OUTPUT_SPREAD,
    "accuracy": outputs.PROBE_ACCURACY,
    "minimum": outputs.OUTPUT_MINIMUM,
    "maximum": outputs.OUTPUT_MAXIMUM,
}


def trained(column: Column) -> Expected:
    """Without step 0."""
    after = {step: values for step, values in column.items() if step > 0}
    return after or "no output was recorded after step 0"


def test_outputs() -> None:
    for run in runs({f"model_output.{name}": share for name in (*OUTPUTS, "row_sum_error")}, count=12):
        for name, signal in OUTPUTS.items():
            column = f"model_output.{name}"
            check(signal, run, trained(run.columns[column]) if measured(run, column) else MISSING["model_output"])
        if measured(run, "model_output.row_sum_error"):
            check(outputs.ROW_SUM_ERROR, run, run.columns["model_output.row_sum_error"])


@pytest.mark.parametrize(
    ("targets", "loss", "scale"),
    [
        (Targets(variance=4.0), "mse", 2.0),
        (Targets(variance=0.0), "binary_crossentropy", 1.0),
        (None, "binary_crossentropy", 1.0),
        (None, "mse", None),
        (Targets(variance=0.0), "mse", None),
    ],
)
def test_the_deviation_of_outputs_relative_to_that_of_targets(
    targets: Targets | None, loss: str, scale: float | None
) -> None:
    info = replace(INFO, loss=f'"{loss}"', probe=Probe("given", 9, (), targets))
    for run in runs({"model_output.spread": share}, info=info, count=4, missing=0):
        values = trained(run.columns["model_output.spread"])
        expected: Expected = "the targets of the probe are not known"
        if isinstance(values, str):
            expected = values
        elif scale is not None:
            expected = {step: [each / scale for each in row] for step, row in values.items()}
        check(outputs.RELATIVE_SPREAD, run, expected)


@pytest.mark.parametrize(
    ("counts", "largest"), [((10, 30), 0.75), ((5, 5, 0), 0.5), ((9, 0), None), ((), None), ((0, 0), None)]
)
def test_the_share_of_the_largest_class(counts: tuple[int, ...], largest: float | None) -> None:
    run = Run(replace(INFO, probe=Probe("given", 64, counts)), scalars={"loss": {0: 1.0}})
    unknown = "the labels of the probe are not known, or of one class"
    check(outputs.LARGEST_CLASS, run, unknown if largest is None else {0: [largest]})


def test_output_layers_with_one_and_with_several_outputs() -> None:
    layers = (*INFO.layers, replace(INFO.layers[-1], path="one", units=1))
    signals = Run(replace(INFO, layers=layers), scalars={"loss": {0: 1.0}}).signals()
    assert (outputs.output_layers(signals), outputs.single_outputs(signals)) == ([5], [6])


def test_batch_statistics() -> None:
    shift, change, answers = "batch_statistics.mean_shift", "batch_statistics.variance_ratio", "model_output.accuracy"
    normal = {"normalization_class": "BatchNormalization"}
    layers = (
        INFO.layers[0],
        replace(INFO.layers[1], **normal),
        replace(INFO.layers[2], normalization_frozen=True, **normal),
    )
    info = replace(INFO, layers=(*layers, *INFO.layers[3:]))
    for run in runs({shift: positive, change: positive, answers: share}, {"accuracy": share}, info=info, count=20):
        assert batch_statistics.normalized_by_batch(run.signals()) == [0, 1]
        if measured(run, shift):
            check(batch_statistics.MEAN_SHIFT, run, run.columns[shift])
            check(batch_statistics.LARGEST_SHIFT, run, over(run.columns[shift], [0, 1], max))
        if measured(run, change):
            either = {step: [max(each, 1 / each) for each in row] for step, row in run.columns[change].items()}
            check(batch_statistics.VARIANCE_CHANGE, run, either)
            check(batch_statistics.LARGEST_VARIANCE_CHANGE, run, over(either, [0, 1], max))
        if measured(run, answers):
            known = trained(run.columns[answers])
            expected: Expected = known
            if not isinstance(known, str):
                expected = {step: [run.scalars["accuracy"][step] - row[5]] for step, row in known.items()}
            check(batch_statistics.INFERENCE_GAP, run, expected)


def test_what_the_gap_between_training_and_inference_needs() -> None:
    answers = {"model_output.accuracy": {10: [NAN, NAN, NAN, NAN, NAN, 0.5]}}
    unlogged = Run(columns=answers)
    check(batch_statistics.INFERENCE_GAP, unlogged, "no accuracy was logged: add it to the metrics")
    check(batch_statistics.INFERENCE_GAP, Run(scalars={"accuracy": {10: 0.5}}), MISSING["model_output"])
    two = replace(INFO, layers=tuple(replace(layer, output=row > 3) for row, layer in enumerate(INFO.layers)))
    check(batch_statistics.INFERENCE_GAP, Run(two, answers), "the model has several outputs")


def test_gains_and_signals() -> None:
    """Of weights that hardly changed until the first activations were recorded; a normalization keeps the scale."""
    names = ("weight_health.gain", "weight_health.rms", "dead_units.magnitude", "model_input.mean", "model_input.std")
    layers = tuple(
        replace(layer, normalization="n" if row == 0 else "", units=64, fan_in=64)
        for row, layer in enumerate(INFO.layers)
    )
    info = replace(INFO, layers=layers)
    for run in runs(dict.fromkeys(names, positive), info=info, count=20, missing=0):
        run.columns["weight_health.rms"] = {step: [1.0] * 6 for step in run.columns["weight_health.rms"]}
        gain, magnitude, mean, deviation = (run.columns[name][0] for name in names if not name.endswith("rms"))
        excess = [NAN, gain[1], gain[2] / HE, gain[3] / HE, NAN, gain[5]]
        start = math.hypot(mean[0], deviation[0])
        # Where the gain is large, the measured one counts if it is larger: a bounded activation shows none.
        for row, before in ((2, magnitude[1]), (3, magnitude[2])):
            if gain[row] >= 1.4 * HE:
                excess[row] = max(excess[row], magnitude[row] / before / HE)
        check(magnitudes.GAIN_EXCESS, run, {0: excess})
        check(magnitudes.LARGEST_GAIN_EXCESS, run, {0: [max(each for each in excess if not math.isnan(each))]})
        products = [1.0, *np.cumprod([each if not math.isnan(each) else 1.0 for each in excess[:5]]).tolist()]
        check(magnitudes.SIGNAL_GROWTH, run, {0: [max(products)]})
        check(magnitudes.SIGNAL_SHRINKAGE, run, {0: [1 / min(products)]})
        check(magnitudes.SIGNAL, run, {0: [max(magnitude[:5]) / start]})
        check(magnitudes.FASTER_SIGNAL, run, {0: [0.0]})
        assert magnitudes.gains_from_input(run.signals()) == pytest.approx(
            {row: magnitude[row] / start for row in range(5)}
        )


@pytest.mark.parametrize(("change", "known"), [(1.0, True), (1.4, True), (0.7, True), (1.6, False), (0.6, False)])
def test_activations_of_weights_that_have_changed_say_nothing_about_the_initial_ones(
    change: float, known: bool
) -> None:
    """A probe that is collected in the first epoch is seen at the second snapshot."""
    rows: dict[str, Column] = {
        "weight_health.rms": {0: [1.0] * 6, 10: [change] * 6},
        "dead_units.magnitude": {10: [3.0] * 6},
        "model_input.mean": {10: [0.0] * 6},
        "model_input.std": {10: [1.0] * 6},
    }
    unknown = "no activations of the untrained model: give a probe"
    check(magnitudes.SIGNAL, Run(columns=rows), {0: [3.0]} if known else unknown)
    late = rows | {
        "dead_units.magnitude": {20: [3.0] * 6},
        "weight_health.rms": {0: [1.0] * 6, 10: [1.0] * 6, 20: [1.0] * 6},
    }
    check(magnitudes.SIGNAL, Run(columns=late), unknown)


@pytest.mark.parametrize("late", [{}, {"weight_health.gain": {10: [9.0] * 6}}])
def test_without_step_0_no_gain_is_initial(late: dict[str, Column]) -> None:
    run = Run(columns=late or {"update_ratio.update_ratio": {0: [0.1] * 6}})
    for signal in (
        magnitudes.GAIN_EXCESS, magnitudes.LARGEST_GAIN_EXCESS, magnitudes.SIGNAL_GROWTH, magnitudes.SIGNAL_SHRINKAGE
    ):  # fmt: skip
        check(signal, run, "the initial weights were not recorded")


def test_first_gradients_relative_to_the_initial_weights() -> None:
    norm, rms = "gradient_flow.gradient_norm", "weight_health.rms"
    for run in runs({norm: positive, rms: positive}, count=20):
        if not measured(run, norm) or not measured(run, rms) or 0 not in run.columns[rms]:
            check(explosion.FIRST_RELATIVE_GRADIENT, run, "first gradients or initial weights were not recorded")
            continue
        first = next(iter(run.columns[norm].values()))
        weights = {
            row: run.columns[rms][0][row] * math.sqrt(INFO.layers[row].units * INFO.layers[row].fan_in)
            for row in TRAINABLE
        }
        ratios = {row: first[row] / weights[row] for row in TRAINABLE}
        known = {row: ratio for row, ratio in ratios.items() if not math.isnan(ratio)}
        if not known:
            check(explosion.FIRST_RELATIVE_GRADIENT, run, "first gradients or initial weights were not recorded")
            continue
        check(explosion.FIRST_RELATIVE_GRADIENT, run, {0: [median(known.values())]})
        assert explosion.steepest_layer(run.signals()) == max(known, key=lambda row: known[row])


NON_FINITE = {
    "weight_health.non_finite": "weights",
    "untouched_weights.non_finite": "biases or normalizations",
    "activation_density.non_finite_share": "activations",
    "gradient_flow.non_finite_ratio": "gradients",
}


def test_non_finite_values() -> None:
    """What was found stays found; each source is named where it first has some."""
    draws = {name: lambda rng: float(rng.choice([0.0, 0.0, 0.0, 0.5, 3.0])) for name in NON_FINITE}
    draws |= {
        "model_input.mean": lambda rng: float(rng.choice([1.0, 1.0, math.inf])),
        "model_input.constant_share": share,
    }
    for run in runs(draws, {"loss": lambda rng: float(rng.choice([1.0, 1.0, NAN]))}, count=20, missing=0):
        sources = {what: run.columns[name] for name, what in NON_FINITE.items()}
        means = run.columns["model_input.mean"]
        sources = {"the input": {s: [float(math.isinf(v)) for v in row] for s, row in means.items()}, **sources}
        curve = run.scalars["loss"]
        steps = list(curve)
        bad = {step: float(math.isnan(value)) for step, value in curve.items()}
        amount = {
            step: [
                max(
                    [bad[at] for at in steps if at <= step]
                    + [max(c[at]) for c in sources.values() for at in steps if at <= step]
                )
            ]
            for step in steps
        }
        check(non_finite.NON_FINITE, run, amount)
        firsts = {what: next((at for at in steps if max(column[at]) > 0), None) for what, column in sources.items()}
        firsts["loss"] = next((at for at in steps if bad[at]), None)
        found = {each.what: each for each in non_finite.appearances(run.signals(), 0)}
        assert {what: each.step for what, each in found.items()} == {
            w: at for w, at in firsts.items() if at is not None
        }
        assert list(found) == [what for what, at in firsts.items() if at is not None]
        for what, each in found.items():
            expected = sources[what][each.step] if what in sources else [0.0] * 6
            assert each.amounts.tolist() == pytest.approx(expected)
        weights = run.columns["weight_health.non_finite"]
        assert non_finite.has_non_finite(run.signals()) == any(max(row) > 0 for row in weights.values())
        check(LOSS, run, {step: [value] for step, value in curve.items()})


def test_nothing_recorded_says_nothing_about_nan() -> None:
    run = Run(columns={"update_ratio.update_ratio": {0: [0.1] * 6}})
    check(non_finite.NON_FINITE, run, "nothing was recorded")
    assert non_finite.appearances(run.signals(), 0) == []
    assert not non_finite.has_non_finite(run.signals())
