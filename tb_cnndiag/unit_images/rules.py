"""Other calculations in place of a model's own, as long as a pass is traced: backward rules, raw scores, additions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from tb_cnndiag.capture.layers import activation_name, is_activation, walk

Call = Callable[..., Any]
# Activations whose derivative a backward rule replaces.
_RELUS = frozenset({"relu", "relu6"})
# Activations of an output behind which scores of classes compete or saturate.
_SQUASHED = frozenset({"softmax", "sigmoid", "log_softmax", "log_sigmoid"})


def deconvnet(call: Call) -> Call:
    """The rectifier ``call`` with the backward pass of a deconvnet: the signal itself is rectified.

    Zeiler & Fergus 2014; the derivative of max-pooling follows their switches already.
    """
    return _with_gradient(call, lambda _x, signal: keras.ops.relu(signal))


def redirected(call: Call) -> Call:
    """The rectifier ``call`` that passes a signal for a larger value back where its derivative is 0, as in lucid."""
    return _with_gradient(
        call, lambda x, signal: keras.ops.where(keras.ops.logical_or(x > 0, signal > 0), signal, signal * 0)
    )


def _with_gradient(call: Call, rule: Callable[[Any, Any], Any]) -> Call:
    def changed(x: Any, *_arguments: Any, **_options: Any) -> Any:
        @keras.ops.custom_gradient  # type: ignore[untyped-decorator]
        def rectified(x: Any) -> Any:
            def gradient(*arguments: Any, upstream: Any = None) -> Any:
                if upstream is None:
                    (upstream,) = arguments
                return rule(x, upstream)

            return call(x), gradient

        return rectified(x)

    return changed


@contextmanager
def rectifiers(model: Any, rule: Callable[[Call], Call]) -> Iterator[None]:
    """Change every rectifier that is a layer, an operation or the activation of a layer of ``model``."""
    with _changed((each, rule) for each in operations(model) if activation_name(each) in _RELUS):
        yield


@contextmanager
def raw_scores(outputs: Iterable[Any]) -> Iterator[None]:
    """Leave out softmax and sigmoid at these layers, so that each class has a score of its own."""
    squashed = [each for each in outputs if activation_name(each) in _SQUASHED]
    with _changed((each, lambda _call: lambda x, *_a, **_k: x) for each in squashed):
        yield


@contextmanager
def added(layer: Any, value: Any) -> Iterator[None]:
    """Add a tensor to the output of a layer or operation."""

    def adding(call: Call) -> Call:
        def changed(*arguments: Any, **options: Any) -> Any:
            output = call(*arguments, **options)
            return output + keras.ops.cast(value, output.dtype)  # half precision, too

        return changed

    with _changed([(layer, adding)], whole=True):
        yield


def operations(model: Any) -> list[Any]:
    """The layers below a model, and the operations of Functional models that are no layers."""
    layers = [layer for _, layer in walk(model)]
    found = {id(each): each for each in layers}
    for container in (model, *layers):
        found |= {id(each): each for each in getattr(container, "operations", None) or ()}
    return list(found.values())


@contextmanager
def _changed(changes: Iterable[tuple[Any, Callable[[Call], Call]]], *, whole: bool = False) -> Iterator[None]:
    """Replace the activation of layers that have one, and ``call`` of other operations; or, if ``whole``, ``call``.

    ``call`` is replaced by a class of the same name, because recording a pass replaces the attribute of the instance.
    """
    undo: list[Callable[[], None]] = []
    try:
        for operation, change in changes:
            if not whole and "activation" in operation.__dict__ and operation.activation is not None:
                kept = operation.__dict__["activation"]
                undo.append(lambda o=operation, a=kept: o.__dict__.update(activation=a))  # type: ignore[misc]
                operation.__dict__["activation"] = _named(change(kept), kept)
            elif whole or is_activation(operation):
                kind = type(operation)
                undo.append(lambda o=operation, k=kind: setattr(o, "__class__", k))  # type: ignore[misc]
                changed = change(operation.call)
                operation.__class__ = type(kind.__name__, (kind,), {"call": _method(changed)})
        yield
    finally:
        for each in reversed(undo):
            each()


def _method(call: Call) -> Call:
    def method(_self: Any, *arguments: Any, **options: Any) -> Any:
        return call(*arguments, **options)

    return method


def _named(call: Call, like: Any) -> Call:
    """What an activation is called is how its kind is found."""
    call.__name__ = getattr(like, "__name__", type(like).__name__)
    return call
