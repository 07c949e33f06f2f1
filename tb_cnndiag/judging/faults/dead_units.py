"""Units that give the same output for every input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import (
    Fault,
    Limit,
    Streak,
    bias_initializer,
    lower_learning_rate,
    normalized,
    streak,
)
from tb_cnndiag.judging.faults.loss_progress import learns
from tb_cnndiag.judging.faults.regularization import restraints
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import LayerInfo, UnitState, UnitStates


class DeadUnits(Fault):
    """Share of dead units in a hidden layer."""

    id = "dead_units"
    title = "Dead units"
    what = "Units whose output is 0 (or the same) for every sample that was looked at."
    why = (
        "A rectified unit that never fires passes no gradient back and cannot recover: its filters are computed for "
        "nothing. A layer that is dead as a whole cuts the network in two."
    )
    advice = (
        "If they died during training, lower the learning rate, or give the layer an activation with a slope below "
        "zero or a BatchNormalization. If they were dead from the start, mend the initializers."
    )
    source = (
        "Lu et al. 2019, Dying ReLU and Initialization (arXiv:1903.06733); Amazon SageMaker Debugger rule DeadRelu "
        "(50 % of units); CS231n (40 % dead when the learning rate is too high)."
    )
    diagnostic = "dead_units"
    limits: ClassVar[Mapping[str, Limit]] = {
        "dead_ratio": Limit(
            0.4, "share", "dead units of a convolution from which it is a fault, and of any layer at step 0"
        ),
        "dense_ratio": Limit(
            0.9, "share", "dead units of a layer without positions from which it is: these idle by the half"
        ),
        "snapshots": Limit(2, "count", "consecutive looks at which it must hold"),
        "samples": Limit(64, "count", "samples below which it is a warning at most"),
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
        """One finding per layer that has too many dead units."""
        series = history.series("dead_units", "dead_ratio")
        for row, layer in enumerate(history.layers):
            measured = ~np.isnan(series.values[:, row])
            ratios = series.values[measured, row]
            steps = series.steps[measured]
            at_start = len(steps) and steps[0] == 0 and ratios[0] >= limits["dead_ratio"]
            limit = limits["dense_ratio" if _without_positions(layer) and not at_start else "dead_ratio"]
            when = streak(steps, ratios >= limit, limits["snapshots"])
            if when is None or layer.output or not layer.trainable:
                continue
            yield self._finding(history, layer, float(ratios[-1]), when, limits, born=bool(ratios[0] >= ratios[-1]))

    def _finding(
        self,
        history: History,
        layer: LayerInfo,
        ratio: float,
        when: Streak,
        limits: Mapping[str, float],
        *,
        born: bool,
    ) -> Finding:
        payload = history.latest("dead_units", layer.path)
        states = payload if isinstance(payload, UnitStates) else None
        dead = np.flatnonzero(states.states == UnitState.DEAD) if states else np.empty(0, np.int64)
        samples = states.samples if states else 0
        evidence = {"dead_ratio": Evidence(ratio, limits["dead_ratio"], "share")}
        if samples:
            evidence["samples"] = Evidence(float(samples), None, "count")
            # Rule of three: with n samples and no firing, the rate is below 3/n at 95 %.
            evidence["firing_rate_bound"] = Evidence(3 / samples, None, "share")
        observed = f"{samples:,} samples"
        if states and states.silent_in_training is not None and states.silent_in_training[dead].all():
            evidence["training_batches"] = Evidence(float(states.training_batches), None, "count")
            evidence["training_samples"] = Evidence(float(states.training_samples), None, "count")
            observed = f"{samples:,} probe samples nor in {states.training_batches:,} training batches"
        how = "never fire" if layer.activation in RECTIFIED else "never change"
        since = "since the first snapshot" if born else f"since step {when.first_step}"
        whole = ratio >= 1
        sure = not samples or samples >= limits["samples"]
        # A network that learns although a layer is dead has a way around it.
        bypassed = learns(history)
        many = f"all {layer.units}" if whole else f"{len(dead)} of {layer.units}" if states else f"{ratio:.0%} of the"
        return self.finding(
            history,
            layer,
            "error" if whole and sure and not bypassed else "warning",
            when,
            f"{layer.path}: {many} units {how} on {observed}, {since}.",
            evidence=evidence,
            units=tuple(dead.tolist()),
            adjustments=_adjustments(history, layer, born=born),
        )


def _without_positions(layer: LayerInfo) -> bool:
    """A dense layer, or a convolution of what was pooled to one position, as in squeeze-and-excitation."""
    positions = layer.output_shape[1:] if layer.unit_axis == 1 else layer.output_shape[:-1]
    return layer.role == "dense" or (bool(positions) and set(positions) == {1})


def _adjustments(history: History, layer: LayerInfo, *, born: bool) -> tuple[Adjustment, ...]:
    found: list[Adjustment] = []
    if born:
        name = bias_initializer(layer)
        if name not in ("", "zeros"):
            found.append(
                Adjustment.of(
                    SetParameter(layer.path, "bias_initializer", "zeros"),
                    name,
                    "the units were dead from the start: this bias keeps them off",
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
        found += restraints(history)
        found.append(lower_learning_rate(history, "the units died in training: steps were too large"))
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
