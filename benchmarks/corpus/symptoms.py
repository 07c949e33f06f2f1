"""Checks of a finished training by plain Keras and NumPy: does a case show what it claims? None of our code is used."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec

import keras
import numpy as np

from benchmarks.corpus.gradients import loss_gradients

P = ParamSpec("P")


@dataclass(frozen=True)
class Outcome:
    """A finished training: the model, what it was trained on, Keras' history, and its initial kernels by layer.

    ``chance`` is the accuracy of a guess among the classes of ``y``; kernels are ``(units, fan_in)``.
    """

    model: Any
    x: Any
    y: Any
    curves: Mapping[str, list[float]]
    before: Mapping[str, Any]
    chance: float

    def kernel(self, name: str) -> Any:
        """Kernel of a layer, which may be in an inner model, as ``(units, fan_in)``."""
        layer = next(layer for layer in self.model._flatten_layers() if layer.name == name)
        return rows(layer.kernel)

    def output(self, name: str, samples: int = 256) -> Any:
        """Outputs of a layer for the first training samples."""
        part = keras.Model(self.model.inputs, self.model.get_layer(name).output)
        return part.predict(first(self.x, samples), verbose=0)

    def answers(self, samples: int | None = 256) -> Any:
        """Outputs of the model for the first training samples."""
        return self.model.predict(first(self.x, samples), verbose=0)

    def targets(self) -> Any:
        """What the answers to 256 samples should be."""
        return np.asarray(self.y[:256], float)

    @property
    def accuracy(self) -> float:
        """Validation accuracy if there is one, else training accuracy; the better of the last two epochs."""
        curve = self.curves.get("val_accuracy") or self.curves.get("accuracy") or [float("nan")]
        return max(curve[-2:])


@dataclass(frozen=True)
class Symptom:
    """What a finished training shows; ``&`` and ``|`` combine two symptoms."""

    check: Callable[[Outcome], bool]

    def __call__(self, outcome: Outcome) -> bool:
        """Whether the outcome shows it."""
        return bool(self.check(outcome))

    def __and__(self, other: Symptom) -> Symptom:
        return Symptom(lambda o: self(o) and other(o))

    def __or__(self, other: Symptom) -> Symptom:
        return Symptom(lambda o: self(o) or other(o))


def symptom(check: Callable[Concatenate[Outcome, P], bool]) -> Callable[P, Symptom]:
    """Turn a check of an outcome with arguments into a function of these arguments that returns the symptom."""

    @functools.wraps(check)
    def described(*args: P.args, **options: P.kwargs) -> Symptom:
        return Symptom(lambda outcome: check(outcome, *args, **options))

    return described


def first(value: Any, samples: int | None = 256) -> Any:
    """The first samples of arrays of any structure."""
    return keras.tree.map_structure(lambda a: a[:samples], value)


def rows(kernel: Any) -> Any:
    """A kernel as ``(units, fan_in)``."""
    value = np.array(kernel)
    return value.reshape(-1, value.shape[-1]).T


def silent(values: Any) -> Any:
    """Which units are never above zero."""
    return values.reshape(-1, values.shape[-1]).max(axis=0) <= 0


def squared_error(o: Outcome) -> float:
    """Mean squared error over the variance of the targets."""
    wanted = o.targets()
    error = np.mean((o.answers().astype(float).reshape(wanted.shape) - wanted) ** 2)
    return float(error / np.mean((wanted - wanted.mean(axis=0)) ** 2))


# All weights are finite.
finite = Symptom(lambda o: all(np.isfinite(np.asarray(w)).all() for w in o.model.weights))


def most_frequent(o: Outcome) -> float:
    """Share of the most frequent class: the accuracy of the best constant answer."""
    return float(np.bincount(np.asarray(o.y, int).ravel()).max()) / len(o.y)


def keeps(o: Outcome) -> bool:
    """Accuracy on held-out data ends at nine tenths of its best; without one, held-out loss keeps half of its fall."""
    if "val_accuracy" in o.curves:
        return o.accuracy >= 0.9 * max(o.curves["val_accuracy"])
    loss = o.curves.get("val_loss", [0.0])
    return loss[-1] <= min(loss) + max(0.5 * (max(loss) - min(loss)), 0.25 * abs(min(loss)))


@symptom
def learns(
    o: Outcome,
    accuracy: float | None = None,
    /,
    *,
    loss_share: float | None = None,
    loss: float | None = None,
    **levels: float,
) -> bool:
    """Healthy, judged by outcome alone: weights are finite, and the training reaches and keeps what a sound one does.

    It must reach ``accuracy``, held-out if there is held-out data, and each of ``levels`` by the curve of its name;
    its loss must fall to ``loss_share`` of the first epoch's, or to ``loss`` if it may be negative. A case that asks
    for none of these, as after a single epoch, must beat the best constant answer on its training samples. That what
    was learned is kept is the condition of :func:`keeps`. Units, gradients and ratios of losses, by which the rules
    judge, play no part.
    """
    curve = o.curves["loss"]
    reached = [max(o.curves[name][-2:]) >= level for name, level in levels.items()]
    reached += [o.accuracy >= accuracy] if accuracy is not None else []
    reached += [curve[-1] <= loss_share * curve[0]] if loss_share is not None else []
    reached += [curve[-1] <= loss] if loss is not None else []
    return finite(o) and keeps(o) and all(reached or [max(o.curves["accuracy"][-2:]) > most_frequent(o)])


# The fault is in the configuration, which the case itself writes down.
always = Symptom(lambda _: True)


# Accuracy and loss

# Accuracy stays below this.
worse_than = symptom(lambda o, level: not o.accuracy >= level)
# A curve of the training ends below this.
ends_below = symptom(lambda o, level, curve="accuracy": not max(o.curves[curve][-2:]) >= level)
# At no epoch does this curve of the training come up to what is reached without the fault.
never_reaches = symptom(lambda o, level, curve="accuracy": not max(o.curves[curve]) >= level)
# Accuracy within 12 points of a guess among equally frequent classes.
at_chance = Symptom(lambda o: o.accuracy < o.chance + 0.12)
# Accuracy within 6 points of that of the most frequent class.
as_constant = Symptom(lambda o: not o.accuracy >= most_frequent(o) + 0.06)


@Symptom
def swings(o: Outcome) -> bool:
    """The training loss ends above 1.3 times its best, or rises in 40 % of the epochs, or does not fall at all."""
    loss = np.asarray(o.curves["loss"])
    rises = float(np.mean(np.diff(loss) > 0))
    return bool(loss[-1] > 1.3 * loss.min() or rises >= 0.4 or loss[-1] > 0.9 * loss[0] or not np.isfinite(loss).all())


@Symptom
def diverges(o: Outcome) -> bool:
    """The loss ends above where it began, or above three times the variance of the targets, or is not finite."""
    loss = o.curves["loss"]
    return not (loss[-1] < 0.9 * loss[0] and loss[-1] < 3 * float(np.var(np.asarray(o.y, float))))


@Symptom
def overfits(o: Outcome) -> bool:
    """Training is good, validation loss well above its best and above training."""
    val, loss = o.curves["val_loss"], o.curves["loss"]
    return val[-1] >= 1.1 * min(val) and val[-1] > 1.5 * loss[-1] and loss[-1] < 0.5 * loss[0]


# The mean loss of the first epoch is above this, or not finite.
first_loss_above = symptom(lambda o, level: not o.curves["loss"][0] < level)
# The mean loss of the first epoch is five times that of a guess, or not finite.
starts_badly = Symptom(lambda o: not o.curves["loss"][0] < 5 * np.log(1 / o.chance))
# The loss of the last epoch is more than this share of the first one's, or not finite.
loss_stays = symptom(lambda o, share: not o.curves["loss"][-1] <= share * o.curves["loss"][0])
# The loss is as good as 0 although a sixth of the answers are wrong.
loss_without_meaning = Symptom(lambda o: o.curves["loss"][-1] < 1e-3 and max(o.curves["accuracy"][-2:]) < 5 / 6)
# The learning rate has come below this.
rate_below = symptom(lambda o, level: float(np.asarray(o.model.optimizer.learning_rate)) < level)


@Symptom
def differs_in_inference(o: Outcome) -> bool:
    """The loss of the training samples differs by a quarter between inference and training."""
    loss = o.model.evaluate(o.x, o.y, verbose=0, return_dict=True)["loss"]
    return not abs(loss - o.curves["loss"][-1]) < max(0.1, 0.25 * o.curves["loss"][-1])


# Inputs


@symptom
def wide_input(o: Outcome, name: str | None = None) -> bool:
    """Mean or deviation of the input, or of one by its name, is above 10."""
    x = o.x if name is None else o.x[name]
    return max(abs(float(np.mean(x))), float(np.std(x))) > 10


# The deviation of the input is below 0.01.
narrow_input = Symptom(lambda o: float(np.std(o.x)) < 0.01)


@Symptom
def constant_input(o: Outcome) -> bool:
    """All but a thousandth of the input is one number."""
    values, counts = np.unique(o.x, return_counts=True)
    return bool(len(values) > 0 and counts.max() >= 0.999 * np.size(o.x))


# The input has NaN or infinity in it.
input_not_finite = Symptom(lambda o: not np.isfinite(o.x).all())


# Weights and gradients

# Weights or loss are not finite.
broken = Symptom(lambda o: not finite(o) or not np.isfinite(o.curves["loss"]).all())
# The kernels of these layers are what they were before training.
unmoved = symptom(lambda o, *names: all(np.array_equal(o.kernel(name), o.before[name]) for name in names))
# No kernel has moved by more than this share of its norm.
hardly_moved = symptom(
    lambda o, share=0.05: all(
        np.linalg.norm(o.kernel(name) - was) <= share * np.linalg.norm(was) for name, was in o.before.items()
    )
)


@symptom
def alike(o: Outcome, layer: str, share: float = 0.3, cosine: float = 0.9) -> bool:
    """At least this share of filters has another of this cosine."""
    kernel = o.kernel(layer)
    kernel = kernel / np.maximum(np.linalg.norm(kernel, axis=1, keepdims=True), 1e-30)
    similarity = kernel @ kernel.T - 2 * np.eye(len(kernel))
    return bool(np.mean(similarity.max(axis=1) >= cosine) >= share) or not kernel.any()


@symptom
def few_directions(o: Outcome, layer: str, at_most: float, cosine: float = 0.95) -> bool:
    """The filters of a layer have so few directions, as a share of their number."""
    kernel = o.kernel(layer)
    left = list(kernel / np.maximum(np.linalg.norm(kernel, axis=1, keepdims=True), 1e-30))
    groups = 0
    while left:
        left = [row for row in left[1:] if float(row @ left[0]) < cosine]
        groups += 1
    return groups <= at_most * len(kernel)


@Symptom
def fades(o: Outcome) -> bool:
    """The first kernel's ‖g‖/‖w‖ is below 1/1000 of the largest, on 256 training samples."""
    kernels = [layer.kernel for layer in o.model.layers if hasattr(layer, "kernel")]
    found = gradients(o, kernels, 256)
    shares = [
        float(np.linalg.norm(g) / max(np.linalg.norm(k), 1e-30)) if g is not None else 0.0
        for g, k in zip(found, kernels, strict=True)
    ]
    return shares[0] < 1e-3 * max(shares)


