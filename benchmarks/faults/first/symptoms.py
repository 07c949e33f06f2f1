"""Checks of the first round that the other cases have no need of, again without our code."""

from __future__ import annotations

import keras
import numpy as np

from benchmarks.faults import symptoms as shows
from benchmarks.faults.symptoms import Outcome, Symptom


def well(at_least: float) -> Symptom:
    """Healthy: learns, is alive, and does not overfit as :func:`parts` says."""
    return lambda o: shows.learns(at_least)(o) and not parts(o)


def well_falls(to: float) -> Symptom:
    """Healthy, where there is no accuracy: the loss falls to this share of the first epoch's; held-out loss too."""
    return lambda o: o.curves["loss"][-1] <= to * o.curves["loss"][0] and shows.finite(o) and not parts(o)


def parts(o: Outcome) -> bool:
    """Held-out and training curves part: loss 1.3 times its best and 10 points (or half the loss) between them."""
    val = o.curves.get("val_loss")
    if not val or val[-1] < 1.3 * min(val):
        return False
    if "val_accuracy" in o.curves:
        return o.curves["accuracy"][-1] - o.curves["val_accuracy"][-1] >= 0.1
    return o.curves["loss"][-1] < 0.5 * val[-1]


def loses_to(better: float) -> Symptom:
    """Accuracy on training data stays below what is reached without the fault."""
    return lambda o: max(o.curves["accuracy"][-2:]) < better


def starts_badly(o: Outcome) -> bool:
    """Mean loss of the first epoch is five times that of guessing, or not finite."""
    return not o.curves["loss"][0] < 5 * np.log(1 / o.chance)


def not_shares(o: Outcome) -> bool:
    """What the model answers does not sum to 1 over classes in half of the samples."""
    sums = o.model.predict(o.x[:256], verbose=0).sum(axis=-1)
    return bool(np.mean(np.abs(sums - 1) > 0.05) >= 0.5)


def out_of_reach(o: Outcome) -> bool:
    """A third of the targets lie outside what the model answers, by a tenth of their range."""
    told, wanted = o.model.predict(o.x[:256], verbose=0), np.asarray(o.y[:256], float)
    slack = 0.1 * np.ptp(wanted)
    return bool(np.mean((wanted > told.max() + slack) | (wanted < told.min() - slack)) >= 1 / 3)


def constant_answer(output: int = -1) -> Symptom:
    """One output of the model is the same for all samples."""

    def check(o: Outcome) -> bool:
        answers = o.model.predict(keras.tree.map_structure(lambda a: a[:256], o.x), verbose=0)
        answer = answers[output] if isinstance(answers, list) else answers
        return bool(np.ptp(answer, axis=0).max() < 1e-5)

    return check


def linear(first: str, second: str) -> Symptom:
    """From the input of one layer to the output of another all is linear but for an offset: f(a+b) = f(a)+f(b)-f(0)."""

    def check(o: Outcome) -> bool:
        start = o.model.get_layer(first).input
        part = keras.Model(start, o.model.get_layer(second).output)
        rng = np.random.default_rng(0)
        a, b = (rng.normal(size=(8, *start.shape[1:])).astype("float32") for _ in "ab")
        f = [np.asarray(part(v)) for v in (a + b, a, b, 0 * a)]
        return bool(np.allclose(f[0], f[1] + f[2] - f[3], atol=1e-3 * np.abs(f[1]).max() + 1e-6))

    return check


def noisy_statistics(layer: str, batch: int) -> Symptom:
    """Means of batches before a normalisation vary by more than a quarter of the whole deviation."""

    def check(o: Outcome) -> bool:
        part = keras.Model(o.model.inputs, o.model.get_layer(layer).input)
        values = part.predict(o.x[: 64 * batch], verbose=0)
        values = values.reshape(len(values), -1, values.shape[-1])
        means = (
            values[: len(values) // batch * batch].reshape(-1, batch * values.shape[1], values.shape[-1]).mean(axis=1)
        )
        spread = np.median(means.std(axis=0) / np.maximum(values.std(axis=(0, 1)), 1e-12))
        return bool(spread > 0.25)

    return check


def faint_scale(layer: str, share: float = 0.25) -> Symptom:
    """Of so many channels of a normalisation |γ| is below a twentieth of the largest."""

    def check(o: Outcome) -> bool:
        gamma = np.abs(np.asarray(o.model.get_layer(layer).gamma))
        return bool(np.mean(gamma < 0.05 * gamma.max()) >= share)

    return check


def any_dead(*names: str, share: float = 0.4) -> Symptom:
    """One of these layers is dead to this share."""
    return lambda o: any(shows.dead(name, share)(o) for name in names)
