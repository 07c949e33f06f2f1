"""Inspects a model, or several models that are trained together, as one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.capture.certain_facts import certain_facts
from tb_cnndiag.capture.channel_routes import channel_routes
from tb_cnndiag.capture.compiled_passes import CompiledPasses
from tb_cnndiag.capture.kernel_graph import observed_table
from tb_cnndiag.capture.layers import KernelLayer, find_kernel_layers, is_variable, walk
from tb_cnndiag.capture.probe import Observer
from tb_cnndiag.capture.probe_gradients import ProbeGradients
from tb_cnndiag.capture.probe_samples import Samples, class_labels
from tb_cnndiag.capture.run_info import run_info
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import FloatArray, LayerInfo, RunInfo

# Arrays that are read from a layer's variables.
WEIGHT_NAMES = frozenset({"kernel", "bias", "norm_scale"})
# Arrays of the normalization behind a layer, read from its variables.
NORM_NAMES = {"norm_shift": "beta", "norm_mean": "moving_mean", "norm_variance": "moving_variance"}
# Arrays of what is certain about the units without data.
FACT_NAMES = frozenset({"lowest", "highest", "read", "read_parameters", "called", *NORM_NAMES})
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
    unprobed: str = ""
    untraced: str = ""
    maxima: dict[str, FloatArray] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Empty for a single model."""
        return self.prefix.rstrip("/")