# A layer's kernel has no gradient at all.
no_gradient = symptom(lambda o, layer: gradients(o, [o.model.get_layer(layer).kernel], 64)[0] is None)


def gradients(o: Outcome, weights: Any, samples: int) -> Any:
    """Gradients of the loss by these weights on the first training samples."""
    return loss_gradients(o.model, o.x[:samples], o.y[:samples], weights, training=False)[2]


@symptom
def faint_scale(o: Outcome, layer: str, share: float = 0.25) -> bool:
    """This share of a normalization's channels has |γ| below a twentieth of the largest."""
    gamma = np.abs(np.asarray(o.model.get_layer(layer).gamma))
    return bool(np.mean(gamma < 0.05 * gamma.max()) >= share)


@symptom
def zero_scale(o: Outcome, layer: str, share: float) -> bool:
    """In this share of a normalization's channels scale and shift are still 0."""
    norm = o.model.get_layer(layer)
    return bool(np.mean((np.abs(norm.gamma) < 1e-6) & (np.abs(norm.beta) < 1e-6)) >= share)


# Units

# At least this share of the units of one of these layers never fires on 256 samples.
dead = symptom(lambda o, *layers, share=0.4: any(np.mean(silent(o.output(layer))) >= share for layer in layers))


@symptom
def pinned(o: Outcome, layer: str, nearness: float = 0.99, bounds: tuple[float, float] = (-1, 1)) -> bool:
    """Half of a layer's units are near a bound of its activation on 90 % of their values."""
    low, high = bounds
    slack = (1 - nearness) * (high - low)
    values = o.output(layer)
    values = values.reshape(-1, values.shape[-1])
    stuck = (values <= low + slack) | (values >= high - slack)
    return bool(np.mean(np.mean(stuck, axis=0) >= 0.9) >= 0.5)


