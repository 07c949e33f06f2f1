"""The inputs that a model declares, and samples in their form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras

from tb_cnndiag.capture.probe_samples import Samples


class InspectionError(ValueError):
    """The model cannot be inspected; the message says why and what to do."""


def declared_inputs(model: Any) -> list[Any]:
    """The inputs that a model declares; empty if it declares none."""
    try:
        return list(model.inputs or ())
    except Exception:  # a subclassed model may have no inputs, or raise an error
        return []


def fitted_samples(model: Any, samples: Samples) -> Samples:
    """Samples in the dtypes and shapes that a model declares.

    Raises:
        InspectionError: If they do not fit.
    """
    more = None if samples.more is None else _fitted(model, samples.more)
    return replace(samples, x=_fitted(model, samples.x), more=more)


def _fitted(model: Any, x: Any) -> Any:
    """The probe's inputs in the dtype and shape that the model declares.

    As in ``fit``, a last axis of length 1 may be missing, or be too many.
    """
    expected, arrays = declared_inputs(model), keras.tree.flatten(x)
    if len(expected) != len(arrays):
        return x
    fitted = [_with_rank(array, tuple(tensor.shape)) for tensor, array in zip(expected, arrays, strict=True)]
    for tensor, array in zip(expected, fitted, strict=True):
        shape = tuple(tensor.shape[1:])
        if len(shape) != array.ndim - 1 or any(
            n not in (None, m) for n, m in zip(shape, array.shape[1:], strict=False)
        ):
            raise InspectionError(
                f"The probe's samples have shape {array.shape[1:]}, but the model expects {shape}. Pass the probe in "
                "the same form as the images passed to fit()."
            )
    return keras.tree.pack_sequence_as(
        x, [_cast(array, keras.backend.standardize_dtype(t.dtype)) for t, array in zip(expected, fitted, strict=True)]
    )


def _cast(array: Any, dtype: str) -> Any:
    return array if dtype == "string" else array.astype(dtype)


def _with_rank(array: Any, shape: tuple[int | None, ...]) -> Any:
    if array.ndim == len(shape) - 1 and shape[-1] == 1:
        return array[..., None]
    if array.ndim == len(shape) + 1 and array.shape[-1] == 1:
        return array[..., 0]
    return array
