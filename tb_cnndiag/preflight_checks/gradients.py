"""Gradients of layers and losses that are not of Keras, against finite differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tb_cnndiag.capture.backends import backend, to_host
from tb_cnndiag.capture.layers import walk
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.preflight_checks.base import Check, Result, Subject, finding
from tb_cnndiag.preflight_checks.copies import NoCopyError
from tb_cnndiag.preflight_checks.trial import SMALL_BATCH, trial_of
from tb_cnndiag.wording import percent

# Random directions, and the steps along each, relative to the weights. Differences of both steps must agree to within
# AGREEMENT, or the loss has a kink there, and says nothing.
DIRECTIONS, FAR, NEAR, AGREEMENT = 5, 1e-2, 5e-3, 0.05
# Relative difference above which a gradient is wrong, and the number of directions that must say so.
WRONG, ENOUGH = 0.1, 2


class Differentiates(Check):
    """Whether custom layers and losses have the gradient of what they compute."""

    name = "gradients of layers and losses of your own"
    fault = "wrong_gradient"

    def run(self, subject: Subject) -> Result:
        """Compare derivatives of the loss along random directions of the weights with finite differences."""
        own = {path: layer for path, layer in walk(subject.model) if not _of_keras(type(layer).__module__)}
        loss = getattr(subject.model, "loss", None)
        own_loss = callable(loss) and not _of_keras(getattr(loss, "__module__", "") or type(loss).__module__)
        if not own and not own_loss:
            return Result.skipped("all layers and the loss are of Keras")
        try:
            trial = trial_of(subject)
        except NoCopyError as error:
            return Result.skipped(str(error))
        trial.model.set_weights(trial.trained or trial.weights)
        x, y = subject.part(subject.chosen(SMALL_BATCH))
        layers = dict(walk(trial.model))
        places = {path: list(layers[path].trainable_variables) for path in own if path in layers}
        if own_loss or not all(places.values()):
            everything = ", ".join(path for path, variables in places.items() if not variables)
            places = {path: variables for path, variables in places.items() if variables}
            places[everything or "the loss"] = list(trial.model.trainable_variables)
        for path, variables in places.items():
            difference = _difference(trial.model, x, y, variables)
            if difference is not None and difference > WRONG:
                return Result.of([_found(path, path in own, difference)])
        return Result.passed()


def _found(path: str, is_layer: bool, error: float) -> Finding:
    message = (
        f"The gradient of {path} differs by {percent(error)} from finite differences of the loss. Where another "
        "gradient is meant, as that of a straight-through estimator, this is no fault."
    )
    adjustment = Adjustment(
        path if is_layer else None, "gradient", "of its own", "that of its output", "steps follow the slope of the loss"
    )
    evidence = {"error": Evidence(error, WRONG, "share")}
    return finding(
        "wrong_gradient", message, "warning", layer=path if is_layer else None, evidence=evidence,
        adjustments=[adjustment],
    )  # fmt: skip


def _difference(model: Any, x: Any, y: Any, variables: Sequence[Any]) -> float | None:
    """Median relative difference along directions that say something; None if too few do."""

    def loss() -> Any:
        return model.compute_loss(x=x, y=y, y_pred=model(x, training=False), training=False)

    start = [to_host(variable) for variable in variables]

    def moved(directions: Sequence[Any], step: float) -> float:
        for variable, value, direction in zip(variables, start, directions, strict=True):
            variable.assign(value + step * direction)
        return float(to_host(loss()))

    value, found = backend().gradients(loss, variables)
    gradients = [np.asarray(gradient, np.float64) for gradient in found]
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(DIRECTIONS):
        directions = [
            (np.sqrt(np.mean(each**2)) or FAR) * rng.standard_normal(each.shape).astype(each.dtype) for each in start
        ]
        far, near = ((moved(directions, h) - moved(directions, -h)) / (2 * h) for h in (FAR, NEAR))
        expected = float(sum(np.sum(g * d) for g, d in zip(gradients, directions, strict=True)))
        scale = max(abs(near), abs(expected))
        if not math.isfinite(scale) or scale < 1e-4 * max(abs(value), 1e-9):
            continue  # lost in rounding
        if abs(far - near) <= AGREEMENT * scale:
            errors.append(abs(near - expected) / scale)
    for variable, each in zip(variables, start, strict=True):
        variable.assign(each)
    return float(np.median(errors)) if len(errors) >= ENOUGH else None


def _of_keras(module: str) -> bool:
    return module.partition(".")[0] in ("keras", "keras_hub")


CHECKS: tuple[Check, ...] = (Differentiates(),)
