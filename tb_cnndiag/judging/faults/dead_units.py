"""Units that give the same output for every input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, consecutive_snapshots, lower_learning_rate, normalized
from tb_cnndiag.judging.signals.configuration import bias_initializer
from tb_cnndiag.judging.signals.loss import learns
from tb_cnndiag.judging.signals.persistence import Streak, streak
from tb_cnndiag.judging.signals.regularization import weaker_regularization
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import LayerInfo, UnitState, UnitStates
from tb_cnndiag.wording import percent, plural


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
            0.4, "share", "Share of dead units above which a convolutional layer, or any layer at step 0, is faulty."
        ),
        "dense_ratio": Limit(
            0.9, "share", "Share of dead units above which a layer without positions, e.g. a dense layer, is faulty."
        ),
        "snapshots": consecutive_snapshots(2),
        "samples": Limit(64, "count", "Number of samples below which the severity is at most a warning."),
    }
    follows = (
        "nan_or_inf",
        "unnormalised_input",
        "bad_init",
        "output_loss_mismatch",
        "learning_rate_too_high",
        "exploding_gradient",
        "saturated_activation",
        "vanishing_gradient",
        "dead_units",
    )

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per layer with too many dead units."""
        series = history.series("dead_units", "dead_ratio")
        for row, layer in enumerate(history.layers):
            measured = ~np.isnan(series.values[:, row])
            ratios = series.values[measured, row]
            steps = series.steps[measured]
            dead_initially = len(steps) and steps[0] == 0 and ratios[0] >= limits["dead_ratio"]
            threshold = limits["dense_ratio" if _without_positions(layer) and not dead_initially else "dead_ratio"]
            persistence = streak(steps, ratios >= threshold, limits["snapshots"])
            if persistence is None or layer.output or not layer.trainable:
                continue
            initially = bool(ratios[0] >= ratios[-1])
            yield self._finding(history, layer, float(ratios[-1]), persistence, limits, initially=initially)

    def _finding(
        self,
        history: History,
        layer: LayerInfo,
        ratio: float,
        persistence: Streak,
        limits: Mapping[str, float],
        *,
        initially: bool,
    ) -> Finding:
        payload = history.latest("dead_units", layer.path)
        states = payload if isinstance(payload, UnitStates) else None
        dead = np.flatnonzero(states.states == UnitState.DEAD) if states else np.empty(0, np.int64)
        samples = states.samples if states else 0
        evidence = {"dead_ratio": Evidence(ratio, limits["dead_ratio"], "share")}
        if samples:
            evidence["samples"] = Evidence(float(samples), None, "count")
            # Rule of three: if a unit does not fire on n samples, its firing rate is below 3/n (95 % confidence).
            evidence["firing_rate_bound"] = Evidence(3 / samples, None, "share")
        observed = plural(samples, "sample") if samples else "the probe"
        if states and states.silent_in_training is not None and states.silent_in_training[dead].all():
            evidence["training_batches"] = Evidence(float(states.training_batches), None, "count")
            evidence["training_samples"] = Evidence(float(states.training_samples), None, "count")
            batches = plural(states.training_batches, "training batch", "training batches")
            observed = f"{plural(samples, 'probe sample')} and {batches}"
        many = f"{len(dead):,} of {layer.units:,} units" if states else f"{percent(ratio)} of the units"
        units = f"All {layer.units:,} units of {layer.path}" if ratio >= 1 else f"In {layer.path}, {many}"
        output = "no activation above zero" if layer.activation in RECTIFIED else "constant activations"
        confirmed = not samples or samples >= limits["samples"]
        # A network that learns has a path around the dead layer.
        bypassed = learns(history)
        return self.finding(
            history,
            layer,
            "error" if ratio >= 1 and confirmed and not bypassed else "warning",
            persistence,
            f"{units} are dead since step {persistence.first_step:,}: {output} on {observed}.",
            evidence=evidence,
            units=tuple(dead.tolist()),
            adjustments=_adjustments(history, layer, initially=initially),
        )


def _without_positions(layer: LayerInfo) -> bool:
    """A dense layer, or a convolution after global pooling, as in squeeze-and-excitation: many units are idle there."""
    positions = layer.output_shape[1:] if layer.unit_axis == 1 else layer.output_shape[:-1]
    return layer.role == "dense" or (bool(positions) and set(positions) == {1})


def _adjustments(history: History, layer: LayerInfo, *, initially: bool) -> tuple[Adjustment, ...]:
    found: list[Adjustment] = []
    if initially:
        name = bias_initializer(layer)
        if name not in ("", "zeros"):
            found.append(
                Adjustment.of(
                    SetParameter(layer.path, "bias_initializer", "zeros"),
                    name,
                    "this bias keeps the units below zero at step 0",
                )
            )
        if layer.initializer not in ("he_normal", "he_uniform"):
            found.append(
                Adjustment.of(
                    SetParameter(layer.path, "kernel_initializer", "he_normal"),
                    layer.initializer or "unknown",
                    "keeps the variance of rectified activations through depth (He et al. 2015)",
                )
            )
    else:
        found += weaker_regularization(history)
        found.append(lower_learning_rate(history, "the units died during training: updates were too large"))
    if layer.activation in RECTIFIED:
        found.append(
            Adjustment.of(
                SetParameter(layer.path, "activation", "leaky_relu"),
                layer.activation,
                "keeps a gradient below zero, so units can return",
            )
        )
    if not layer.normalization:
        found.append(normalized(history, layer, "keeps half of each unit's inputs above zero"))
    return tuple(found)
