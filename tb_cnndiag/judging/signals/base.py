"""What a signal is: a typed series over steps, computed once per history, that says why it is unknown where it is."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tb_cnndiag.history import History
from tb_cnndiag.payloads import FloatArray, IntArray, LayerInfo, RunInfo

# Most steps of a period; steps of a period if no epoch has ended.
LONGEST_PERIOD, PERIOD_WITHOUT_EPOCHS = 1_000, 25
# Why a diagnostic may be missing in a log, by its name, and what to do.
MISSING = {
    "dead_units": "no activations were recorded: give a probe",
    "saturation": "no bounded activations were recorded: give a probe",
    "model_input": "no input was recorded: give a probe",
    "model_output": "no output was recorded: give a probe",
    "gradient_flow": "no gradients were recorded",
    "update_ratio": "no updates were recorded",
    "weight_health": "no weights were recorded",
    "filter_similarity": "no filter similarity was recorded",
    "batch_statistics": "no batch statistics were recorded",
    "training_curve": "no loss was logged",
    "top_patches": "no top images were recorded twice: give a probe",
}


@dataclass(frozen=True)
class Track:
    """One signal over a run.

    Attributes:
        steps: ``(snapshots,)`` ascending: the steps at which it is known for some layer.
        values: ``(snapshots, layers)`` in the order of the layer table, or ``(snapshots, 1)`` for the whole model; NaN
            where it is unknown.
        reason: Why it is unknown at all; empty if it is known somewhere.
    """

    steps: IntArray
    values: FloatArray
    reason: str = ""

    @classmethod
    def unknown(cls, reason: str) -> Track:
        """A signal that is not known anywhere, and why."""
        return cls(np.empty(0, np.int64), np.empty((0, 1)), reason)

    @classmethod
    def of_model(cls, steps: IntArray, values: ArrayLike) -> Track:
        """A signal of the whole model, ``(snapshots,)``."""
        return cls(steps, np.asarray(values, np.float64).reshape(-1, 1))

    @classmethod
    def constant(cls, values: ArrayLike, reason: str = "") -> Track:
        """A signal that does not change: one number, or one per layer. Unknown for ``reason`` where all are NaN."""
        row = np.asarray(values, np.float64).reshape(1, -1)
        return cls(np.zeros(1, np.int64), row) if np.isfinite(row).any() or not reason else cls.unknown(reason)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def of_layers(self) -> bool:
        """Whether there is one value per layer."""
        return bool(self.values.shape[1] > 1)

    @functools.cached_property
    def latest(self) -> FloatArray:
        """The values, each NaN replaced by the latest known value of its layer; NaN before the first."""
        missing = np.isnan(self.values)
        if not missing.any():
            return self.values
        rows = np.where(missing, -1, np.arange(len(self.steps))[:, None])
        latest = np.maximum.accumulate(rows, axis=0)
        return np.where(latest >= 0, np.take_along_axis(self.values, np.maximum(latest, 0), axis=0), np.nan)

    def at(self, steps: IntArray) -> FloatArray:
        """The latest values at these steps, ``(steps, layers)``; NaN before the first."""
        return latest_at(steps, self.steps, self.latest)

    def last(self, row: int = 0) -> float:
        """The last known value of a layer, or of the model; NaN if there is none."""
        return float(self.latest[-1, row if self.of_layers else 0]) if len(self) else float("nan")

    def first(self, row: int = 0) -> float:
        """The first value of a layer, or of the model; NaN if there is none."""
        return float(self.values[0, row if self.of_layers else 0]) if len(self) else float("nan")


@dataclass(frozen=True, eq=False)
class Signal:
    """Something about a run that can be compared with a threshold.

    Attributes:
        name: For people, e.g. ``"dead share"``.
        unit: Of its values, as in ``tb_cnndiag.wording``.
        compute: Computes it; see ``Signals.__call__``.
        fact: Whether it is known without any snapshot, from the layers, the configuration or the labels.
    """

    name: str
    unit: str
    compute: Callable[[Signals], Track]
    fact: bool = False


class Signals:
    """All signals of one run, each computed when it is first asked for."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._known: dict[Any, Any] = {}

    def __call__(self, signal: Signal) -> Track:
        """The series of one signal."""
        track: Track = self.once(signal.compute)
        return track

    def once(self, compute: Callable[[Signals], Any]) -> Any:
        """The result of a function of these signals, computed once."""
        if compute not in self._known:
            self._known[compute] = compute(self)
        return self._known[compute]

    @property
    def layers(self) -> tuple[LayerInfo, ...]:
        """The layer table, in network order."""
        return self.history.layers

    @property
    def info(self) -> RunInfo:
        """The run."""
        return self.history.info or RunInfo("", ())

    @functools.cached_property
    def trainable(self) -> list[int]:
        """Rows of the trainable layers."""
        return [row for row, layer in enumerate(self.layers) if layer.trainable]

    @functools.cached_property
    def hidden(self) -> list[int]:
        """Rows of the trainable layers that are not outputs."""
        return [row for row in self.trainable if not self.layers[row].output]

    @functools.cached_property
    def period(self) -> float:
        """The unit of persistence in steps, an epoch, but at most 1,000 steps; 25 if no epoch has ended.

        The persistence of a condition does so not depend on how many snapshots were taken.
        """
        epochs = self.history.epochs
        lengths = [step / epoch for step, epoch in epochs.items() if epoch > 0 and step > 0]
        return min([*lengths, LONGEST_PERIOD]) if lengths else PERIOD_WITHOUT_EPOCHS

    @property
    def periods(self) -> float:
        """Length of the run in periods."""
        return max(self.history.last_step, 0) / self.period


