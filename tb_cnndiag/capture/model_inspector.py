"""Inspects a model, or several models that are trained together, as one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.kernel_graph import observed_table
from tb_cnndiag.capture.layers import KernelLayer, find_kernel_layers, is_variable, walk
from tb_cnndiag.capture.probe import Observer
from tb_cnndiag.capture.probe_gradients import ProbeGradients
from tb_cnndiag.capture.probe_samples import Samples, class_labels
from tb_cnndiag.capture.run_info import run_info
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import FloatArray, LayerInfo, RunInfo

# If at least this share of a layer's units never fires on the probe, they are observed on more samples.
SUSPECT_SHARE = 0.2


class InspectionError(ValueError):
    """The model cannot be inspected; the message says why and what to do."""


class NotBuiltError(InspectionError):
    """The model has no weights yet: its first batch creates them."""


@dataclass
class _Part:
    prefix: str
    model: Any
    layers: list[KernelLayer]
    observer: Observer | None = None
    gradients: ProbeGradients | None = None
    probe: Samples | None = None


class ModelInspector:
    """The kernel layers of one or several models, and the data that a snapshot takes from them.

    ``parts`` maps names to models. The name of a single model is empty, and the paths of its layers have no prefix.
    """

    def __init__(self, parts: Mapping[str, Any], pattern: str | None = None) -> None:
        """Find the kernel layers.

        Raises:
            InspectionError: If a model is not built, has no layer with a kernel, or no layer path matches ``pattern``.
        """
        self._parts = [_part(name, model) for name, model in parts.items()]
        everything = [layer.path for layer in self.layers]
        if not everything:
            for part in self._parts:
                _require_built(part.model)
            kinds = sorted({type(layer).__name__ for part in self._parts for _, layer in walk(part.model)})
            raise InspectionError(
                f"The model has no layer with a kernel (it has {', '.join(kinds) or 'no layers'}), so there is nothing "
                "to diagnose. Convolutions and Dense layers have kernels."
            )
        if pattern is not None:
            for part in self._parts:
                part.layers = [layer for layer in part.layers if re.search(pattern, layer.path)]
            if not self.layers:
                raise InspectionError(f"No layer matches {pattern!r}. The layers are: {', '.join(everything)}.")

    @property
    def layers(self) -> list[KernelLayer]:
        """All kernel layers."""
        return [layer for part in self._parts for layer in part.layers]

    @property
    def models(self) -> list[Any]:
        """The inspected models."""
        return [part.model for part in self._parts]

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the parts; a single empty name if there is only one model."""
        return tuple(part.prefix.rstrip("/") for part in self._parts)

    def offer_probe(self, probe: Samples) -> None:
        """Use samples collected from training as the probe of each part that has no probe and whose inputs they fit."""
        for part in self._parts:
            if part.probe is None and (len(self._parts) == 1 or _fits(part.model, probe.x)):
                part.probe = _fitted_samples(part.model, probe)

    def set_probe(self, name: str, probe: Samples) -> None:
        """Use these samples as the probe of a part from now on.

        Raises:
            InspectionError: If the part does not exist, or the samples do not fit its inputs.
        """
        part = next((part for part in self._parts if part.prefix.rstrip("/") == name), None)
        if part is None:
            raise InspectionError(f"There is no part {name!r}; the parts are {', '.join(self.part_names)}.")
        part.probe = _fitted_samples(part.model, probe)

    def drop_probes(self) -> None:
        """Inspect only weights from now on."""
        for part in self._parts:
            part.probe = None

    @property
    def probes(self) -> list[Samples]:
        """Probes in use."""
        return [part.probe for part in self._parts if part.probe is not None]

    def table(self) -> tuple[LayerInfo, ...]:
        """The layer table as far as it is known now."""
        rows: list[LayerInfo] = []
        for part in self._parts:
            observer = part.observer
            recording, observed = (observer.recording, observer.observed) if observer else (None, {})
            offset = len(rows)
            rows += [
                replace(row, inputs=tuple(i + offset for i in row.inputs))
                for row in observed_table(part.layers, recording, observed)
            ]
        return tuple(rows)

    def weights(self) -> dict[str, dict[str, FloatArray]]:
        """Path → ``kernel``, and ``bias`` and ``norm_scale`` if they exist."""
        weights: dict[str, dict[str, FloatArray]] = {}
        for part in self._parts:
            for layer in part.layers:
                data = {"kernel": layer.kernel()}
                bias = getattr(layer.layer, "bias", None)
                if is_variable(bias):
                    data["bias"] = _numpy(bias).reshape(-1)
                observation = part.observer.observed.get(layer.path) if part.observer else None
                gamma = getattr(observation.norm_layer, "gamma", None) if observation else None
                if is_variable(gamma):
                    data["norm_scale"] = _numpy(gamma).reshape(-1)
                weights[layer.path] = data
        return weights

    def activations(self, reductions: Sequence[str]) -> dict[str, dict[str, FloatArray]]:
        """Path → reduced activations on the probes, by name; parts without a probe are left out."""
        activations: dict[str, dict[str, FloatArray]] = {}
        for part in self._parts:
            if part.probe is not None:
                if part.observer is None:
                    part.observer = Observer(part.model, part.layers, part.prefix)
                observed = part.observer.observe(part.probe.x, reductions)
                _observe_more(observed, part.observer, part.probe.more)
                labels = class_labels(part.probe.y)
                for data in observed.values():
                    if "output" in data and labels.size:
                        data["labels"] = labels.astype(np.float32)
                activations |= observed
        return activations

    def gradients(self) -> dict[str, dict[str, FloatArray]]:
        """Path → gradients of the loss on the probes, by name; parts without a loss or labeled probe are left out."""
        gradients: dict[str, dict[str, FloatArray]] = {}
        if keras.backend.backend() != "tensorflow":
            return gradients
        for part in self._parts:
            if part.probe is not None:
                if part.gradients is None:
                    part.gradients = ProbeGradients(part.model, part.layers)
                gradients |= part.gradients.measure(part.probe.x, part.probe.y)
        return gradients

    def kernels(self) -> list[Any]:
        """A copy of every current kernel, in the order of ``layers``, as tensors."""
        return [keras.ops.copy(layer.variable.value) for layer in self.layers]

    def info(self, table: tuple[LayerInfo, ...]) -> RunInfo:
        """The part of the run info that the models provide."""
        return run_info({part.prefix: part.model for part in self._parts}, table)


