"""Weight decay, penalties and dropout that are so strong that the network cannot fit the training data."""

from __future__ import annotations

from collections.abc import Iterator

from tb_cnndiag.changes import SetParameter, SetTraining
from tb_cnndiag.finding import Adjustment
from tb_cnndiag.judging.signals.base import Signal, Signals, Track
from tb_cnndiag.judging.signals.configuration import layer_config, learning_rate, optimizer_config, optimizer_name
from tb_cnndiag.judging.signals.prior_loss import prior_loss
from tb_cnndiag.judging.signals.weights import WEIGHT_RMS
from tb_cnndiag.payloads import LayerInfo
from tb_cnndiag.wording import percent

# Weight decay above which it is strong. It bounds weights to about 1 / decay under optimizers that scale each update;
# under plain SGD the bound is lower.
DECAY, SGD_DECAY = 0.5, 0.02
# Penalty factors and dropout rate above which they are strong.
PENALTY = {"l1": 1e-3, "l2": 3e-3}
DROPOUT = 0.6
# Share of the weights removed per step above which decay keeps them near 0.
DOMINANT_DECAY = 0.01
USUAL_DECAY = 1e-4
USUAL_DROPOUT = 0.3


def weaker_regularization(signals: Signals) -> tuple[Adjustment, ...]:
    """Propose to weaken each strong regularization; empty without one."""
    return (*_decay(signals), *_dropout(signals), *_penalties(signals))


def decay_per_step(signals: Signals) -> float:
    """Share of every weight that decoupled weight decay removes per step; 0 without decay."""
    decay, rate = optimizer_config(signals).get("weight_decay"), learning_rate(signals)
    return float(decay) * rate if rate and isinstance(decay, int | float) else 0.0


def _decay(signals: Signals) -> Iterator[Adjustment]:
    decay = optimizer_config(signals).get("weight_decay")
    limit = SGD_DECAY if optimizer_name(signals) == "SGD" else DECAY
    if isinstance(decay, int | float) and decay >= limit:
        reason = "the decay of the weights outweighs the loss"
        yield Adjustment.of(SetTraining("weight_decay", USUAL_DECAY), f"{decay:g}", reason)


def _dropout(signals: Signals) -> Iterator[Adjustment]:
    for layer in signals.layers:
        if layer.dropout >= DROPOUT:
            reason = f"only {percent(1 - layer.dropout)} of the output of {layer.path} remains"
            yield Adjustment.of(SetParameter(layer.dropout_at, "rate", USUAL_DROPOUT), f"{layer.dropout:g}", reason)


def _dominance(signals: Signals) -> Track:
    prior, rms = prior_loss(signals), signals(WEIGHT_RMS)
    decay = decay_per_step(signals) / DOMINANT_DECAY
    if prior is None or not len(rms):
        return Track.constant([decay])
    penalty = sum(
        _penalty(layer, "kernel_regularizer").get("l2", 0.0) * layer.units * layer.fan_in * float(weight) ** 2
        for layer, weight in zip(signals.layers, rms.values[0], strict=True)
    )
    return Track.constant([max(decay, penalty / prior)])


REGULARIZATION = Signal("regularization relative to the loss", "ratio", _dominance)
"""Penalty on the initial weights relative to the prior loss, or weight decay per step relative to 1 % of the weights.

Above 1 it outweighs the loss: the learning rate is then not the cause of what weights and loss do.
"""


def _penalties(signals: Signals) -> Iterator[Adjustment]:
    for layer in signals.layers:
        for parameter in ("kernel_regularizer", "activity_regularizer"):
            factors = _penalty(layer, parameter)
            strong = {name: factors[name] for name, limit in PENALTY.items() if factors.get(name, 0.0) >= limit}
            if strong:
                current = ", ".join(f"{name}={value:g}" for name, value in strong.items())
                change = SetParameter(layer.path, parameter, None)
                yield Adjustment.of(change, current, "the penalty outweighs the loss")


def _penalty(layer: LayerInfo, parameter: str) -> dict[str, float]:
    """Factors of a penalty by name, ``l1`` and ``l2``; empty without a penalty."""
    penalty = layer_config(layer).get(parameter)
    factors = penalty.get("config", {}) if isinstance(penalty, dict) else {}
    return {name: float(factors[name]) for name in PENALTY if isinstance(factors.get(name), int | float)}


def regularization_dominates(signals: Signals) -> bool:
    """Whether regularization outweighs the loss: more than the prior loss, or more than 1 % of the weights per step."""
    return bool(signals(REGULARIZATION).last() >= 1)
