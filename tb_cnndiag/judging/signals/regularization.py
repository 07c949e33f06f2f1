"""Weight decay, penalties and dropout that are so strong that the network cannot fit the training data."""

from __future__ import annotations

from collections.abc import Iterator

from tb_cnndiag.changes import SetParameter, SetTraining
from tb_cnndiag.finding import Adjustment
from tb_cnndiag.history import History
from tb_cnndiag.judging.signals.configuration import layer_config, learning_rate, optimizer_config, optimizer_name
from tb_cnndiag.judging.signals.loss import prior_loss
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


def weaker_regularization(history: History) -> tuple[Adjustment, ...]:
    """Propose to weaken each strong regularization; empty without one."""
    return (*_decay(history), *_dropout(history), *_penalties(history))


def decay_per_step(history: History) -> float:
    """Share of every weight that decoupled weight decay removes per step; 0 without decay."""
    decay, rate = optimizer_config(history).get("weight_decay"), learning_rate(history)
    return float(decay) * rate if rate and isinstance(decay, int | float) else 0.0


def _decay(history: History) -> Iterator[Adjustment]:
    decay = optimizer_config(history).get("weight_decay")
    limit = SGD_DECAY if optimizer_name(history) == "SGD" else DECAY
    if isinstance(decay, int | float) and decay >= limit:
        reason = "the decay of the weights outweighs the loss"
        yield Adjustment.of(SetTraining("weight_decay", USUAL_DECAY), f"{decay:g}", reason)


def _dropout(history: History) -> Iterator[Adjustment]:
    for layer in history.layers:
        if layer.dropout >= DROPOUT:
            reason = f"only {percent(1 - layer.dropout)} of the output of {layer.path} remains"
            yield Adjustment.of(SetParameter(layer.dropout_at, "rate", USUAL_DROPOUT), f"{layer.dropout:g}", reason)


def regularization_dominates(history: History) -> bool:
    """Whether weight decay, or the penalty on the initial weights, outweighs the loss.

    The learning rate is then not the cause of what weights and loss do.
    """
    prior, rms = prior_loss(history), history.series("weight_health", "rms")
    if decay_per_step(history) >= DOMINANT_DECAY:
        return True
    if prior is None or not len(rms):
        return False
    penalty = sum(
        _penalty(layer, "kernel_regularizer").get("l2", 0.0) * layer.units * layer.fan_in * float(weight) ** 2
        for layer, weight in zip(history.layers, rms.values[0], strict=True)
    )
    return penalty >= prior


def _penalties(history: History) -> Iterator[Adjustment]:
    for layer in history.layers:
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
