"""The kinds of results that a diagnostic can return, as plain frozen data.

Arrays use the same axis order everywhere: kernels are ``(units, fan_in)``, activations are ``(samples, units)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.floating[Any]]
IntArray: TypeAlias = NDArray[np.integer[Any]]


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


@dataclass(frozen=True)
class LayerColumns:
    """Columns of one number per layer, each ``(layers,)`` in the order of the layer table; NaN if not measured."""

    columns: Mapping[str, FloatArray]


@dataclass(frozen=True)
class Scalars:
    """Numbers of the whole model."""

    values: Mapping[str, float]


class UnitState(IntEnum):
    """State of a unit on the observed samples."""

    NOT_OBSERVED = 0
    ALIVE = 1
    NEARLY_DEAD = 2
    DEAD = 3


@dataclass(frozen=True)
class UnitStates:
    """The :class:`UnitState` of every unit, and the amount of data that was observed.

    Attributes:
        states: ``(units,)`` uint8.
        samples: Number of observed samples.
        positions: Number of observed positions, over all samples.
        silent_in_training: ``(units,)`` bool, units that did not fire in the latest observed training batches; None if
            training was not observed.
        training_batches: Number of these batches.
        training_samples: Number of samples in these batches.
    """

    states: NDArray[np.uint8]
    samples: int
    positions: int
    silent_in_training: NDArray[np.bool_] | None = None
    training_batches: int = 0
    training_samples: int = 0


@dataclass(frozen=True)
class UnitValues:
    """Columns of one number per unit, each ``(units,)``."""

    columns: Mapping[str, FloatArray]


@dataclass(frozen=True)
class Matrix:
    """A matrix for display.

    ``values`` is ``(cells, cells)`` after reordering and pooling. A cell represents ``pool`` × ``pool`` entries (fewer
    at the far edge) and has the value with the largest magnitude; NaN if it is missing. ``order`` has the original
    index of each row before pooling. Stored values are quantized to 254 levels between ``low`` and ``high``.
    """

    values: FloatArray
    order: IntArray
    low: float
    high: float
    unit: str
    pool: int = 1
    symmetric: bool = True


@dataclass(frozen=True)
class Dendrogram:
    """An agglomerative clustering of ``n`` units. Nodes are numbered as in SciPy: ``n`` + i is merge i.

    Attributes:
        children: ``(n − 1, 2)``, the two nodes that each merge joins.
        heights: ``(n − 1,)``, ascending distances.
        order: ``(n,)``, units from the first leaf to the last.
        cut: Height at which the tree is cut into groups.
        groups: ``(n,)``, group of each unit, numbered in leaf order.
        unit: Unit of the heights.
        sample: ``(n,)``, ascending: the unit of the layer that each of the n units is; None if they are all its units.
    """

    children: IntArray
    heights: FloatArray
    order: IntArray
    cut: float
    groups: IntArray
    unit: str = "1 − cosine"
    sample: IntArray | None = None


@dataclass(frozen=True)
class Atom:
    """A single value with a positive probability, e.g. the zero of a rectified activation."""

    value: float
    mass: float


@dataclass(frozen=True)
class Density:
    """A distribution: atoms and a continuous part.

    ``values`` ``(points,)`` is the density of the continuous part on a grid of equally spaced points from ``start``
    to ``stop``, both included. Its integral is the probability of that part: 1 − atoms − below − above − non_finite.
    A density is not a probability: it has the unit 1/value and can exceed 1.
    """

    start: float
    stop: float
    values: FloatArray
    atoms: tuple[Atom, ...]
    bandwidth: float
    samples: int
    below: float = 0.0
    above: float = 0.0
    non_finite: float = 0.0


@dataclass(frozen=True)
class UnitDensities:
    """The distributions of some of the units of a layer: ``units`` ascending, and the density of each."""

    units: IntArray
    densities: tuple[Density, ...]


@dataclass(frozen=True)
class Image:
    """A picture of one unit: ``pixels`` ``(height, width, channels)`` uint8.

    A pixel q of a picture with one channel stands for the value (q − 128)/127 · ``scale``; three channels are RGB.
    ``sample`` is the index of the probe sample; None for a filter.
    """

    unit: int
    pixels: NDArray[np.uint8]
    scale: float = 1.0
    sample: int | None = None


@dataclass(frozen=True)
class Images:
    """Pictures of units: filters or feature maps."""

    images: tuple[Image, ...]


@dataclass(frozen=True)
class Patches:
    """The images that excite each unit most, and where in the layer's output, the strongest first.

    Attributes:
        images: ``(units, patches)``, indices of images of the probe; −1 where there are fewer.
        positions: ``(units, patches)``, positions in the layer's output, row by row.
        values: ``(units, patches)`` float32, responses; NaN where there are fewer.
        samples: Number of images that were searched.
        listed: The units that are included, ascending; None: all. The others have no images.
        boxes: ``(units, patches, 4)``, the box of each image that holds 95 % of the gradient of the unit: top, left,
            height and width in pixels; height 0 where there is none. None: not measured.
    """

    images: IntArray
    positions: IntArray
    values: FloatArray
    samples: int
    listed: IntArray | None = None
    boxes: IntArray | None = None

    def part(self, units: Sequence[int]) -> Patches:
        """The same with these units alone."""
        own = np.isin(np.arange(len(self.images)), units)
        if self.listed is not None:
            own &= np.isin(np.arange(len(own)), self.listed)
        return replace(self, images=np.where(own[:, None], self.images, -1), listed=np.flatnonzero(own))


@dataclass(frozen=True)
class ClassResponses:
    """Mean response of each unit to the images of each class.

    Attributes:
        classes: ``(units, listed)``, the classes with the largest means, descending.
        means: ``(units, listed)`` float32, their means.
        rest: ``(units,)`` float32, mean of the means of all other classes; NaN if there are none.
        explained: ``(units,)`` float32, η²: share of the variance of the response that the class explains, 0..1; NaN
            for a unit whose response does not vary.
        number: Number of classes.
    """

    classes: IntArray
    means: FloatArray
    rest: FloatArray
    explained: FloatArray
    number: int


@dataclass(frozen=True)
class Atlas:
    """The images of the probe side by side in one WebP picture, row by row.

    Attributes:
        webp: The encoded picture.
        samples: Number of images.
        columns: Images in each row.
        tile: Height and width of an image in the picture, in pixels.
        extent: Height and width of an image as the model receives it.
        scaling: How values became colors, in words.
        labels: Class of each image, ``(samples,)``; empty if unknown.
    """

    webp: bytes
    samples: int
    columns: int
    tile: tuple[int, int]
    extent: tuple[int, int]
    scaling: str = ""
    labels: IntArray = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass(frozen=True)
class Graph:
    """Clusters of units, and what connects those of successive layers. Nodes are in the order of their layers.

    Attributes:
        rows: ``(nodes,)``, row of the layer table of each node's layer.
        names: ``(nodes,)``: a number for each cluster of a layer that stays the same over snapshots.
        members: For each layer that has nodes, in order, ``(units,)``: the node of each unit, counted in that layer.
        typical: ``(nodes, typical)``, the medoid of each cluster and its next most typical units; −1 where there are
            fewer.
        columns: One number per node, each ``(nodes,)`` float32.
        classes: ``(classes,)``, classes of the probe.
        responses: ``(nodes, classes)`` float32, mean response to each class in standard deviations of the units.
        signatures: ``(nodes, samples)`` float32, −1..1: mean response to the first samples of the probe, at any scale;
            those of two runs with the same probe can be compared.
        sources, targets: ``(edges,)``, indices of nodes.
        weights: ``(edges,)`` float32, share of all influence on the target's layer. Weak edges are left out.
    """

    rows: IntArray
    names: IntArray
    members: tuple[IntArray, ...]
    typical: IntArray
    columns: Mapping[str, FloatArray]
    classes: IntArray
    responses: FloatArray
    signatures: FloatArray
    sources: IntArray
    targets: IntArray
    weights: FloatArray


@dataclass(frozen=True)
class ClassMap:
    """What in an image raises (positive) or lowers (negative) the score of the predicted class.

    Attributes:
        method: Name of the method.
        image: The map, one channel.
        similarity: Rank correlation with the map of the model whose upper layers are random, −1..1; NaN if a map is
            constant.
        note: What that means, in words.
    """

    method: str
    image: Image
    similarity: float
    note: str


@dataclass(frozen=True)
class ExplainedSample:
    """An image of the probe with its maps; ``reason`` is ``"wrong"``, ``"unsure"`` or ``"typical"``."""

    sample: int
    reason: str
    picture: Image
    maps: tuple[ClassMap, ...]


@dataclass(frozen=True)
class SampleMaps:
    """What the model predicts for the images of the probe, and why, for some of them.

    Attributes:
        predictions: ``(samples,)``, predicted classes.
        labels: ``(samples,)``, true classes; empty if unknown.
        confidences: ``(samples,)`` float32, share that the model gives to its prediction, 0..1.
        classes: Number of classes.
        chosen: The images with maps.
    """

    predictions: IntArray
    labels: IntArray
    confidences: FloatArray
    classes: int
    chosen: tuple[ExplainedSample, ...]


HEAVY_KINDS = (Matrix, Dendrogram, Density, UnitDensities, Images, Patches, ClassResponses, Atlas, Graph, SampleMaps)
"""The kinds that take many bytes, of which a reader may keep fewer."""