@symptom
def linear(o: Outcome, start: str, end: str) -> bool:
    """All from the input of one layer to the output of another is affine: f(a+b) = f(a) + f(b) - f(0)."""
    source = o.model.get_layer(start).input
    part = keras.Model(source, o.model.get_layer(end).output)
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(8, *source.shape[1:])).astype("float32") for _ in "ab")
    f = [np.asarray(part(v)) for v in (a + b, a, b, 0 * a)]
    return bool(np.allclose(f[0], f[1] + f[2] - f[3], atol=1e-3 * np.abs(f[1]).max() + 1e-6))


@symptom
def noisy_statistics(o: Outcome, layer: str, batch: int) -> bool:
    """Means of batches before a normalization vary by more than a quarter of the whole deviation."""
    part = keras.Model(o.model.inputs, o.model.get_layer(layer).input)
    values = part.predict(o.x[: 64 * batch], verbose=0)
    values = values.reshape(len(values), -1, values.shape[-1])
    whole = values[: len(values) // batch * batch]
    means = whole.reshape(-1, batch * values.shape[1], values.shape[-1]).mean(axis=1)
    return bool(np.median(means.std(axis=0) / np.maximum(values.std(axis=(0, 1)), 1e-12)) > 0.25)


# Answers


@Symptom
def one_answer(o: Outcome) -> bool:
    """95 % of 512 samples get the same class."""
    answers = o.answers(512).argmax(axis=1)
    return bool(np.bincount(answers).max() >= 0.95 * len(answers))


@Symptom
def one_answer_balanced(o: Outcome) -> bool:
    """With classes weighted as equally frequent, 95 % of the samples get the same class."""
    answers = o.answers(None).argmax(axis=1)
    by_class = [np.bincount(answers[o.y == k], minlength=10) / np.sum(o.y == k) for k in np.unique(o.y)]
    return bool(np.mean(by_class, axis=0).max() >= 0.95)


@symptom
def constant_answer(o: Outcome, output: int = -1) -> bool:
    """One output of the model is the same for all samples."""
    answers = o.answers()
    answer = answers[output] if isinstance(answers, list) else answers
    return bool(np.ptp(answer, axis=0).max() < 1e-5)


@symptom
def same_vector(o: Outcome, layer: str) -> bool:
    """An inner model's output varies by less than 0.02 over the samples."""
    inner = next(sub for sub in o.model.layers if sub.name == layer)
    return bool(inner.predict(keras.tree.flatten(first(o.x))[0], verbose=0).std(axis=0).max() < 0.02)


# The mean squared error is above this share of the targets' variance, or not finite.
explains_less_than = symptom(lambda o, share: not squared_error(o) < share)
# For half of the samples the answers do not sum to 1 over the classes.
not_probabilities = Symptom(lambda o: np.mean(np.abs(o.answers().sum(axis=-1) - 1) > 0.05) >= 0.5)


@Symptom
def sums_to_one(o: Outcome) -> bool:
    """Each answer sums to 1 over the outputs, while the targets' rows do not."""
    excess = np.abs(np.asarray(o.y[:256]).sum(axis=1) - 1)
    return bool(np.abs(o.answers().sum(axis=1) - 1).max() < 1e-3 and np.mean(excess > 0.05) > 0.5)


@Symptom
def probabilities_as_logits(o: Outcome) -> bool:
    """The loss takes probabilities for logits: it stays near the least it can then be."""
    answers = o.answers()
    least = np.log(np.e + answers.shape[1] - 1) - 1
    return bool(np.abs(answers.sum(axis=1) - 1).max() < 1e-3 and o.curves["loss"][-1] > 0.98 * least)


@symptom
def outside_unit_interval(o: Outcome, share: float) -> bool:
    """This share of the answers, which the loss takes for probabilities, lies outside 0 … 1."""
    answers = o.answers(512)
    return bool(np.mean((answers < 0) | (answers > 1)) >= share)


# The labels, which the loss takes for probabilities, are not all in 0 … 1.
improper_labels = Symptom(lambda o: float(np.min(o.y)) < 0 or float(np.max(o.y)) > 1)


@Symptom
def out_of_reach(o: Outcome) -> bool:
    """A third of the targets lie outside the range of the answers, by a tenth of the targets' range."""
    answers, wanted = o.answers(), o.targets()
    slack = 0.1 * np.ptp(wanted)
    return bool(np.mean((wanted > answers.max() + slack) | (wanted < answers.min() - slack)) >= 1 / 3)


@symptom
def rectified_away(o: Outcome, layer: str, share: float) -> bool:
    """Before the softmax, the right class's logit is cut to 0 for this share of the samples."""
    values = o.output(layer)
    return bool(values.min() >= 0 and np.mean(values[np.arange(len(values)), o.y[:256]] <= 0) >= share)
