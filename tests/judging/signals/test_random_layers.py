"""Signals of layers against loops over random runs, in which values and snapshots are missing."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import median

import numpy as np
import pytest

from tb_cnndiag.judging.signals import dead_units, gradients, similarity, top_images, updates, weights
from tb_cnndiag.judging.signals.base import MISSING
from tests.judging.signals.random_runs import (
    INFO,
    Column,
    Expected,
    Run,
    check,
    largest_so_far,
    measured,
    over,
    random_run,
    runs,
)

NAN = math.nan
ROWS = range(len(INFO.layers))
TRAINABLE, HIDDEN = [0, 1, 2, 3, 5], [0, 1, 2, 3, 4]


def share(rng: np.random.Generator) -> float:
    return float(rng.choice([0.0, 1.0, rng.random()]))


def ratio(rng: np.random.Generator) -> float:
    return float(10 ** rng.uniform(-5, 2))


def test_dead_units() -> None:
    name = "dead_units.dead_ratio"
    for run in runs({name: share}, count=20):
        column = run.columns[name]
        if not measured(run, name):
            check(dead_units.DIED_SHARE, run, MISSING["dead_units"])
            continue
        first = next(iter(column))
        check(dead_units.DEAD_SHARE, run, column)
        check(dead_units.MOST_DEAD, run, over(column, HIDDEN, max))
        check(dead_units.MOST_DEAD_RECTIFIED, run, over(column, [0, 2, 3, 4], max))
        known = [column[first][row] for row in HIDDEN if not math.isnan(column[first][row])]
        check(dead_units.FIRST_DEAD_SHARE, run, {0: [max(known)]} if known else "no hidden layer was observed")
        check(dead_units.INITIALLY_DEAD_SHARE, run, _initially(column))
        check(
            dead_units.BLOCKING_SHARE, run, {step: [_blocked(run, name, step, row) for row in ROWS] for step in column}
        )
        check(dead_units.DIED_SHARE, run, _died(run, name))


def _initially(column: Column) -> Expected:
    if 0 not in column:
        return "no activations were recorded before training: give a probe"
    return {0: column[0]} if not np.isnan(column[0]).all() else "no layer was observed before training"


def _known(run: Run, name: str, step: int, row: int) -> float:
    return float(np.nan_to_num(run.latest(name, step, row)))


def _blocked(run: Run, name: str, step: int, row: int) -> float:
    """The largest share so far, of the layer and those behind it."""
    return max(_known(run, name, at, later) for at in run.columns[name] if at <= step for later in ROWS[row:])


def _died(run: Run, name: str) -> Expected:
    """Of the trainable rectified layers without a penalty on activities: those that were less dead initially."""
    column = run.columns[name]
    rows = [row for row in (0, 2) if any(not math.isnan(values[row]) for values in column.values())]
    if not rows:
        return "no rectified layer was observed"

    def lost(step: int, row: int) -> float:
        begun = _known(run, name, 0, row) if 0 in column else 0.0
        return _known(run, name, step, row) if _known(run, name, step, row) > begun else 0.0

    return {step: [max(lost(step, row) for row in rows)] for step in column}


def test_the_layer_whose_units_died_is_the_one_that_has_most_in_the_end() -> None:
    run = Run(columns={"dead_units.dead_ratio": {0: [0.0] * 6, 10: [0.8, 0, 0.3, 1, 1, 1], 20: [0.1, 0, 0.3, 1, 1, 1]}})
    track, row = dead_units.died(run.signals())
    assert (track.values[:, 0].round(4).tolist(), row) == ([0.0, 0.8, 0.3], 2)


def test_updates_and_weights() -> None:
    update, rms = "update_ratio.update_ratio", "weight_health.rms"
    for run in runs({update: ratio, rms: ratio}, count=20):
        column = run.columns[update]
        if measured(run, update):
            middle = over(column, TRAINABLE, median)
            check(updates.MEDIAN_UPDATE_RATIO, run, middle)
            largest = over(column, TRAINABLE, max)
            check(updates.LARGEST_UPDATE_RATIO, run, largest)
            if not isinstance(middle, str) and not isinstance(largest, str):
                check(updates.PEAK_UPDATE_RATIO, run, largest_so_far(middle))
                check(updates.PATIENT_UPDATE_RATIO, run, {step: [20 * value[0]] for step, value in largest.items()})
        else:
            check(updates.PEAK_UPDATE_RATIO, run, MISSING["update_ratio"])
        check(weights.WEIGHT_GROWTH, run, _growth(run, rms))


def _growth(run: Run, name: str) -> Expected:
    column = run.columns[name]
    if not measured(run, name):
        return MISSING["weight_health"]
    if 0 not in column:
        return "the initial weights were not recorded"
    grown = over(
        {
            step: [value / start for value, start in zip(values, column[0], strict=True)]
            for step, values in column.items()
        },
        TRAINABLE,
        median,
    )
    return grown if isinstance(grown, str) else largest_so_far(grown)


def test_gradients() -> None:
    relative, norm, absent = (
        f"gradient_flow.{name}" for name in ("relative_gradient", "gradient_norm", "non_finite_ratio")
    )
    for run in runs({relative: ratio, norm: lambda rng: float(rng.choice([0.0, 1.0])), absent: share}, count=30):
        if measured(run, relative):
            check(gradients.MEDIAN_RELATIVE_GRADIENT, run, over(run.columns[relative], ROWS, median))
            check(gradients.LARGEST_RELATIVE_GRADIENT, run, over(run.columns[relative], TRAINABLE, max))
            check(gradients.GRADIENT_DECAY, run, _decay(run, relative, norm, hidden=False))
            check(gradients.HIDDEN_GRADIENT_DECAY, run, _decay(run, relative, norm, hidden=True))
        if measured(run, norm):
            zero = {step: [_zero_so_far(run, norm, step, row) for row in ROWS] for step in run.columns[norm]}
            check(gradients.ZERO_GRADIENT, run, zero)
            check(gradients.ALL_ZERO_GRADIENTS, run, over(zero, TRAINABLE, min))
        if measured(run, absent):
            missing = {
                step: [float(math.isnan(values[row]) and not np.isnan(values).all()) for row in ROWS]
                for step, values in run.columns[absent].items()
            }
            check(gradients.NO_GRADIENT, run, missing)


def _zero_so_far(run: Run, name: str, step: int, row: int) -> float:
    known = [values[row] for at, values in run.columns[name].items() if at <= step and not math.isnan(values[row])]
    return NAN if math.isnan(run.columns[name][step][row]) else float(all(value == 0 for value in known))


def _decay(run: Run, relative: str, norm: str, *, hidden: bool) -> Expected:
    """First trainable layer relative to the last one, of those whose gradient is known in the end."""
    column = run.columns[relative]
    last = column[max(column)]
    rows = [row for row in TRAINABLE if math.isfinite(last[row])]
    if len(rows) < 3:
        return "fewer than 3 trainable layers received a gradient"
    norms = [values[rows[0]] for values in run.columns[norm].values()] if measured(run, norm) else []
    if norms and all(value == 0 for value in norms):
        return "the first layer has no gradient at all: this is another fault"
    end = [row for row in rows if row != 5][-1] if hidden else rows[-1]
    return {step: [values[rows[0]] / values[end]] for step, values in column.items()}


def test_a_layer_without_a_gradient_is_one_of_its_own_part() -> None:
    """In a run of two models, one of which is not trained at this snapshot, no layer is cut off."""
    parts = [
        f"generator/{layer.path}" if row < 3 else f"discriminator/{layer.path}" for row, layer in enumerate(INFO.layers)
    ]
    layers = tuple(replace(layer, path=path) for layer, path in zip(INFO.layers, parts, strict=True))
    info = replace(INFO, layers=layers, model="generator, discriminator")
    run = Run(info, {"gradient_flow.non_finite_ratio": {0: [NAN, NAN, NAN, 0, NAN, 0], 10: [0, NAN, 0, NAN, NAN, NAN]}})
    check(gradients.NO_GRADIENT, run, {0: [0, 0, 0, 0, 1, 0], 10: [0, 1, 0, 0, 0, 0]})


def test_the_update_of_the_first_layer() -> None:
    relative, update = "gradient_flow.relative_gradient", "update_ratio.update_ratio"
    for run in runs({relative: ratio, update: ratio}, count=20):
        if not measured(run, relative) or not measured(run, update):
            continue
        column = run.columns[relative]
        rows = [row for row in TRAINABLE if math.isfinite(column[max(column)][row])]
        expected: Expected = "no trainable layer received a gradient"
        if rows:
            expected = {step: [float(np.nan_to_num(values[rows[0]]))] for step, values in run.columns[update].items()}
        check(gradients.FIRST_LAYER_UPDATE, run, expected)


def test_similarity() -> None:
    mean, zeros = "filter_similarity.mean_similarity", "weight_health.zero_share"
    draws = {mean: share, zeros: lambda rng: float(rng.choice([0.0, 0.5, 1.0]))}
    # Of few weights, chance decides whether those of a usual initializer are similar.
    others = replace(INFO, layers=tuple(replace(layer, initializer="orthogonal") for layer in INFO.layers))
    for run in runs(draws, info=others, count=30):
        if not measured(run, mean) or not measured(run, zeros):
            continue
        start = _initial_similarity(run.columns[mean], run.columns[zeros])
        known = not np.isnan(start).all()
        check(similarity.INITIAL_SIMILARITY, run, {0: start} if known else "the initial filters were not compared")
        check(similarity.LATER_SIMILARITY, run, _later_similarity(run, mean, zeros, start))


def _initial_similarity(mean: Column, zeros: Column) -> list[float]:
    found = mean.get(0, [NAN] * len(ROWS))
    return [1.0 if 0 in zeros and zeros[0][row] == 1 else found[row] for row in ROWS]


def _later_similarity(run: Run, mean: str, zeros: str, start: list[float]) -> Expected:
    """The smallest value so far, 1 where all weights are 0; that of step 0 where something is known later."""
    steps = sorted({step for name in (mean, zeros) for step in run.columns[name] if step > 0})
    if not steps:
        return "filters were not compared after training began"
    compared = max(run.columns[mean]) > 0

    def value(step: int, row: int) -> float:
        if run.latest(zeros, step, row) == 1:
            return 1.0
        return run.latest(mean, step, row) if compared else NAN

    found: dict[int, list[float]] = {0: []}
    for row in ROWS:
        later = [value(step, row) for step in steps]
        series = [NAN if np.isnan(later).all() else start[row], *later]
        for position, step in enumerate([0, *steps]):
            so_far = [each for each in series[: position + 1] if not math.isnan(each)]
            found.setdefault(step, []).append(min(so_far) if so_far else NAN)
    return found


def test_top_images() -> None:
    name = "top_patches.kept_ratio"
    for run in runs({name: share}):
        if measured(run, name):
            check(top_images.MEDIAN_TOP_IMAGES_KEPT, run, over(run.columns[name], ROWS, median))
            last = [run.latest(name, 999, row) for row in ROWS]
            changing = [layer.path for layer, kept in zip(INFO.layers, last, strict=True) if kept < 2 / 3]
            assert top_images.changing_layers(run.signals()) == changing


@pytest.mark.parametrize("seed", range(6))
def test_what_a_restart_made_void_is_not_seen(seed: int) -> None:
    """The same values as in a training that was not interrupted."""
    name = "update_ratio.update_ratio"
    run = random_run(np.random.default_rng(seed), {name: ratio})
    straight = Run(run.info, run.columns, run.scalars)
    for signal in (updates.MEDIAN_UPDATE_RATIO, updates.PEAK_UPDATE_RATIO):
        first, second = run.signals()(signal), straight.signals()(signal)
        assert first.steps.tolist() == second.steps.tolist()
        assert np.array_equal(first.values, second.values, equal_nan=True)
