"""Checks of a finished training by plain Keras and NumPy: does a case show what it claims? None of our code is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np


@dataclass(frozen=True)
class Outcome:
    """A finished training: the model, what it was trained on, Keras' history, and its weights before."""

    model: Any
    x: Any
    y: Any
    curves: Mapping[str, list[float]]
    before: Mapping[str, Any]
    chance: float


Symptom = Callable[[Outcome], bool]


def kernel(outcome: Outcome, layer: str) -> Any:
    """Kernel of a layer as ``(units, fan_in)``."""
    value = np.asarray(outcome.model.get_layer(layer).kernel)
    return value.reshape(-1, value.shape[-1]).T


def activation(outcome: Outcome, layer: str) -> Any:
    """Outputs of a layer on 256 training samples."""
    part = keras.Model(outcome.model.inputs, outcome.model.get_layer(layer).output)
    return part.predict(outcome.x[:256], verbose=0)


def accuracy(outcome: Outcome) -> float:
    """Of validation where there is one, else of training; the best of the last two epochs."""
    curve = outcome.curves.get("val_accuracy") or outcome.curves.get("accuracy") or [float("nan")]
    return max(curve[-2:])


def learns(at_least: float) -> Symptom:
    """Healthy: it reaches this accuracy, its weights are finite, and no convolution is half dead."""
    return lambda o: accuracy(o) >= at_least and finite(o) and alive(o)


def alive(o: Outcome) -> bool:
    """Of no layer of rectified maps are 40 % of the units silent on 256 samples, and of none at all 90 %."""
    for layer, values in _outputs(o):
        if getattr(getattr(layer, "activation", None), "__name__", "") == "relu" or type(layer).__name__ == "ReLU":
            silent = np.mean(values.reshape(-1, values.shape[-1]).max(axis=0) <= 0)
            if silent >= (0.4 if np.prod(values.shape[1:-1]) > 1 else 0.9):
                return False
    return True


def _outputs(o: Outcome) -> Iterator[tuple[Any, Any]]:
    """Each layer of a Sequential or Functional model with its output on 256 samples."""
    if isinstance(o.model, keras.Sequential):
        value = o.x[:256]
        for layer in o.model.layers:
            value = layer(value)
            yield layer, np.asarray(value)
    elif type(o.model).__name__ == "Functional":
        for layer in o.model.layers:
            yield layer, np.asarray(keras.Model(o.model.inputs, layer.output).predict(o.x[:256], verbose=0))


def falls(to: float) -> Symptom:
    """Healthy: the loss falls to this share of the first epoch's."""
    return lambda o: o.curves["loss"][-1] <= to * o.curves["loss"][0] and finite(o) and alive(o)


def finite(outcome: Outcome) -> bool:
    """All weights are finite."""
    return all(np.isfinite(np.asarray(w)).all() for w in outcome.model.weights)


def broken(outcome: Outcome) -> bool:
    """Weights or loss are not finite."""
    return not finite(outcome) or not np.isfinite(outcome.curves["loss"]).all()


def at_chance(outcome: Outcome) -> bool:
    """Accuracy within 12 points of chance."""
    return accuracy(outcome) < outcome.chance + 0.12


def worse_than(limit: float) -> Symptom:
    """Accuracy stays below this."""
    return lambda o: not accuracy(o) >= limit


def dead(layer: str, share: float = 0.4) -> Symptom:
    """At least this share of a layer's units never fires on 256 samples."""

    def check(o: Outcome) -> bool:
        values = activation(o, layer)
        return bool(np.mean(values.reshape(-1, values.shape[-1]).max(axis=0) <= 0) >= share)

    return check


def alike(layer: str, share: float = 0.3, cosine: float = 0.9) -> Symptom:
    """At least this share of filters has another of this cosine."""

    def check(o: Outcome) -> bool:
        rows = kernel(o, layer)
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30)
        similarity = rows @ rows.T - 2 * np.eye(len(rows))
        return bool(np.mean(similarity.max(axis=1) >= cosine) >= share) or not rows.any()

    return check


def pinned(layer: str, nearness: float = 0.99, bounds: tuple[float, float] = (-1, 1)) -> Symptom:
    """Half of a layer's units are near a bound of its activation on 90 % of their values."""
    low, high = bounds
    slack = (1 - nearness) * (high - low)

    def check(o: Outcome) -> bool:
        values = activation(o, layer)
        values = values.reshape(-1, values.shape[-1])
        stuck = (values <= low + slack) | (values >= high - slack)
        return bool(np.mean(np.mean(stuck, axis=0) >= 0.9) >= 0.5)

    return check


def gradients(o: Outcome) -> list[float]:
    """‖g‖/‖w‖ of each kernel on 256 training samples, first layer first."""
    import tensorflow as tf

    kernels = [layer.kernel for layer in o.model.layers if hasattr(layer, "kernel")]
    with tf.GradientTape() as tape:
        loss = o.model.compute_loss(o.x[:256], o.y[:256], o.model(o.x[:256], training=False))
    found = tape.gradient(loss, [k.value for k in kernels])
    return [
        float(np.linalg.norm(g) / max(np.linalg.norm(k), 1e-30)) if g is not None else 0.0
        for g, k in zip(found, kernels, strict=True)
    ]


def fades(o: Outcome) -> bool:
    """The first kernel's relative gradient is below 1/1000 of the largest."""
    found = gradients(o)
    return found[0] < 1e-3 * max(found)


def unmoved(*names: str) -> Symptom:
    """The kernels of these layers are what they were before training."""
    return lambda o: all(np.array_equal(kernel(o, name), o.before[name]) for name in names)


def hardly_moved(share: float = 0.05) -> Symptom:
    """No kernel has moved by more than this share of its norm."""
    return lambda o: all(
        np.linalg.norm(kernel(o, name) - was) <= share * np.linalg.norm(was) for name, was in o.before.items()
    )


def wide_input(o: Outcome) -> bool:
    """Mean or deviation of what is fed in is above 10."""
    return max(abs(float(np.mean(o.x))), float(np.std(o.x))) > 10


def swings(o: Outcome) -> bool:
    """The training loss ends above 1.3 times its best, or rises in 40 % of the epochs, or does not fall at all."""
    loss = np.asarray(o.curves["loss"])
    rises = float(np.mean(np.diff(loss) > 0))
    return bool(loss[-1] > 1.3 * loss.min() or rises >= 0.4 or loss[-1] > 0.9 * loss[0] or not np.isfinite(loss).all())


def overfits(o: Outcome) -> bool:
    """Training is good, validation loss well above its best and above training."""
    val, loss = o.curves["val_loss"], o.curves["loss"]
    return val[-1] >= 1.1 * min(val) and val[-1] > 1.5 * loss[-1] and loss[-1] < 0.5 * loss[0]


def one_answer(o: Outcome) -> bool:
    """95 % of the samples are given the same class."""
    answers = o.model.predict(o.x[:512], verbose=0).argmax(axis=1)
    return bool(np.bincount(answers).max() >= 0.95 * len(answers))


def always(_: Outcome) -> bool:
    """The fault is in the configuration, which the case itself writes down."""
    return True


def both(first: Symptom, second: Symptom) -> Symptom:
    """Both hold."""
    return lambda o: first(o) and second(o)


def either(first: Symptom, second: Symptom) -> Symptom:
    """One holds."""
    return lambda o: first(o) or second(o)
