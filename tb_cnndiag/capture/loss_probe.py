"""Calls a loss of the user at a few made points, to learn what it needs; nothing else notices.

The loss is called eagerly, between training steps, on small constant tensors. Everything that its code can reach, and
all random states, are put back; where that is not certain, it is not called.
"""

from __future__ import annotations

import contextlib
import copy
import math
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras.src.losses.losses import LossFunctionWrapper  # compile wraps functions in it

from tb_cnndiag.capture.backends import backend, to_host
from tb_cnndiag.capture.code_state import RefusedError, compiled_from, put_back
from tb_cnndiag.capture.random_states import unchanged_random_states
from tb_cnndiag.numerics.loss_facts import SAMPLES, loss_facts
from tb_cnndiag.payloads import FloatArray, LayerInfo, LossFacts, Targets

clock = time.perf_counter
# Most seconds that all calls of a loss may take; most numbers of a batch; stands in for an axis of unknown length.
SECONDS, NUMBERS, UNKNOWN_LENGTH = 2.0, 1 << 22, 16


class LossProbe:
    """What is known of the loss of a model: each loss is called once for each shape of outputs and targets."""

    def __init__(self) -> None:
        self._known: tuple[Any, tuple[Any, ...], LossFacts] | None = None

    def facts(self, model: Any, table: tuple[LayerInfo, ...], targets: Targets | None) -> LossFacts | None:
        """What the numbers of its loss show; None for a loss of Keras, several losses, or before targets are known."""
        try:
            loss = own_loss(model)
            shape = output_shape(model, table)
        except Exception:  # of any class of the user
            return None
        if loss is None or shape is None or targets is None:
            return None
        key = (shape, targets.shape)
        if self._known is None or self._known[0] is not loss or self._known[1] != key:
            self._known = loss, key, probed(loss, shape, targets.shape)
        return self._known[2]


def own_loss(model: Any) -> Any:
    """The only loss of a model if Keras does not define it; None otherwise."""
    loss = only(getattr(model, "loss", None))
    return None if loss is None or isinstance(loss, str | list | tuple | Mapping) or of_keras(loss) else loss


def own_losses(model: Any) -> list[Any]:
    """All losses of a model that Keras does not define."""
    losses = keras.tree.flatten(getattr(model, "loss", None))
    return [loss for loss in losses if loss is not None and not isinstance(loss, str) and not of_keras(loss)]


@contextlib.contextmanager
def undisturbed(losses: Sequence[Any]) -> Iterator[None]:
    """Restore everything that these losses can reach, and all random states.

    Raises:
        RefusedError: On entry, if one of them must not be called.
    """
    with contextlib.ExitStack() as stack:
        for loss in losses:
            stack.enter_context(put_back(loss))
        if losses:
            stack.enter_context(unchanged_random_states())
        yield


def only(loss: Any) -> Any:
    """The loss, or the only one of a list or dictionary."""
    while isinstance(loss, list | tuple | Mapping) and len(loss) == 1:
        loss = next(iter(loss.values() if isinstance(loss, Mapping) else loss))
    return loss


def of_keras(loss: Any) -> bool:
    """Whether it is a function or an object that Keras defines."""
    function = getattr(loss, "fn", None) if isinstance(loss, keras.losses.Loss) else loss
    owners = (type(loss) if isinstance(loss, keras.losses.Loss) else None, function)
    return all(owner is None or str(getattr(owner, "__module__", "")).split(".")[0] == "keras" for owner in owners)


def output_shape(model: Any, table: tuple[LayerInfo, ...]) -> tuple[int, ...] | None:
    """Shape of one sample's output; None with several outputs, or if it is not known."""
    declared = getattr(model, "outputs", None)
    if declared:
        outputs = [tuple(each.shape)[1:] for each in keras.tree.flatten(declared)]
    else:
        outputs = [row.output_shape for row in table if row.output and row.output_shape]
    if len(outputs) != 1:
        return None
    return tuple(int(length or UNKNOWN_LENGTH) for length in outputs[0])


def probed(loss: Any, shape: tuple[int, ...], target_shape: tuple[int, ...]) -> LossFacts:
    """The facts of a loss that Keras does not define."""
    largest = max(math.prod(shape), shape[-1] * SAMPLES if shape else 1)
    if 16 * largest > NUMBERS:
        return LossFacts("the output is too large to try it")
    try:
        with undisturbed([loss]), _quiet():
            return loss_facts(_Called(_copied(loss)), shape, _at(shape, target_shape))
    except RefusedError as error:
        return LossFacts(str(error))
    except Exception as error:  # the user's code may raise anything
        return LossFacts(f"it raises {type(error).__name__}")


def _at(shape: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of targets, with the lengths that stand in for unknown ones."""
    return tuple(shape[i] if i < len(shape) - 1 else length for i, length in enumerate(target))


def _copied(loss: Any) -> Any:
    """A deep copy of an object; a function as compile wraps it."""
    if not isinstance(loss, keras.losses.Loss):
        return LossFunctionWrapper(compiled_from(loss) or loss, name="loss")
    new = object.__new__(type(loss))  # copy.deepcopy would have Keras save it, which needs a registered class
    try:
        vars(new).update(copy.deepcopy(vars(loss)))
    except Exception:
        raise RefusedError("it cannot be copied") from None
    return new


class _Called:
    """A loss as a function of arrays. An error of the first call is raised; later ones are NaN."""

    def __init__(self, loss: Any) -> None:
        self._loss, self._calls, self._began = backend().in_one_piece(loss), 0, clock()

    def __call__(self, targets: FloatArray, outputs: FloatArray) -> float:
        if clock() - self._began > SECONDS:
            raise RefusedError("it takes too long")
        self._calls += 1
        tensors = (keras.ops.convert_to_tensor(array) for array in (targets, outputs))
        try:
            return float(np.mean(np.asarray(to_host(self._loss(*tensors)), np.float64)))
        except Exception:
            if self._calls == 1:
                raise
            return math.nan


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Warnings about the made points are not shown."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
