"""Checks of the second round that the other rounds have no need of, by plain Keras and NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from benchmarks.faults import symptoms as shows
from benchmarks.faults.first.symptoms import parts
from benchmarks.faults.symptoms import Outcome, Symptom


def first(value: Any, samples: int = 256) -> Any:
    """The first samples of arrays of any structure."""
    return keras.tree.map_structure(lambda a: a[:samples], value)


def good(loss_share: float | None = None, loss_at_most: float | None = None, **levels: float) -> Symptom:
    """Healthy: these curves end at or above their levels, weights are finite, units alive, held-out data told as well.

    ``loss_share`` is the share of the first epoch's loss to which the loss must fall, ``loss_at_most`` what it must
    come to where it may be negative.
    """

    def check(o: Outcome) -> bool:
        loss = o.curves["loss"]
        fallen = loss_share is None or loss[-1] <= loss_share * loss[0]
        low = loss_at_most is None or loss[-1] <= loss_at_most
        reached = all(max(o.curves[curve][-2:]) >= level for curve, level in levels.items())
        return fallen and low and reached and shows.finite(o) and alive(o) and not (drifts if low_loss(o) else parts)(o)

    return check


def low_loss(o: Outcome) -> bool:
    """The loss may be negative."""
    return min(o.curves["loss"]) < 0


def drifts(o: Outcome) -> bool:
    """As ``parts``, of a loss that may be negative: held-out loss has lost a third of what it had won at its best."""
    val = o.curves.get("val_loss", [0.0])
    return val[-1] > min(val) + max(0.1, (max(val) - min(val)) / 3)


def alive(o: Outcome) -> bool:
    """Of no layer of rectified maps are 40 % of the units silent on 256 samples, and of no vector 90 %."""
    for layer, values in outputs(o.model, first(o.x)):
        name = getattr(getattr(layer, "activation", None), "__name__", "")
        if name in ("relu", "relu6") or type(layer).__name__ == "ReLU":
            silent = np.mean(values.reshape(-1, values.shape[-1]).max(axis=0) <= 0)
            if silent >= (0.4 if values.ndim > 2 else 0.9):
                return False
    return True


def outputs(model: Any, x: Any) -> Iterator[tuple[Any, Any]]:
    """Each layer with its output for ``x``; none of a model that is a class of its own, nor of layers called twice."""
    if isinstance(model, keras.Sequential):
        for layer in model.layers:
            yield from outputs(layer, x) if isinstance(layer, keras.Sequential) else ()
            x = layer(x)
            yield layer, np.asarray(x, "float32")
    elif hasattr(model, "operations"):
        for layer in model.layers:
            if isinstance(getattr(layer, "output", None), keras.KerasTensor):
                yield layer, np.asarray(keras.Model(model.inputs, layer.output)(x, training=False), "float32")


def wide(name: str) -> Symptom:
    """Mean or deviation of one input by its name is above 10."""
    return lambda o: max(abs(float(np.mean(o.x[name]))), float(np.std(o.x[name]))) > 10


def narrow(o: Outcome) -> bool:
    """What is fed in does not vary by a hundredth."""
    return float(np.std(o.x)) < 0.01


def diverges(o: Outcome) -> bool:
    """The loss ends above where it began, far above what the mean of the targets would cost, or not finite."""
    loss, y = o.curves["loss"], np.asarray(o.y, float)
    return not (loss[-1] < 0.9 * loss[0] and loss[-1] < 3 * float(np.var(y)))


def no_better_than_mean(share: float = 0.7) -> Symptom:
    """Squares of what is left are more than this share of the targets' variance."""

    def check(o: Outcome) -> bool:
        told = o.model.predict(first(o.x), verbose=0)
        wanted = np.asarray(first(o.y), float).reshape(told.shape)
        return not np.mean((told - wanted) ** 2) < share * np.mean((wanted - wanted.mean(axis=0)) ** 2)

    return check


def always_one(o: Outcome) -> bool:
    """Each answer sums to 1 over the outputs, while the targets' rows do not."""
    told, wanted = o.model.predict(o.x[:256], verbose=0), np.asarray(o.y[:256])
    return bool(np.abs(told.sum(axis=1) - 1).max() < 1e-3 and np.mean(np.abs(wanted.sum(axis=1) - 1) > 0.05) > 0.5)


def shares_as_logits(o: Outcome) -> bool:
    """The answers are shares, and the loss takes them for logits: it stays near the least it can then be."""
    told = o.model.predict(o.x[:256], verbose=0)
    least = np.log(np.e + told.shape[1] - 1) - 1
    return bool(np.abs(told.sum(axis=1) - 1).max() < 1e-3 and o.curves["loss"][-1] > 0.98 * least)


def rectified_away(layer: str, share: float = 0.05) -> Symptom:
    """Before the softmax, the right class's logit is cut to 0 in this share of the samples."""

    def check(o: Outcome) -> bool:
        values = shows.activation(o, layer)
        return bool(values.min() >= 0 and np.mean(values[np.arange(len(values)), o.y[:256]] <= 0) >= share)

    return check


def same_vector(layer: str) -> Symptom:
    """All samples are told the same vector by a layer of an inner model, but for a thousandth of one."""

    def check(o: Outcome) -> bool:
        inner = next(sub for sub in o.model.layers if sub.name == layer)
        told = inner.predict(keras.tree.flatten(first(o.x))[0], verbose=0)
        return bool(told.std(axis=0).max() < 0.02)

    return check


def one_answer_balanced(o: Outcome) -> bool:
    """Of as many samples of each class, 95 % are given one."""
    answers = o.model.predict(o.x, verbose=0).argmax(axis=1)
    by_class = [np.bincount(answers[o.y == k], minlength=10) / np.sum(o.y == k) for k in np.unique(o.y)]
    return bool(np.mean(by_class, axis=0).max() >= 0.95)


def below(level: float, curve: str = "accuracy") -> Symptom:
    """A curve of the training ends below this."""
    return lambda o: not max(o.curves[curve][-2:]) >= level


def rate_below(limit: float) -> Symptom:
    """The learning rate has come below this."""
    return lambda o: float(np.asarray(o.model.optimizer.learning_rate)) < limit


def sign_only(layer: str) -> Symptom:
    """A layer's kernel has no gradient at all."""

    def check(o: Outcome) -> bool:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = o.model.compute_loss(o.x[:64], o.y[:64], o.model(o.x[:64], training=False))
        return tape.gradient(loss, o.model.get_layer(layer).kernel.value) is None

    return check


def stays(*names: str) -> Symptom:
    """As ``unmoved``, of layers of inner models too."""

    def check(o: Outcome) -> bool:
        now = {layer.name: layer for layer in o.model._flatten_layers()}
        rows = {name: np.asarray(now[name].kernel) for name in names}
        return all(np.array_equal(k.reshape(-1, k.shape[-1]).T, o.before[name]) for name, k in rows.items())

    return check


def told_apart(o: Outcome) -> bool:
    """The trained samples cost a quarter more, or less, in inference than they did in training."""
    cost = o.model.evaluate(o.x, o.y, verbose=0, return_dict=True)["loss"]
    return not abs(cost - o.curves["loss"][-1]) < max(0.1, 0.25 * o.curves["loss"][-1])
