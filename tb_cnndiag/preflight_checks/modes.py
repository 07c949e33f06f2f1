"""Answers in training mode and in inference mode, after one batch was learned by heart."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.capture.layers import is_variable, walk
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.preflight_checks.base import Check, Result, Subject, finding
from tb_cnndiag.preflight_checks.copies import NoCopyError
from tb_cnndiag.preflight_checks.trial import (
    SMALL_BATCH,
    Trial,
    forget,
    loss_of,
    overfitted,
    rates,
    reset,
    set_rate,
    trial_of,
)
from tb_cnndiag.wording import number

# Steps and seconds on one batch at most, and the loss, relative to the first one, at which they end.
STEPS, PATIENCE, ENOUGH = 100, 10.0, 0.1
# Relative loss below which training mode has learned the batch, and above which inference mode knows nothing of it.
LEARNED, UNKNOWN = 0.3, 0.5


class AnswersAlike(Check):
    """Whether what was learned in training mode is also known in inference mode."""

    name = "answers in training mode and in inference mode"
    fault = "inference_differs"

    def run(self, subject: Subject) -> Result:
        """Learn one batch, let moving averages settle on it, and compare the losses of both modes."""
        if not _differing(subject.model):
            return Result.skipped("no layer with a state, or of your own, works otherwise in inference mode")
        if subject.samples < SMALL_BATCH:
            return Result.skipped("there are too few samples")
        try:
            runs = rates(subject)
        except NoCopyError as error:
            return Result.skipped(str(error))
        if not runs:
            return Result.skipped("a training step fails, or the learning rate cannot be set")
        trial, (x, y) = trial_of(subject), subject.part(subject.chosen(SMALL_BATCH))
        reset(trial)
        first = abs(_still(trial, x, y)) or 1e-9
        best = min(runs.values(), key=lambda run: run.relative)
        overfitted(subject, best.rate, STEPS, ENOUGH, PATIENCE)
        _settle(trial, x, y)
        trained, inference = _still(trial, x, y), loss_of(trial.model.test_on_batch(x, y))
        if not trained <= LEARNED * first:  # or it is not finite
            return Result.skipped("one batch is not learned well enough to compare")
        if inference <= UNKNOWN * first:
            return Result.passed()
        try:
            path = _turning_point(trial.model, x, y, (trained + first) / 2)
        except Exception:  # a loss of the user's own may need more than it is given here: the layer is not known then
            path = None
        return Result.of([_found(path, trained / first, inference / first)])


def _differing(model: Any) -> dict[str, Any]:
    """Layers that work otherwise in inference mode, and not only without noise: path → layer."""
    found = {}
    for path, layer in walk(model):
        if isinstance(layer, keras.Model) or "training" not in inspect.signature(layer.call).parameters:
            continue
        own = type(layer).__module__.partition(".")[0] not in ("keras", "keras_hub")
        if own or any(is_variable(each) and "seed" not in each.path for each in layer.non_trainable_variables):
            found[path] = layer
    return found


def _still(trial: Trial, x: Any, y: Any) -> float:
    """The loss in training mode, by a step that trains nothing."""
    forget(trial)
    set_rate(trial.model, 0.0)
    return loss_of(trial.model.train_on_batch(x, y))


def _settle(trial: Trial, x: Any, y: Any) -> None:
    """Bring moving averages to their limit on this batch, without a change of what is trained.

    A step with a rate of 0 brings an average ``a`` to ``a × momentum + b × (1 − momentum)``, where ``b`` is what the
    batch gives: ``b`` follows from the two, for all layers in one step.
    """
    averages = [
        (variable, float(layer.momentum))
        for layer in _differing(trial.model).values()
        if isinstance(getattr(layer, "momentum", None), float | int) and 0 < layer.momentum < 1
        for variable in layer.non_trainable_variables
        if "seed" not in variable.path and "float" in str(variable.dtype)
    ]
    before = [to_host(variable) for variable, _ in averages]
    _still(trial, x, y)
    for (variable, momentum), old in zip(averages, before, strict=True):
        variable.assign(old + (to_host(variable) - old) / (1 - momentum))


def _turning_point(model: Any, x: Any, y: Any, middle: float) -> str | None:
    """The first layer with which inference mode loses what was learned, found by bisection; None if no one layer is it.

    With the first ``k`` layers in training mode the loss is low; ``k`` is as small as possible.
    """
    layers = _differing(model)
    paths = list(layers)

    def low(k: int) -> bool:
        with _in_training_mode([layers[path] for path in paths[:k]]):
            found = model.compute_loss(x=x, y=y, y_pred=model(x, training=False), training=False)
        return float(to_host(found)) < middle

    if not low(len(paths)):
        return None
    least, most = 0, len(paths)
    while most - least > 1:
        k = (least + most) // 2
        least, most = (least, k) if low(k) else (k, most)
    return paths[most - 1]


@contextmanager
def _in_training_mode(layers: Sequence[Any]) -> Iterator[None]:
    """These layers work as in training, in both modes; their states stay."""
    states = [[(v, to_host(v)) for v in layer.non_trainable_variables] for layer in layers]
    calls: list[Callable[..., Any]] = [layer.call for layer in layers]
    for layer, call in zip(layers, calls, strict=True):
        layer.call = partial(_trained, call)
    try:
        yield
    finally:
        for layer, state in zip(layers, states, strict=True):
            del layer.call
            for variable, value in state:
                variable.assign(value)


def _trained(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return call(*args, **{**kwargs, "training": True})


def _found(path: str | None, trained: float, inference: float) -> Finding:
    shown = f"{number(inference)} of the first one" if np.isfinite(inference) else "not finite"
    where = f" It begins at {path}." if path else ""
    message = (
        f"After one batch was learned by heart, its loss is {number(trained)} of the first one in training mode, but "
        f"{shown} in inference mode, although moving averages had settled.{where}"
    )
    adjustment = Adjustment(path, "inference mode", "another function", "as in training", "answers come from this mode")
    evidence = {"relative_loss": Evidence(inference, UNKNOWN, "ratio")}
    return finding("inference_differs", message, "warning", layer=path, evidence=evidence, adjustments=[adjustment])


CHECKS: tuple[Check, ...] = (AnswersAlike(),)