class ModelInspector:
    """The kernel layers of one or several models, and the data that a snapshot takes from them.

    ``parts`` maps names to models. The name of a single model is empty, and the paths of its layers have no prefix.
    """

    def __init__(
        self,
        parts: Mapping[str, Any],
        pattern: str | None = None,
        *,
        unprobed: str = "",
        incomplete: bool = False,
        passes: CompiledPasses | None = None,
    ) -> None:
        """Find the kernel layers.

        Args:
            parts: The models by name.
            pattern: Regular expression of the layer paths to inspect; None: all.
            unprobed: Why parts have no probe as long as none is set or offered.
            incomplete: Accept layers that have no weights yet and may never get any.
            passes: Passes that an earlier training of the same models has compiled; new ones are added.

        Raises:
            NotBuiltError: If layers have no weights yet, unless ``incomplete``.
            InspectionError: If there is no layer with a kernel, or no layer path matches ``pattern``.
        """
        self._parts = [_part(name, model, unprobed) for name, model in parts.items()]
        self._waiting = unprobed
        self._passes = CompiledPasses() if passes is None else passes
        self.batch_size = 0
        """Samples in a batch of training; 0 if unknown."""
        self.origin = ""
        """How the log is made: see :class:`~tb_cnndiag.payloads.RunInfo`."""
        self.notes: tuple[str, ...] = ()
        """What else the log says of what could not be observed."""
        if not incomplete:
            for part in self._parts:
                _require_weights(part.model)
        everything = [layer.path for layer in self.layers]
        if not everything:
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
        return tuple(part.name for part in self._parts)

    @property
    def unprobed(self) -> dict[str, Any]:
        """The models of the parts that have no probe, by name."""
        return {part.name: part.model for part in self._parts if part.probe is None}

    def no_activations(self, name: str) -> str:
        """Why the activations of a part are not recorded, and what to do."""
        part = next(part for part in self._parts if part.name == name)
        example = f'probe={{"{name}": samples}}' if name else "probe=(x_val[:512], y_val[:512])"
        reason = part.unprobed or "there is no probe"
        return f"Activations of {name or 'the model'} are not recorded: {reason}. Give a probe, as in {example}."

    def offer_probes(self, collected: Mapping[str, Samples]) -> None:
        """Use samples collected from training as the probe of each part that has none.

        A part whose declared inputs the data (source ``""``) fit gets the data, with their labels. Any other part gets
        what it was called with (the source of its name).
        """
        for part in self._parts:
            declared = len(self._parts) == 1 or bool(_declared_inputs(part.model))
            for source in dict.fromkeys(("", part.name) if declared else (part.name,)):
                if part.probe is None and source in collected:
                    self._try_probe(part, collected[source])

    def nothing_collected(self, reason: str) -> None:
        """Collecting has ended: ``reason`` says why parts that were waiting for it have no probe."""
        for part in self._parts:
            if part.probe is None and part.unprobed == self._waiting:
                part.unprobed = reason

    def _try_probe(self, part: _Part, samples: Samples) -> None:
        inputs = len(_declared_inputs(part.model))
        if len(self._parts) > 1 and inputs not in (0, len(keras.tree.flatten(samples.x))):
            return
        try:
            part.probe = _fitted_samples(part.model, samples)
        except InspectionError as error:
            part.unprobed = str(error)

    def set_probe(self, name: str, probe: Samples) -> None:
        """Use these samples as the probe of a part from now on.

        Raises:
            InspectionError: If the part does not exist, or the samples do not fit its inputs.
        """
        part = next((part for part in self._parts if part.name == name), None)
        if part is None:
            raise InspectionError(f"There is no part {name!r}; the parts are {', '.join(self.part_names)}.")
        part.probe = _fitted_samples(part.model, probe)

    def drop_probes(self, reason: str) -> None:
        """Inspect only weights from now on; ``reason`` says why."""
        for part in self._parts:
            part.probe, part.unprobed = None, reason

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
            fields = observer.fields if observer else {}
            offset = len(rows)
            rows += [
                replace(row, inputs=tuple(i + offset for i in row.inputs))
                for row in observed_table(part.layers, recording, observed, fields)
            ]
        return tuple(rows)

    def weights(self) -> dict[str, dict[str, FloatArray]]:
        """Path → ``kernel``, and ``bias`` and ``norm_scale`` if they exist."""
        variables: dict[str, dict[str, Any]] = {}
        for part in self._parts:
            for layer in part.layers:
                found = {"kernel": layer.variable, "bias": getattr(layer.layer, "bias", None)}
                observation = part.observer.observed.get(layer.path) if part.observer else None
                found["norm_scale"] = getattr(observation.norm_layer, "gamma", None) if observation else None
                variables[layer.path] = {name: each for name, each in found.items() if is_variable(each)}
        paths, names = list(variables), [list(found) for found in variables.values()]
        arrays = iter(to_host([each for found in variables.values() for each in found.values()]))  # in one transfer
        weights = {
            path: {
                name: np.asarray(next(arrays), np.float32).reshape(-1) if name != "kernel" else next(arrays)
                for name in known
            }
            for path, known in zip(paths, names, strict=True)
        }
        for layer in self.layers:
            weights[layer.path]["kernel"] = layer.as_rows(weights[layer.path]["kernel"])
        return weights

    def trace(self) -> None:
        """Record a pass without data through each part that has no probe, so that the layer table is complete.

        A part that cannot be called without data is inspected by its weights alone; its reason says so.
        """
        for part in self._parts:
            if part.probe is None and part.observer is None:
                part.observer = self._passes.observer(part.name, part.model, part.layers)
                try:
                    part.observer.trace()
                except Exception as error:  # a model may need data, or fail
                    part.untraced = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"

    @property
    def untraced(self) -> dict[str, str]:
        """Why the pass without data failed, by part."""
        return {part.name: part.untraced for part in self._parts if part.untraced}

    def facts(self) -> dict[str, dict[str, FloatArray]]:
        """Path → the arrays of ``FACT_NAMES`` that are known; layers that no pass was recorded of are left out."""
        found: dict[str, dict[str, FloatArray]] = {}
        for part in self._parts:
            observer = part.observer
            if observer is None or observer.recording is None:
                found |= {layer.path: {"called": np.asarray(np.nan)} for layer in part.layers}
                continue
            facts = certain_facts(part.layers, observer.recording, observer.observed)
            called = {call.path for call in observer.recording.calls}
            for layer in part.layers:
                data: dict[str, FloatArray] = {"called": np.asarray(float(layer.path in called))}
                known = facts.get(layer.path)
                if known is not None:
                    data |= {name: getattr(known, name) for name in ("lowest", "highest", "read", "read_parameters")}
                observation = observer.observed.get(layer.path)
                norm = observation.norm_layer if observation else None
                for name, attribute in NORM_NAMES.items():
                    if is_variable(variable := getattr(norm, attribute, None)):
                        data[name] = _numpy(variable).reshape(-1)
                found[layer.path] = data
        return found

    def routes(self, table: Sequence[LayerInfo]) -> dict[str, FloatArray]:
        """Path → where the input channels come from, ``(sources, 1 + channels)``: row of the source, then units.

        A number below 0 stands for a channel without a single unit there; see :func:`channel_routes`. Layers that no
        pass was recorded of are left out.
        """
        position = {layer.path: row for row, layer in enumerate(table)}
        found: dict[str, FloatArray] = {}
        for part in self._parts:
            if part.observer is None or part.observer.recording is None:
                continue
            for path, routes in channel_routes(part.observer.recording, part.layers).items():
                if routes:
                    found[path] = np.array([[position[source], *units] for source, units in routes], np.float64)
        return found

    def activations(self, reductions: Sequence[str], *, costly: bool = True) -> dict[str, dict[str, FloatArray]]:
        """Path → reduced activations on the probes, by name; parts without a probe are left out.

        Costly reductions are made only if ``costly``.
        """
        activations: dict[str, dict[str, FloatArray]] = {}
        for part in self._parts:
            if part.probe is not None:
                if part.observer is None:
                    part.observer = self._passes.observer(part.name, part.model, part.layers)
                observed = self._observed(part, part.observer, reductions, costly=costly)
                _observe_more(observed, part.observer, part.probe.more, reductions, part.maxima)
                labels = class_labels(part.probe.y)
                for data in observed.values():
                    if labels.size:
                        data["labels"] = labels.astype(np.float32)
                activations |= observed
        return activations

    def _observed(
        self, part: _Part, observer: Observer, reductions: Sequence[str], *, costly: bool
    ) -> dict[str, dict[str, FloatArray]]:
        """Reduced activations of one part; in batches as in training if the model takes no others."""
        assert part.probe is not None
        try:
            return observer.observe(part.probe.x, reductions, costly=costly)
        except Exception:
            whole = len(part.probe) // self.batch_size * self.batch_size if self.batch_size else 0
            if not whole or observer.batch_size == self.batch_size:
                raise
            observer.batch_size = self.batch_size
            part.probe = part.probe.first(whole)
            return observer.observe(part.probe.x, reductions, costly=costly)

    def gradients(self) -> dict[str, dict[str, FloatArray]]:
        """Path → gradients of the loss on the probes, by name; parts without a loss or labeled probe are left out."""
        gradients: dict[str, dict[str, FloatArray]] = {}
        for part in self._parts:
            if part.probe is not None:
                if part.gradients is None:
                    part.gradients = self._passes.differentiator(part.name, part.model, part.layers)
                gradients |= part.gradients.measure(part.probe.x, part.probe.y)
        return gradients

    def kernels(self) -> list[Any]:
        """A copy of every current kernel, in the order of ``layers``, as tensors."""
        return [keras.ops.copy(layer.variable.value) for layer in self.layers]

    def info(self, table: tuple[LayerInfo, ...]) -> RunInfo:
        """The part of the run info that the models provide."""
        unprobed = {name: self.no_activations(name) for name in self.unprobed}
        info = run_info({part.prefix: part.model for part in self._parts}, table, unprobed)
        untraced = [
            f"{part.name or 'The model'} cannot be called without data ({part.untraced}): how its layers are connected "
            "is not known."
            for part in self._parts
            if part.untraced
        ]
        return replace(info, origin=self.origin, notes=(*self.notes, *untraced, *info.notes))


