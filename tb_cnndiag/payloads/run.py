"""What a run is: its layers, diagnostics, probe, loss and targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class FieldAxis:
    """The receptive field of a layer along one axis of the image, in pixels.

    Position i sees the pixels from i · ``stride`` − ``padding``, ``size`` of them, as far as the image has them. Where
    this is not so, ``low`` and ``high`` have the first and last pixel of each position (``low`` > ``high``: none).
    """

    extent: int
    size: float
    stride: float
    padding: float
    low: tuple[int, ...] = ()
    high: tuple[int, ...] = ()

    def box(self, position: int) -> tuple[int, int]:
        """First and last pixel that a position sees, both included."""
        if self.low:
            return self.low[position], self.high[position]
        first = round(position * self.stride - self.padding)
        return max(first, 0), min(first + round(self.size), self.extent) - 1

    def center(self, position: int) -> float:
        """Center of what a position sees, in pixels, beyond the image's borders too."""
        return position * self.stride - self.padding + (self.size - 1) / 2


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the image that a unit of a layer can see.

    Attributes:
        image: Path of the kernel layer that receives the image first: the atlas of that layer shows it.
        axes: The image's spatial axes, e.g. height and width.
        whole: Whether every position sees the whole image.
    """

    image: str
    axes: tuple[FieldAxis, ...]
    whole: bool = False


@dataclass(frozen=True)
class LayerInfo:
    """A layer that owns a kernel: one row of the layer table."""

    path: str
    class_name: str = ""
    role: str = "other"
    units: int = 0
    fan_in: int = 0
    kernel_shape: tuple[int, ...] = ()
    output_shape: tuple[int, ...] = ()
    trainable: bool = True
    activation: str = ""
    normalization: str = ""
    seen_at: str = ""
    parameters: int = 0
    inputs: tuple[int, ...] = ()
    output: bool = False
    config: str = ""
    unit_axis: int = -1
    initializer: str = ""
    normalization_class: str = ""
    dropout: float = 0.0
    dropout_at: str = ""
    linear_behind: bool = False
    normalization_frozen: bool = False
    receptive_field: ReceptiveField | None = None

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Lengths of the output's spatial axes; empty for a dense layer."""
        return self.output_shape[1:] if self.unit_axis == 1 else self.output_shape[:-1]


@dataclass(frozen=True)
class ColumnInfo:
    """Description of a column of numbers per layer: title, unit, meaning and scale."""

    name: str
    title: str
    unit: str
    description: str
    logarithmic: bool = False
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class DiagnosticInfo:
    """Description of a diagnostic for the user, as stored in the log."""

    name: str
    title: str
    description: str
    columns: tuple[ColumnInfo, ...] = ()
    layer_kind: str = ""
    model_kind: str = ""


@dataclass(frozen=True)
class Targets:
    """Statistics of the probe's targets, with which the model's outputs are compared.

    Attributes:
        shape: Shape of one sample's target.
        low: Smallest value.
        high: Largest value.
        whole: Whether all values are whole numbers.
        variance: Squared error of the best constant prediction for each channel (last axis), mean over channels.
        deviation: Absolute error of the best constant prediction for each channel, mean over channels.
        distribution: Whether the channels of each sample sum to 1, as one-hot labels do.
    """

    shape: tuple[int, ...] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    variance: float = 0.0
    deviation: float = 0.0
    distribution: bool = False


@dataclass(frozen=True)
class Probe:
    """The batch of samples that makes snapshots comparable.

    ``targets`` is None unless the targets are numbers for a single output.
    """

    source: str = "none"
    samples: int = 0
    class_counts: tuple[int, ...] = ()
    targets: Targets | None = None


@dataclass(frozen=True)
class LossFacts:
    """What the numbers of a loss show that is not one of Keras; None where they leave it open.

    Attributes:
        unknown: Why nothing is known; empty otherwise.
        same_as: Loss of Keras that it is a multiple of, e.g. ``"categorical_crossentropy"``; empty if there is none.
        factor: What multiple it is; below 0, its sign is wrong. None if it depends on the number of samples in a batch.
        from_logits: Whether it turns logits into probabilities itself.
        exclusive: Whether only the output of the true class counts, as if classes exclude each other; False: each
            output counts alone.
        sparse: Whether targets are class numbers.
        falls: Whether it falls when the true answer becomes more probable; False: it rises.
        least_at_target: Whether it is smallest where outputs equal targets, which may be any numbers.
        uninformed: The loss of the best prediction that is the same for all samples, if classes are equally frequent;
            None if it depends on the number of samples in a batch.
        lowest: Smallest value at outputs from 0 to 1.
        finite_at_bounds: Whether it is finite where outputs are exactly 0 and 1.
    """

    unknown: str = ""
    same_as: str = ""
    factor: float | None = None
    from_logits: bool | None = None
    exclusive: bool | None = None
    sparse: bool = False
    falls: bool | None = None
    least_at_target: bool | None = None
    uninformed: float | None = None
    lowest: float | None = None
    finite_at_bounds: bool | None = None


@dataclass(frozen=True)
class SwitchedOff:
    """When recording stopped before the training ended, and why."""

    step: int
    reason: str


@dataclass(frozen=True)
class RunInfo:
    """The model and how it is trained.

    ``origin`` is how the log was made: ``"audit"`` of a saved model, ``"preflight"``; empty for a training.
    ``loss_facts`` is None for a loss of Keras, and where no loss was probed.
    """

    table: str
    layers: tuple[LayerInfo, ...]
    model: str = ""
    diagnostics: tuple[DiagnosticInfo, ...] = ()
    loss: str = ""
    optimizer: str = ""
    batch_size: int = 0
    probe: Probe = field(default_factory=Probe)
    versions: Mapping[str, str] = field(default_factory=dict)
    started: float = 0.0
    parameters: int = 0
    trainable_parameters: int = 0
    notes: tuple[str, ...] = ()
    switched_off: SwitchedOff | None = None
    origin: str = ""
    loss_facts: LossFacts | None = None

    def describing(self, others: Iterable[DiagnosticInfo]) -> RunInfo:
        """The run, with those of other diagnostics that it does not describe yet: its log may hold what they made."""
        names = {each.name for each in self.diagnostics}
        return replace(self, diagnostics=(*self.diagnostics, *(each for each in others if each.name not in names)))
