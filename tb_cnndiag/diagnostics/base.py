"""What a diagnostic is given, what it says it needs, and what it returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from tb_cnndiag.payloads import (
    ColumnInfo,
    Dendrogram,
    Density,
    DiagnosticInfo,
    FloatArray,
    Images,
    LayerInfo,
    Matrix,
    Scalars,
    UnitStates,
    UnitValues,
)

Cost: TypeAlias = Literal["light", "heavy", "costly"]
LayerPayload: TypeAlias = Matrix | Dendrogram | Density | UnitStates | UnitValues | Images
ModelPayload: TypeAlias = Scalars | Matrix


@dataclass(frozen=True)
class LayerSnapshot:
    """One layer at one snapshot, as plain arrays.

    Attributes:
        layer: The row of the layer table.
        data: What was captured, by name; a name is absent when it could not be. Names:

            - ``kernel`` ``(units, fan_in)`` float32; ``bias`` and ``norm_scale`` (the γ of the normalization that
              follows) ``(units,)``;
            - over the probe: ``sample_max`` and ``sample_mean`` ``(samples, units)``, maximum and mean over positions;
              ``unit_mean`` and ``unit_mean_abs`` ``(units,)``, over part of the samples and all positions;
              ``activation_sample`` ``(values,)``, a subsample of all values; ``unit_saturated`` ``(units,)``, share of
              values near a bound, of bounded activations; ``samples`` and ``positions`` ``()``;
            - of output layers ``output`` ``(samples, units)``, mean over positions, ``output_diversity`` ``()``, their
              deviation between samples at a position, and ``labels`` ``(samples,)`` where the probe's labels are class
              indices; of the first kernels ``input_mean``, ``input_std``, ``input_min``,
              ``input_max`` ``(channels,)``, ``input_constant`` ``(samples,)`` and ``input_diversity`` ``()``;
            - of the loss on the probe, in k chunks of 32 samples, where its labels are known: ``chunk_gradient_norms``
              ``(k,)``, ``mean_gradient_norm`` ``()``, norm of their mean, and ``gradient_zero_share`` ``()``;
            - of the probe's first images, averaged down to a few pixels: ``feature_map`` ``(images, height, width,
              pictured)`` of the units ``pictured_units`` ``(pictured,)``; of the first kernels ``input_picture``
              ``(images, height, width, channels)``;
            - from training, since the last snapshot: ``gradient_norm`` ``()``, mean ‖gradient of the data loss by the
              kernel‖ over ``gradient_steps`` ``()`` steps, beside which ``gradient_non_finite_steps`` ``()`` had none;
              ``update_norm`` ``()``, mean ‖Δkernel‖ per step over the steps sampled; of rectified layers
              ``training_fired`` ``(units,)``, 1 for a unit that fired in the latest ``training_batches`` ``()`` that
              were observed, of ``training_samples`` ``()`` in all, else 0.
    """

    layer: LayerInfo
    data: Mapping[str, FloatArray]


@dataclass(frozen=True)
class Snapshot:
    """The whole model at one snapshot: ``logs`` holds loss, metrics and learning rate as Keras reports them."""

    step: int
    epoch: int
    layers: Sequence[LayerSnapshot]
    logs: Mapping[str, float]


@dataclass(frozen=True)
class LayerResult:
    """What was measured of one layer: a number per column, and what the layer's own page shows."""

    values: Mapping[str, float] = field(default_factory=dict)
    payload: LayerPayload | None = None


class Diagnostic(ABC):
    """Something measured. Subclass :class:`LayerDiagnostic` or :class:`ModelDiagnostic`.

    A layer for which something that the diagnostic ``needs`` is missing is passed over. The arrays must not be
    changed. A ``"heavy"`` diagnostic is measured on the callback's schedule rather than at each snapshot, a
    ``"costly"`` one on a part of it that grows sparse. What is in
    ``scalar_columns`` is also written for TensorBoard's own Scalars dashboard. One that ``shows_data`` puts pictures of
    the user's samples into the log: ``CNNDiagnostics(images=False)`` leaves it out.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[ColumnInfo, ...]] = ()
    layer_kind: ClassVar[str] = ""
    model_kind: ClassVar[str] = ""
    cost: ClassVar[Cost] = "light"
    scalar_columns: ClassVar[tuple[str, ...]] = ()
    shows_data: ClassVar[bool] = False

    def info(self) -> DiagnosticInfo:
        """The words for the user, as they are stored in the log."""
        return DiagnosticInfo(self.name, self.title, self.description, self.columns, self.layer_kind, self.model_kind)


class LayerDiagnostic(Diagnostic):
    """Measures layer by layer: its columns are one number per layer, its payload is one per layer."""

    @abstractmethod
    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Measure one layer; all of ``needs`` is in ``snapshot.data``."""

    def measure_all(self, snapshots: Sequence[LayerSnapshot]) -> Iterable[LayerResult]:
        """Measure each layer, in order. Override it where all layers together cost less than each alone."""
        return map(self.measure, snapshots)


class ModelDiagnostic(Diagnostic):
    """Measures the model as a whole."""

    @abstractmethod
    def measure(self, snapshot: Snapshot) -> ModelPayload | None:
        """Measure the model; None when there is nothing to tell."""