def column(signals: Signals, diagnostic: str, name: str) -> Track:
    """A recorded column of numbers per layer."""
    track: Track = signals.once(_Column(diagnostic, name))
    return track


@dataclass(frozen=True)
class _Column:
    """Reads one recorded column."""

    diagnostic: str
    name: str

    def __call__(self, signals: Signals) -> Track:
        return _column(signals, self.diagnostic, self.name)


def _column(signals: Signals, diagnostic: str, name: str) -> Track:
    series = signals.history.series(diagnostic, name)
    if not len(series) or not signals.layers or np.isnan(series.values).all():
        return Track.unknown(MISSING.get(diagnostic, f"no {diagnostic} was recorded"))
    return Track(series.steps, series.values.astype(np.float64))


def recorded(diagnostic: str, name: str) -> Callable[[Signals], Track]:
    """Computes a signal that is a recorded column."""

    def compute(signals: Signals) -> Track:
        return column(signals, diagnostic, name)

    return compute


def logged(signals: Signals, name: str) -> Track:
    """A number that Keras logs, e.g. ``"val_loss"``."""
    steps, values = signals.history.scalars("training_curve", name)
    if not len(steps):
        hint = ": give validation data" if name.startswith("val_") else ""
        return Track.unknown(f"{name} was not logged{hint}")
    return Track.of_model(steps, values)


def latest_at(steps: IntArray, measured: IntArray, values: FloatArray) -> FloatArray:
    """Rows of ``values``, measured at the steps ``measured``, at ``steps``: the latest; NaN before the first."""
    if np.array_equal(steps, measured):
        return values
    if not len(measured):
        return np.full((len(steps), values.shape[1]), np.nan)
    position = np.searchsorted(measured, steps, side="right") - 1
    return np.where((position >= 0)[:, None], values[np.maximum(position, 0)], np.nan)


def over_layers(function: Callable[..., FloatArray], track: Track, rows: Sequence[int]) -> Track:
    """One number over these layers at each snapshot at which one of them was measured."""
    if not len(track):
        return track
    values = track.values[:, rows] if track.of_layers else track.values
    finite = np.isfinite(values)
    if not finite.any():
        return Track.unknown("not measured in a trainable layer")
    if finite.all():  # several times as fast without NaN
        return Track.of_model(track.steps, getattr(np, function.__name__.removeprefix("nan"))(values, axis=1))
    values, measured = np.where(finite, values, np.nan), finite.any(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return Track.of_model(track.steps[measured], function(values[measured], axis=1))


def decrease(track: Track, span: float, period: float) -> FloatArray:
    """Mean decrease per period over the last ``span`` steps as a share, of a signal of the model, ``(snapshots, 1)``.

    Between snapshots the signal is interpolated, so that it does not depend on how many there are.
    """
    if not len(track):
        return np.empty((0, 1))
    steps, values = track.steps.astype(float), track.latest[:, 0]
    before = np.interp(steps - span, steps, values, left=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((1 - values / before) * period / span)[:, None]
