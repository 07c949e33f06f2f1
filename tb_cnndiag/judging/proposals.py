"""Changes that several faults propose, with numbers where the present ones are known."""

from __future__ import annotations

from tb_cnndiag.changes import InsertLayer, SetParameter, SetTraining, Value
from tb_cnndiag.finding import Adjustment
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.configuration import learning_rate, optimizer_config
from tb_cnndiag.numerics.activations import facts_of
from tb_cnndiag.payloads import LayerInfo

# Name of a layer's width, by its role.
WIDTH_PARAMETER = {"conv": "filters", "transposed_conv": "filters", "dense": "units"}
# Steps after which moving averages with Keras' default momentum, 0.99, no longer depend on their initial value
# (0.99^500 < 1 %).
SETTLED = 500
HE = ("he_normal", "he_uniform")


def lower_learning_rate(signals: Signals, reason: str, factor: float = 0.1) -> Adjustment:
    """Propose a lower learning rate, with a number where the present one is known."""
    rate = learning_rate(signals)
    proposed = rounded(rate * factor) if rate else f"{factor:g} × the present one"
    return changed_learning_rate(rate, proposed, reason)


def changed_learning_rate(rate: float | None, proposed: float | str, reason: str) -> Adjustment:
    """Propose a learning rate instead of the present one; as text, advice, where the present one is unknown."""
    current = f"{rate:g}" if rate else "unknown"
    if isinstance(proposed, str):
        return Adjustment(None, "learning_rate", current, proposed, reason)
    return Adjustment.of(SetTraining("learning_rate", proposed), current, reason)


def rounded(value: float) -> float:
    """The value with two significant digits."""
    return float(f"{value:.2g}")


def clip(signals: Signals, reason: str) -> tuple[Adjustment, ...]:
    """Propose a clipped gradient; nothing where it is clipped already."""
    if any(optimizer_config(signals).get(name) for name in ("clipnorm", "clipvalue", "global_clipnorm")):
        return ()
    return (Adjustment.of(SetTraining("clipnorm", 1.0), "none", reason, proposed="1.0"),)


def normalized(signals: Signals, layer: LayerInfo, reason: str) -> Adjustment:
    """Propose a batch normalization behind a layer, whose averages settle within the steps that a run like this has."""
    config: dict[str, Value] = {"momentum": 0.9} if signals.history.last_step < SETTLED else {}
    return Adjustment.of(InsertLayer(layer.path, "normalization", "BatchNormalization", config), "none", reason)


def fitting_initializer(layer: LayerInfo, reason: str, *, activation: str = "") -> Adjustment | None:
    """Propose the initializer that fits the layer's activation, or another one; None where it is used already."""
    proposed = facts_of(activation or layer.activation).initializer
    family = proposed.partition("_")[0]
    if layer.initializer.partition("_")[0] == family:
        return None
    return Adjustment.of(
        SetParameter(layer.path, "kernel_initializer", proposed), layer.initializer or "unknown", reason
    )


def initializer(layer: LayerInfo, reason: str) -> Adjustment:
    """Propose the initializer that fits the layer's activation, even where it is used already, with another scale."""
    return Adjustment.of(
        SetParameter(layer.path, "kernel_initializer", facts_of(layer.activation).initializer),
        layer.initializer or "unknown",
        reason,
    )