def _observe_more(observed: dict[str, dict[str, FloatArray]], observer: Observer, more: Any) -> None:
    """Add the maxima on more samples to layers where many rectified units did not fire: they may fire only rarely."""
    suspects = [
        path
        for path, data in observed.items()
        if observer.observed[path].activation in RECTIFIED
        and "sample_max" in data
        and np.mean(data["sample_max"].max(axis=0) <= 0) >= SUSPECT_SHARE
    ]
    if not suspects or more is None:
        return
    again = observer.observe(more, ["sample_max"])
    for path in suspects:
        maxima = np.concatenate([observed[path]["sample_max"], again[path]["sample_max"]])
        observed[path] |= {"sample_max": maxima, "samples": np.asarray(len(maxima))}


def _fitted_samples(model: Any, samples: Samples) -> Samples:
    more = None if samples.more is None else _fitted(model, samples.more)
    return replace(samples, x=_fitted(model, samples.x), more=more)


def update_norms(before: Sequence[Any], after: Sequence[Any]) -> FloatArray:
    """‖after − before‖ of each kernel, ``(layers,)``."""
    ops = keras.ops
    norms = [
        ops.norm(ops.reshape(ops.cast(b, "float32") - ops.cast(a, "float32"), (-1,)))
        for a, b in zip(before, after, strict=True)
    ]
    return np.array([float(keras.ops.convert_to_numpy(norm)) for norm in norms])


def _part(name: str, model: Any) -> _Part:
    prefix = f"{name}/" if name else ""
    return _Part(prefix, model, find_kernel_layers(model, prefix))


def parts_of(model: Any) -> dict[str, Any]:
    """The models to inspect: the model itself or, if it has no ``call`` (a GAN), the models among its attributes."""
    if type(model).call is not keras.Model.call:
        return {"": model}
    parts = {name: value for name, value in vars(model).items() if isinstance(value, keras.Model)}
    return parts or {"": model}


def _fits(model: Any, x: Any) -> bool:
    try:
        _fitted(model, x)
    except InspectionError:
        return False
    return len(keras.tree.flatten(x)) == len(getattr(model, "inputs", None) or ())


def _require_built(model: Any) -> None:
    unbuilt = [path for path, layer in walk(model) if not layer.built or _without_weights(layer)]
    if unbuilt or not model.built:
        raise NotBuiltError(
            f"The model {model.name!r} is not built, so its layers have no weights ({', '.join(unbuilt[:5])}). "
            "Give it an Input layer, or call it once on a batch before training."
        )


def _without_weights(layer: Any) -> bool:
    return hasattr(layer, "kernel_initializer") and not layer.weights


def _fitted(model: Any, x: Any) -> Any:
    """The probe's inputs in the dtype and shape that the model declares."""
    try:
        expected = list(model.inputs or ())
    except Exception:  # a subclassed model may have no inputs, or raise an error
        expected = []
    arrays = keras.tree.flatten(x)
    if len(expected) != len(arrays):
        return x
    for tensor, array in zip(expected, arrays, strict=True):
        shape = tuple(tensor.shape[1:])
        if len(shape) != array.ndim - 1 or any(
            n not in (None, m) for n, m in zip(shape, array.shape[1:], strict=False)
        ):
            raise InspectionError(
                f"The probe's samples have shape {array.shape[1:]}, but the model expects {shape}. Pass the probe in "
                "the same form as the images passed to fit()."
            )
    return keras.tree.pack_sequence_as(
        x, [a.astype(keras.backend.standardize_dtype(t.dtype)) for t, a in zip(expected, arrays, strict=True)]
    )


def _numpy(variable: Any) -> FloatArray:
    return np.asarray(keras.ops.convert_to_numpy(variable), np.float32)
