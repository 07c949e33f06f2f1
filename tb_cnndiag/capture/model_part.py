"""One of the models that are trained together: its kernel layers, its probe, and what a snapshot takes from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.capture.certain_facts import certain_facts
from tb_cnndiag.capture.channel_routes import channel_routes
from tb_cnndiag.capture.compiled_passes import CompiledPasses
from tb_cnndiag.capture.kernel_graph import observed_table
from tb_cnndiag.capture.layers import find_kernel_layers, is_variable, walk
from tb_cnndiag.capture.model_inputs import InspectionError, declared_inputs, fitted_samples
from tb_cnndiag.capture.probe import Observer
from tb_cnndiag.capture.probe_gradients import ProbeGradients
from tb_cnndiag.capture.probe_samples import Samples, class_labels
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import FloatArray, LayerInfo

# Arrays of the normalization behind a layer, read from its variables.
NORM_NAMES = {"norm_shift": "beta", "norm_mean": "moving_mean", "norm_variance": "moving_variance"}
# Arrays of what is certain about the units without data.
FACT_NAMES = frozenset({"lowest", "highest", "read", "read_parameters", "called", *NORM_NAMES})
# If at least this share of a layer's units never fires on the probe, they are observed on more samples.
SUSPECT_SHARE = 0.2


def parts_of(model: Any) -> dict[str, Any]:
    """The models to inspect: the model itself or, if it has no ``call`` (a GAN), the layers among its attributes.

    Layers in a list or dictionary are parts, too. A layer that is inside another part is no part of its own.
    """
    if type(model).call is not keras.Model.call:
        return {"": model}
    found: dict[str, Any] = {}
    attributes = vars(model) | vars(model).get("_modules", {})  # torch keeps modules apart from other attributes
    for name, value in attributes.items():
        if not name.startswith("_"):
            found |= {
                part: layer for part, layer in _layers_in(name, value) if find_kernel_layers(layer) or not layer.built
            }
    inside = {id(layer) for part in found.values() for _, layer in walk(part)}
    parts: dict[str, Any] = {}
    for name, layer in found.items():
        if id(layer) not in inside and all(layer is not other for other in parts.values()):
            parts[name] = layer
    return parts or {"": model}


def _layers_in(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, keras.layers.Layer):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _layers_in(f"{name}_{key}", item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _layers_in(f"{name}_{index}", item)


class Part:
    """A model under its name; the paths of its layers begin with the name, unless it is empty.

    Attributes:
        name: Empty for a single model.
        model: The model.
        layers: Its kernel layers.
        probe: Samples whose activations are observed; None: only weights are inspected.
        unprobed: Why there is no probe.
        untraced: Why the pass without data failed; empty if it did not.
    """

    def __init__(self, name: str, model: Any, unprobed: str, passes: CompiledPasses) -> None:
        self.name = name
        self.model = model
        self.layers = find_kernel_layers(model, self.prefix)
        self.probe: Samples | None = None
        self.unprobed = unprobed
        self.untraced = ""
        self._passes = passes
        self._observer: Observer | None = None
        self._gradients: ProbeGradients | None = None
        self._maxima: dict[str, FloatArray] = {}

    @property
    def prefix(self) -> str:
        """What the paths of its layers begin with."""
        return f"{self.name}/" if self.name else ""

    def try_probe(self, samples: Samples, *, alone: bool) -> None:
        """Use these samples as the probe if they fit; ``alone``: there is no other part that they may be meant for."""
        inputs = len(declared_inputs(self.model))
        if not alone and inputs not in (0, len(keras.tree.flatten(samples.x))):
            return
        try:
            self.probe = fitted_samples(self.model, samples)
        except InspectionError as error:
            self.unprobed = str(error)

    def table(self, offset: int) -> list[LayerInfo]:
        """Rows of the layer table as far as they are known now, behind ``offset`` others."""
        observer = self._observer
        recording, observed = (observer.recording, observer.observed) if observer else (None, {})
        rows = observed_table(self.layers, recording, observed, observer.fields if observer else {})
        return [replace(row, inputs=tuple(i + offset for i in row.inputs)) for row in rows]

    def variables(self) -> dict[str, dict[str, Any]]:
        """Path → the variables ``kernel``, and ``bias`` and ``norm_scale`` if they exist."""
        found: dict[str, dict[str, Any]] = {}
        for layer in self.layers:
            known = {"kernel": layer.variable, "bias": getattr(layer.layer, "bias", None)}
            observation = self._observer.observed.get(layer.path) if self._observer else None
            known["norm_scale"] = getattr(observation.norm_layer, "gamma", None) if observation else None
            found[layer.path] = {name: each for name, each in known.items() if is_variable(each)}
        return found

    def trace(self) -> None:
        """Record a pass without data if there is no probe, so that the layer table is complete.

        A part that cannot be called without data is inspected by its weights alone; ``untraced`` says why.
        """
        if self.probe is None and self._observer is None:
            try:
                self._observing.trace()
            except Exception as error:  # a model may need data, or fail
                self.untraced = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"

    def facts(self) -> dict[str, dict[str, FloatArray]]:
        """Path → the arrays of ``FACT_NAMES`` that are known."""
        observer = self._observer
        if observer is None or observer.recording is None:
            return {layer.path: {"called": np.asarray(np.nan)} for layer in self.layers}
        found: dict[str, dict[str, FloatArray]] = {}
        facts = certain_facts(self.layers, observer.recording, observer.observed)
        called = {call.path for call in observer.recording.calls}
        for layer in self.layers:
            data: dict[str, FloatArray] = {"called": np.asarray(float(layer.path in called))}
            known = facts.get(layer.path)
            if known is not None:
                data |= {name: getattr(known, name) for name in ("lowest", "highest", "read", "read_parameters")}
            observation = observer.observed.get(layer.path)
            norm = observation.norm_layer if observation else None
            for name, attribute in NORM_NAMES.items():
                if is_variable(variable := getattr(norm, attribute, None)):
                    data[name] = np.asarray(to_host(variable), np.float32).reshape(-1)
            found[layer.path] = data
        return found

    def routes(self, position: Mapping[str, int]) -> dict[str, FloatArray]:
        """Path → where the input channels come from; ``position`` has the row of each layer in the table."""
        if self._observer is None or self._observer.recording is None:
            return {}
        return {
            path: np.array([[position[source], *units] for source, units in routes], np.float64)
            for path, routes in channel_routes(self._observer.recording, self.layers).items()
            if routes
        }

    def activations(
        self, reductions: Sequence[str], *, costly: bool, batch_size: int
    ) -> dict[str, dict[str, FloatArray]]:
        """Path → reduced activations on the probe, by name; nothing without a probe.

        Args:
            reductions: What is computed of each layer's output.
            costly: Whether costly reductions are made.
            batch_size: Samples in a batch of training; 0 if unknown. Some models take no other batches.
        """
        if self.probe is None:
            return {}
        observed = self._observed(self.probe, reductions, costly=costly, batch_size=batch_size)
        self._observe_more(observed, reductions)
        labels = class_labels(self.probe.y)
        if labels.size:
            for data in observed.values():
                data["labels"] = labels.astype(np.float32)
        return observed

    def _observed(
        self, probe: Samples, reductions: Sequence[str], *, costly: bool, batch_size: int
    ) -> dict[str, dict[str, FloatArray]]:
        observer = self._observing
        try:
            return observer.observe(probe.x, reductions, costly=costly)
        except Exception:
            whole = len(probe) // batch_size * batch_size if batch_size else 0
            if not whole or observer.batch_size == batch_size:
                raise
            observer.batch_size = batch_size
            self.probe = probe.first(whole)
            return observer.observe(self.probe.x, reductions, costly=costly)

    def _observe_more(self, observed: dict[str, dict[str, FloatArray]], reductions: Sequence[str]) -> None:
        """Add the maxima on more samples to layers where many rectified units did not fire: they may fire only rarely.

        These samples are passed through the model only if a unit is silent that has not been silent on them before.
        """
        assert self.probe is not None
        observer, kept, more = self._observing, self._maxima, self.probe.more
        silent = {
            path: data["sample_max"].max(axis=0) <= 0
            for path, data in observed.items()
            if observer.observed[path].activation in RECTIFIED and "sample_max" in data
        }
        suspects = [path for path, units in silent.items() if np.mean(units) >= SUSPECT_SHARE]
        if not suspects or more is None:
            return
        if any(path not in kept or (kept[path].max(axis=0) > 0)[silent[path]].any() for path in suspects):
            again = observer.observe(more, reductions)  # the pass is compiled already, so it is used as it is
            kept |= {path: again[path]["sample_max"] for path in suspects}
        for path in suspects:
            maxima = np.concatenate([observed[path]["sample_max"], kept[path]])
            observed[path] |= {"sample_max": maxima, "samples": np.asarray(len(maxima))}

    def gradients(self) -> dict[str, dict[str, FloatArray]]:
        """Path → gradients of the loss on the probe, by name; nothing without a loss or a labeled probe."""
        if self.probe is None:
            return {}
        if self._gradients is None:
            self._gradients = self._passes.differentiator(self.name, self.model, self.layers)
        return self._gradients.measure(self.probe.x, self.probe.y)

    @property
    def only_batch_size(self) -> int | None:
        """Samples of the only batches that the model takes, as far as a pass has shown it; None: it takes any."""
        return self._observer.batch_size if self._observer is not None else None

    @property
    def without_gradients(self) -> str:
        """Why the loss is not differentiated on the probe; empty if it is, or was not yet."""
        return self._gradients.refused if self._gradients else ""

    @property
    def _observing(self) -> Observer:
        """The observer, made when it is first needed."""
        if self._observer is None:
            self._observer = self._passes.observer(self.name, self.model, self.layers)
        return self._observer