def _observe_more(
    observed: dict[str, dict[str, FloatArray]],
    observer: Observer,
    more: Any,
    reductions: Sequence[str],
    kept: dict[str, FloatArray],
) -> None:
    """Add the maxima on more samples to layers where many rectified units did not fire: they may fire only rarely.

    These samples are passed through the model only if a unit is silent that has not been silent on them before:
    ``kept`` has the maxima of the last such pass by path, ``(samples, units)``.
    """
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
    return np.array(to_host(norms), np.float64)


def _part(name: str, model: Any, unprobed: str) -> _Part:
    prefix = f"{name}/" if name else ""
    return _Part(prefix, model, find_kernel_layers(model, prefix), unprobed=unprobed)


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


def _declared_inputs(model: Any) -> list[Any]:
    try:
        return list(model.inputs or ())
    except Exception:  # a subclassed model may have no inputs, or raise an error
        return []


def _require_weights(model: Any) -> None:
    unbuilt = [path for path, layer in walk(model) if hasattr(layer, "kernel_initializer") and not layer.weights]
    if unbuilt or not (model.built or model.weights):
        named = f" ({', '.join(unbuilt[:5])}{', …' if len(unbuilt) > 5 else ''})" if unbuilt else ""
        raise NotBuiltError(
            f"The model {model.name!r} is not built: its layers have no weights yet{named}. Give it an Input layer, or "
            "call it once on a batch before training."
        )


def _fitted(model: Any, x: Any) -> Any:
    """The probe's inputs in the dtype and shape that the model declares.

    As in ``fit``, a last axis of length 1 may be missing, or be too many.
    """
    expected, arrays = _declared_inputs(model), keras.tree.flatten(x)
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


def _numpy(variable: Any) -> FloatArray:
    return np.asarray(to_host(variable), np.float32)
