"""Inspects a model, or several models that are trained together, as one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import keras
import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.capture.compiled_passes import CompiledPasses
from tb_cnndiag.capture.layers import KernelLayer, walk
from tb_cnndiag.capture.loss_probe import LossProbe
from tb_cnndiag.capture.model_inputs import InspectionError, declared_inputs, fitted_samples
from tb_cnndiag.capture.model_part import Part
from tb_cnndiag.capture.probe_samples import Samples
from tb_cnndiag.capture.run_info import run_info
from tb_cnndiag.payloads import FloatArray, LayerInfo, LossFacts, RunInfo

T = TypeVar("T")
# Arrays that are read from a layer's variables.
WEIGHT_NAMES = frozenset({"kernel", "bias", "norm_scale"})


class NotBuiltError(InspectionError):
    """The model has no weights yet: its first batch creates them."""


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
        passes = CompiledPasses() if passes is None else passes
        self._parts = [Part(name, model, unprobed, passes) for name, model in parts.items()]
        self._waiting = unprobed
        self._loss_probe = LossProbe()
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
    def trained_share(self) -> float:
        """Share of the layers that gradients flow through, 0..1: of each part, those from its first trained one on."""
        trained = [[layer.info().trainable for layer in part.layers] for part in self._parts]
        return sum(len(part) - part.index(True) for part in trained if True in part) / len(self.layers)

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
            declared = len(self._parts) == 1 or bool(declared_inputs(part.model))
            for source in dict.fromkeys(("", part.name) if declared else (part.name,)):
                if part.probe is None and source in collected:
                    part.try_probe(collected[source], alone=len(self._parts) == 1)

    def nothing_collected(self, reason: str) -> None:
        """Collecting has ended: ``reason`` says why parts that were waiting for it have no probe."""
        for part in self._parts:
            if part.probe is None and part.unprobed == self._waiting:
                part.unprobed = reason

    def set_probe(self, name: str, probe: Samples) -> None:
        """Use these samples as the probe of a part from now on.

        Raises:
            InspectionError: If the part does not exist, or the samples do not fit its inputs.
        """
        part = next((part for part in self._parts if part.name == name), None)
        if part is None:
            raise InspectionError(f"There is no part {name!r}; the parts are {', '.join(self.part_names)}.")
        part.probe = fitted_samples(part.model, probe)

    def drop_probes(self, reason: str) -> None:
        """Inspect only weights from now on; ``reason`` says why."""
        for part in self._parts:
            part.probe, part.unprobed = None, reason

    @property
    def probes(self) -> list[Samples]:
        """Probes in use."""
        return [part.probe for part in self._parts if part.probe is not None]

    @property
    def only_batch_size(self) -> int | None:
        """Samples of the only batches that one of the models takes, as far as a pass has shown it; None: any."""
        return next((part.only_batch_size for part in self._parts if part.only_batch_size), None)

    def table(self) -> tuple[LayerInfo, ...]:
        """The layer table as far as it is known now."""
        rows: list[LayerInfo] = []
        for part in self._parts:
            rows += part.table(len(rows))
        return tuple(rows)

    def weights(self) -> dict[str, dict[str, FloatArray]]:
        """Path → ``kernel``, and ``bias`` and ``norm_scale`` if they exist."""
        variables = _joined(part.variables() for part in self._parts)
        arrays = iter(to_host([each for found in variables.values() for each in found.values()]))  # in one transfer
        weights = {
            path: {
                name: np.asarray(next(arrays), np.float32).reshape(-1) if name != "kernel" else next(arrays)
                for name in found
            }
            for path, found in variables.items()
        }
        for layer in self.layers:
            weights[layer.path]["kernel"] = layer.as_rows(weights[layer.path]["kernel"])
        return weights

    def trace(self) -> None:
        """Record a pass without data through each part that has no probe, so that the layer table is complete."""
        for part in self._parts:
            part.trace()

    @property
    def untraced(self) -> dict[str, str]:
        """Why the pass without data failed, by part."""
        return {part.name: part.untraced for part in self._parts if part.untraced}

    def facts(self) -> dict[str, dict[str, FloatArray]]:
        """Path → the arrays of ``FACT_NAMES`` that are known; see :meth:`Part.facts`."""
        return _joined(part.facts() for part in self._parts)

    def routes(self, table: Sequence[LayerInfo]) -> dict[str, FloatArray]:
        """Path → where the input channels come from, ``(sources, 1 + channels)``: row of the source, then units.

        A number below 0 stands for a channel without a single unit there; see :func:`channel_routes`. Layers that no
        pass was recorded of are left out.
        """
        position = {layer.path: row for row, layer in enumerate(table)}
        return _joined(part.routes(position) for part in self._parts)

    def activations(self, reductions: Sequence[str], *, costly: bool = True) -> dict[str, dict[str, FloatArray]]:
        """Path → reduced activations on the probes, by name; parts without a probe are left out.

        Costly reductions are made only if ``costly``.
        """
        return _joined(part.activations(reductions, costly=costly, batch_size=self.batch_size) for part in self._parts)

    def gradients(self) -> dict[str, dict[str, FloatArray]]:
        """Path → gradients of the loss on the probes, by name; parts without a loss or labeled probe are left out."""
        return _joined(part.gradients() for part in self._parts)

    def kernels(self) -> list[Any]:
        """A copy of every current kernel, in the order of ``layers``, as tensors."""
        return [keras.ops.copy(layer.variable.value) for layer in self.layers]

    def kernel_sums(self) -> FloatArray:
        """The sum of each kernel, ``(layers,)``: after a training that goes on, it is another one."""
        sums = [keras.ops.sum(keras.ops.cast(layer.variable.value, "float32")) for layer in self.layers]
        return np.array(to_host(sums), np.float64)

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
        refused = [
            f"{part.name or 'The model'} has no gradient noise. For that, the loss would have to be called between "
            f"training steps, but {part.without_gradients}."
            for part in self._parts
            if part.without_gradients
        ]
        return replace(
            info,
            origin=self.origin,
            notes=(*self.notes, *untraced, *info.notes, *refused),
            loss_facts=self._loss_facts(table) if self.origin != "audit" else None,
        )

    def _loss_facts(self, table: tuple[LayerInfo, ...]) -> LossFacts | None:
        """What the numbers of a single model's own loss show, once the shape of its targets is known."""
        part, *others = self._parts
        if others or part.probe is None:
            return None
        return self._loss_probe.facts(part.model, table, part.probe.description.targets)


def _require_weights(model: Any) -> None:
    unbuilt = [path for path, layer in walk(model) if hasattr(layer, "kernel_initializer") and not layer.weights]
    if unbuilt or not (model.built or model.weights):
        named = f" ({', '.join(unbuilt[:5])}{', …' if len(unbuilt) > 5 else ''})" if unbuilt else ""
        raise NotBuiltError(
            f"The model {model.name!r} is not built: its layers have no weights yet{named}. Give it an Input layer, or "
            "call it once on a batch before training."
        )


def _joined(found: Iterable[Mapping[str, T]]) -> dict[str, T]:
    """What several parts have, by path: their paths differ."""
    return {path: each for part in found for path, each in part.items()}


def update_norms(before: Sequence[Any], after: Sequence[Any]) -> FloatArray:
    """‖after − before‖ of each kernel, ``(layers,)``."""
    ops = keras.ops
    norms = [
        ops.norm(ops.reshape(ops.cast(b, "float32") - ops.cast(a, "float32"), (-1,)))
        for a, b in zip(before, after, strict=True)
    ]
    return np.array(to_host(norms), np.float64)
