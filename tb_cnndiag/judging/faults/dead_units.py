"""Units that give the same output for every input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Severity
from tb_cnndiag.judging.conditions import Above, Known
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import fitting_initializer, lower_learning_rate, normalized
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.configuration import bias_initializer
from tb_cnndiag.judging.signals.dead_units import (
    DEAD_SHARE,
    INITIALLY_DEAD_SHARE,
    seen_untrained,
    unit_states,
    without_positions,
)
from tb_cnndiag.judging.signals.loss import learns
from tb_cnndiag.judging.signals.regularization import weaker_regularization
from tb_cnndiag.judging.thresholds import EPOCHS, HARMLESS, Limit
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import UnitState
from tb_cnndiag.wording import percent, plural


def _with_positions(signals: Signals) -> list[int]:
    return [row for row in signals.hidden if not without_positions(signals.layers[row])]


def _without_positions(signals: Signals) -> list[int]:
    return [row for row in signals.hidden if without_positions(signals.layers[row])]


def _initially(case: Case) -> bool:
    """Whether the units are known to have been dead before training."""
    shares = case.signals(DEAD_SHARE)
    row = case.row
    assert row is not None
    return seen_untrained(case.signals) and bool(shares.first(row) >= shares.last(row))


def _units(case: Case) -> tuple[int, ...]:
    states = unit_states(case.signals, case.layer)
    return tuple(np.flatnonzero(states.states == UnitState.DEAD).tolist()) if states else ()


def _silent_in_training(case: Case) -> bool:
    states = unit_states(case.signals, case.layer)
    return bool(
        states and states.silent_in_training is not None and states.silent_in_training[list(_units(case))].all()
    )


def _reported(case: Case) -> dict[str, Evidence]:
    states = unit_states(case.signals, case.layer)
    if states is None or not states.samples:
        return {}
    found = {
        "samples": Evidence(float(states.samples), None, "count"),
        # Rule of three: if a unit does not fire on n samples, its firing rate is below 3/n (95 % confidence).
        "firing_rate_bound": Evidence(3 / states.samples, None, "share"),
    }
    if _silent_in_training(case):
        found["training_batches"] = Evidence(float(states.training_batches), None, "count")
        found["training_samples"] = Evidence(float(states.training_samples), None, "count")
    return found


def _share(case: Case) -> float:
    assert case.row is not None
    return case.signals(DEAD_SHARE).last(case.row)


def _message(case: Case) -> str:
    layer, states, share = case.layer, unit_states(case.signals, case.layer), _share(case)
    samples = states.samples if states else 0
    observed = plural(samples, "sample") if samples else "the probe"
    if states and _silent_in_training(case):
        batches = plural(states.training_batches, "training batch", "training batches")
        observed = f"{plural(samples, 'probe sample')} and {batches}"
    many = f"{len(_units(case)):,} of {layer.units:,} units" if states else f"{percent(share)} of the units"
    units = f"All {layer.units:,} units of {layer.path}" if share >= 1 else f"In {layer.path}, {many}"
    output = "no activation above zero" if layer.activation in RECTIFIED else "constant activations"
    return f"{units} are dead since step {case.outcome.first_step:,}: {output} on {observed}."


def _severity(case: Case) -> Severity:
    """An error if the whole layer is dead, the samples suffice to say so, and the network does not learn around it."""
    states = unit_states(case.signals, case.layer)
    confirmed = states is None or not states.samples or states.samples >= case.limits["samples"]
    bypassed = learns(case.signals, case.limits["harmless_loss"])
    return "error" if _share(case) >= 1 and confirmed and not bypassed else "warning"


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    layer = case.layer
    found: list[Adjustment] = []
    if _initially(case):
        name = bias_initializer(layer)
        if name not in ("", "zeros"):
            change = SetParameter(layer.path, "bias_initializer", "zeros")
            found.append(Adjustment.of(change, name, "this bias keeps the units below zero at step 0"))
        fitting = fitting_initializer(layer, "keeps the variance of activations through depth (He et al. 2015)")
        found += [fitting] if fitting else []
    else:
        found += weaker_regularization(case.signals)
        found.append(lower_learning_rate(case.signals, "the units died during training: updates were too large"))
    if layer.activation in RECTIFIED:
        change = SetParameter(layer.path, "activation", "leaky_relu")
        found.append(Adjustment.of(change, layer.activation, "keeps a gradient below zero, so units can return"))
    if not layer.normalization:
        found.append(normalized(case.signals, layer, "keeps half of each unit's inputs above zero"))
    return tuple(found)


def _kind(where: object, when: object) -> Kind:
    return Kind(
        where=where,  # type: ignore[arg-type]
        when=when,  # type: ignore[arg-type]
        severity=_severity,
        message=_message,
        units=_units,
        adjustments=_adjustments,
        reported=_reported,
    )


class DeadUnitsFault(Fault):
    """Share of dead units in a hidden layer."""

    id = "dead_units"
    title = "Dead units"
    what = "The output of some units is 0 (or constant) for every observed sample."
    why = (
        "A rectified unit that never fires passes no gradient back and cannot recover: its filter is computed for "
        "nothing. A layer whose units are all dead cuts the network in two."
    )
    advice = (
        "If the units died during training, lower the learning rate, or give the layer a BatchNormalization or an "
        "activation with a slope below zero. If the units were dead at step 0, fix the initializers."
    )
    source = (
        "Lu et al. 2019, Dying ReLU and Initialization (arXiv:1903.06733); Amazon SageMaker Debugger rule DeadRelu "
        "(50 % of units); CS231n (40 % dead when the learning rate is too high)."
    )
    diagnostic = "dead_units"
    limits: ClassVar[Mapping[str, Limit]] = {
        "dead_ratio": Limit(
            0.4,
            "share",
            "Share of dead units above which a convolutional layer, or any layer at step 0, is faulty.",
            "CS231n",
        ),
        "dense_ratio": Limit(
            0.9, "share", "Share of dead units above which a layer without positions, e.g. a dense layer, is faulty."
        ),
        "samples": Limit(64, "count", "Number of samples below which the severity is at most a warning."),
        "harmless_loss": HARMLESS,
        "epochs": EPOCHS,
    }
    kinds = (
        _kind(_with_positions, Above(DEAD_SHARE, "dead_ratio").for_epochs()),
        _kind(
            _without_positions,
            (
                Above(DEAD_SHARE, "dense_ratio")
                | (
                    Above(DEAD_SHARE, "dead_ratio")
                    & Known(Above(INITIALLY_DEAD_SHARE, "dead_ratio", shown="initial_ratio"))
                )
            ).for_epochs(),
        ),
    )
