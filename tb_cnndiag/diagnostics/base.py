"""The interface of a diagnostic: its input, the data it needs, and its result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from tb_cnndiag.payloads import (
    Atlas,
    ClassResponses,
    ColumnInfo,
    Dendrogram,
    Density,
    DiagnosticInfo,
    FloatArray,
    Graph,
    Images,
    LayerInfo,
    Matrix,
    Patches,
    Scalars,
    UnitStates,
    UnitValues,
)

Cost: TypeAlias = Literal["light", "heavy", "costly", "closing"]
LayerPayload: TypeAlias = (
    Matrix | Dendrogram | Density | UnitStates | UnitValues | Images | Patches | ClassResponses | Atlas
)
ModelPayload: TypeAlias = Scalars | Matrix | Graph


@dataclass(frozen=True)
class LayerSnapshot:
    """One layer at one snapshot, as plain arrays.

    Attributes:
        layer: The layer's row of the layer table.
        data: Captured arrays by name. A name is absent if its array could not be captured.

            Weights:

            - ``kernel`` ``(units, fan_in)`` float32;
            - ``bias`` ``(units,)``;
            - ``norm_scale`` ``(units,)``: scale γ of the normalization that follows.

            Activations on the probe:

            - ``sample_max`` and ``sample_mean`` ``(samples, units)``: maximum and mean over positions;
            - ``unit_mean`` and ``unit_mean_abs`` ``(units,)``: means over all positions of part of the samples;
            - ``activation_sample`` ``(values,)``: a subsample of all values;
            - ``unit_saturated`` ``(units,)``: share of values near a bound, for bounded activations;
            - ``samples`` and ``positions`` ``()``: their numbers;
            - ``peaks`` ``(units, 9, 3)``: the samples with the largest maxima, descending: maximum (−∞: no sample),
              sample, and position, row by row; of the first ``searched`` ``()`` samples, about 512;
            - ``labels`` ``(samples,)``: labels of the probe, if they are class indices.

            Output layers only, on the probe:

            - ``output`` ``(samples, units)``: mean over positions;
            - ``output_diversity`` ``()``: standard deviation over samples at each position.

            First kernels only, on the probe:

            - ``input_mean``, ``input_std``, ``input_min`` and ``input_max`` ``(channels,)``;
            - ``input_constant`` ``(samples,)``: 1 for a sample whose values are all the same;
            - ``input_diversity`` ``()``: standard deviation over samples at each position.

            Kernels with a batch normalization behind them, on the probe:

            - ``batch_mean_shift`` ``(channels,)``: magnitude of moving mean − mean in standard deviations of the probe;
            - ``batch_variance_ratio`` ``(channels,)``: moving variance relative to that of the probe.

            Gradients of the loss on k chunks of 32 samples of a labeled probe:

            - ``chunk_gradient_norms`` ``(k,)``: norm of each chunk's gradient;
            - ``mean_gradient_norm`` ``()``: norm of the mean gradient;
            - ``gradient_zero_share`` ``()``: share of entries that are exactly 0.

            Pictures of the first images of the probe, downsampled to a few pixels:

            - ``feature_map`` ``(images, height, width, pictured)``;
            - ``pictured_units`` ``(pictured,)``: the units in ``feature_map``;
            - ``input_picture`` ``(images, height, width, channels)``: first kernels only.

            All images that are searched for peaks:

            - ``image`` ``(samples, height, width, channels)``: the images as they enter the model, at the first
              kernel that each reaches, downsampled to at most 128 pixels.

            How layers are connected:

            - ``routes`` ``(sources, 1 + channels)``: for each layer that feeds this one, its row in the table, and its
              unit that each input channel comes from (negative: see ``tb_cnndiag.numerics.influence``).

            Training since the last snapshot:

            - ``gradient_norm`` ``()``: mean norm of the gradient of the data loss by the kernel;
            - ``gradient_steps`` and ``gradient_non_finite_steps`` ``()``: number of steps with a finite gradient, and
              with a gradient that is not finite;
            - ``update_norm`` ``()``: mean ‖Δkernel‖ per step over the sampled steps;
            - ``training_fired`` ``(units,)``: 1 for a unit that fired in the latest observed batches, else 0, for
              rectified layers;
            - ``training_batches`` and ``training_samples`` ``()``: number of these batches and of their samples.
    """

    layer: LayerInfo
    data: Mapping[str, FloatArray]


@dataclass(frozen=True)
class Snapshot:
    """The whole model at one snapshot. ``logs`` holds loss, metrics and learning rate as Keras reports them."""

    step: int
    epoch: int
    layers: Sequence[LayerSnapshot]
    logs: Mapping[str, float]


@dataclass(frozen=True)
class LayerResult:
    """The result for one layer: a number per column, and the payload that the layer's page shows."""

    values: Mapping[str, float] = field(default_factory=dict)
    payload: LayerPayload | None = None


class Diagnostic(ABC):
    """Base class of all diagnostics. Subclass :class:`LayerDiagnostic` or :class:`ModelDiagnostic`.

    A diagnostic must not change the arrays it receives.

    Attributes:
        name: Id of the diagnostic, the name of its file.
        title: Name shown to the user.
        description: Two sentences for the user: why it matters, and how to read it.
        needs: Names of the data that the diagnostic needs. A layer is skipped if any of them is missing.
        columns: Columns of numbers that the diagnostic measures.
        layer_kind: Kind of the payload of each layer; empty if there is none.
        model_kind: Kind of the payload of the whole model; empty if there is none.
        cost: ``"light"`` diagnostics are measured at each snapshot, ``"heavy"`` ones on the callback's schedule, and
            ``"costly"`` ones on a part of that schedule that becomes sparser over time. ``"closing"`` ones are made
            with the model itself after the last snapshot has been judged; see ``tb_cnndiag.recording.closing``.
        shares: Names of diagnostics that do part of this one's work if they run at the same snapshot.
        scalar_columns: Columns that are also written for TensorBoard's Scalars dashboard.
        shows_data: Whether the payload contains pictures of the user's samples; ``CNNDiagnostics(images=False)``
            disables these diagnostics.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[ColumnInfo, ...]] = ()
    layer_kind: ClassVar[str] = ""
    model_kind: ClassVar[str] = ""
    cost: ClassVar[Cost] = "light"
    shares: ClassVar[tuple[str, ...]] = ()
    scalar_columns: ClassVar[tuple[str, ...]] = ()
    shows_data: ClassVar[bool] = False

    def info(self) -> DiagnosticInfo:
        """The description of the diagnostic that the log stores."""
        return DiagnosticInfo(self.name, self.title, self.description, self.columns, self.layer_kind, self.model_kind)


class LayerDiagnostic(Diagnostic):
    """Measures each layer: it gives one number per column and layer, and one payload per layer."""

    @abstractmethod
    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Measure one layer; all of ``needs`` is in ``snapshot.data``."""

    def measure_all(self, snapshots: Sequence[LayerSnapshot]) -> Iterable[LayerResult]:
        """Measure each layer, in order. Override this if it is faster to measure all layers together."""
        return map(self.measure, snapshots)


class ModelDiagnostic(Diagnostic):
    """Measures the model as a whole."""

    @abstractmethod
    def measure(self, snapshot: Snapshot) -> ModelPayload | None:
        """Measure the model; None if there is no result."""
