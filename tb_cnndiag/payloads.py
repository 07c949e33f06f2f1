"""The kinds of result a diagnostic can return, as plain frozen data.

Arrays follow one axis order everywhere: kernels are ``(units, fan_in)``, activations ``(samples, units)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.floating[Any]]
IntArray: TypeAlias = NDArray[np.integer[Any]]


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


@dataclass(frozen=True)
class ColumnInfo:
    """What a column of numbers per layer means: unit, words, and how it is drawn."""

    name: str
    title: str
    unit: str
    description: str
    logarithmic: bool = False
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class DiagnosticInfo:
    """A diagnostic's words for the user, as they travel in the log."""

    name: str
    title: str
    description: str
    columns: tuple[ColumnInfo, ...] = ()
    layer_kind: str = ""
    model_kind: str = ""


@dataclass(frozen=True)
class Targets:
    """What the answers are compared with, over the probe.

    Attributes:
        shape: Of one sample.
        low: Smallest.
        high: Largest.
        whole: Whether all are whole numbers.
        variance: Squared error of the best constant answer to each channel (last axis), mean over channels.
        deviation: The same for the absolute error.
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
    """The batch of samples that makes snapshots comparable; ``targets`` where they are numbers for one output."""

    source: str = "none"
    samples: int = 0
    class_counts: tuple[int, ...] = ()
    targets: Targets | None = None


@dataclass(frozen=True)
class SwitchedOff:
    """When recording stopped before the training ended, and why."""

    step: int
    reason: str


@dataclass(frozen=True)
class RunInfo:
    """The model and how it is trained."""

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


@dataclass(frozen=True)
class LayerColumns:
    """Columns of one number per layer, ``(layers,)`` each, in the order of the layer table; NaN: not measured."""

    columns: Mapping[str, FloatArray]


@dataclass(frozen=True)
class Scalars:
    """Numbers of the whole model."""

    values: Mapping[str, float]


class UnitState(IntEnum):
    """What a unit does on the samples looked at."""

    NOT_OBSERVED = 0
    ALIVE = 1
    NEARLY_DEAD = 2
    DEAD = 3


@dataclass(frozen=True)
class UnitStates:
    """The :class:`UnitState` of every unit, ``(units,)`` uint8, and how much was looked at.

    ``silent_in_training`` ``(units,)`` bool: which fired in none of the latest ``training_batches`` that were observed,
    of ``training_samples`` in all; None where training was not observed.
    """

    states: NDArray[np.uint8]
    samples: int
    positions: int
    silent_in_training: NDArray[np.bool_] | None = None
    training_batches: int = 0
    training_samples: int = 0


@dataclass(frozen=True)
class UnitValues:
    """Columns of one number per unit, ``(units,)`` each."""

    columns: Mapping[str, FloatArray]


@dataclass(frozen=True)
class Matrix:
    """A matrix to be looked at.

    ``values`` is ``(cells, cells)`` after reordering and pooling. A cell stands for ``pool`` × ``pool`` entries (fewer
    at the far edge) and holds the one largest in magnitude; NaN: missing. ``order`` has the original index of each
    row before pooling. What is stored is quantized to 254 levels between ``low`` and ``high``.
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
    """An agglomerative clustering of ``n`` units, numbered as SciPy does (units + i is merge i).

    ``children`` is ``(n − 1, 2)``, ``heights`` ``(n − 1,)`` ascending distances, ``order`` ``(n,)`` the units from the
    first leaf to the last, ``groups`` ``(n,)`` the group of each unit when cut at ``cut``, numbered in leaf order.
    """

    children: IntArray
    heights: FloatArray
    order: IntArray
    cut: float
    groups: IntArray
    unit: str = "1 − cosine"


@dataclass(frozen=True)
class Atom:
    """A value that occurs with a probability of its own, e.g. the zero of a rectified activation."""

    value: float
    mass: float


@dataclass(frozen=True)
class Density:
    """A distribution: atoms and a continuous part.

    ``values`` ``(points,)`` is the density of the continuous part on a grid of equally spaced points from ``start``
    to ``stop``, both included. It integrates to the probability of that part: 1 − atoms − below − above − non_finite.
    A density is not a probability: it has the unit 1/value and may exceed one.
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
class Image:
    """A picture of one unit: ``pixels`` ``(height, width, channels)`` uint8.

    With one channel the value is (q − 128)/127 · ``scale``; with three it is RGB. ``sample`` is the index of the
    probe sample, None for a filter.
    """

    unit: int
    pixels: NDArray[np.uint8]
    scale: float = 1.0
    sample: int | None = None


@dataclass(frozen=True)
class Images:
    """Pictures of units: filters or feature maps."""

    images: tuple[Image, ...]
