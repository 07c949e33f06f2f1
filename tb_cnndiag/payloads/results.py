"""The kinds of results that a diagnostic can return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads.arrays import FloatArray, IntArray


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
