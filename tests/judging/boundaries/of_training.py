"""Thresholds of the course of a training: the size of updates, the loss, validation, batch statistics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tb_cnndiag.history import History
from tb_cnndiag.payloads import Probe, RunInfo, Targets
from tests.judging.boundaries.boundary import PRIOR, Boundary, layer, with_layer, with_layers
from tests.judging.faults.made import INFO, LAYERS, NAN, history


def course(
    loss: Sequence[float],
    update: float | Sequence[float] = 1e-3,
    *,
    info: RunInfo = INFO,
    scalars: Mapping[str, Sequence[float]] | None = None,
    **columns: Any,
) -> History:
    """A training whose loss, relative to the prior loss, and update-to-weight ratio in every layer are these."""
    updates = [update] * len(loss) if isinstance(update, int | float) else update
    rows = {"update_ratio.update_ratio": [[each] * len(info.layers) for each in updates]}
    rows |= {name.replace("__", "."): values for name, values in columns.items()}
    return history(rows, info=info, scalars={"loss": [PRIOR * each for each in loss], **(scalars or {})})


def falling(last: float, by: float, snapshots: int = 8) -> list[float]:
    """A loss that falls by a share of itself in every epoch, and ends here."""
    return [last * (1 - by) ** -epoch for epoch in reversed(range(snapshots))]


def _overflow(ratio: float) -> History:
    """Gradients of plain descent, at a rate of 0.1, with which the weights overflow at the second snapshot."""
    norms = [10 * ratio * 0.5 * math.sqrt(each.units * each.fan_in) for each in LAYERS]
    rows = {
        "weight_health.rms": [[0.5] * 4, [NAN] * 4],
        "weight_health.non_finite": [[0.0] * 4, [3.0] * 4],
        "gradient_flow.gradient_norm": [norms, [NAN] * 4],
    }
    return history(rows)


def _died(
    share: float, loss: Sequence[float], update: float = 1e-3, before: float = 0.0, rates: Sequence[float] = ()
) -> History:
    dead = [layer(1, before)] + [layer(1, share)] * (len(loss) - 1)
    scalars = {"learning_rate": rates} if rates else {}
    updates = [update, *[1e-3] * (len(loss) - 1)]
    return course(loss, updates, dead_units__dead_ratio=dead, scalars=scalars)


def _grown(size: float) -> History:
    return course([1.0] * 5, weight_health__rms=[[0.1] * 4, *[[0.1 * size] * 4] * 4])


UNSTEADY = [0.92, 0.6, 0.92, 0.6, 0.92, 0.6, 0.94]
RATE_TOO_HIGH = (
    Boundary("learning_rate_too_high", "step", 0.03, "clear", "error", _overflow, shown="overflow", kind="overflow"),
    Boundary(
        "learning_rate_too_high", "step", 0.03, "clear", "error",
        lambda x: course([1] * 6, [x, *[1e-3] * 5]), kind="nothing learned",
    ),
    Boundary(
        "learning_rate_too_high", "step", 0.03, "clear", "error", lambda x: course([0.8] * 9, x), kind="high plateau"
    ),
    Boundary(
        "learning_rate_too_high", "step", 0.03, "clear", "error", lambda x: course(UNSTEADY, x), kind="oscillation"
    ),
    Boundary(
        "learning_rate_too_high", "step", 0.03, "clear", "error",
        lambda x: _died(0.8, [0.7] * 6, x), kind="units died",
    ),
    Boundary("learning_rate_too_high", "growth", 3, "clear", "error", _grown),
    Boundary(
        "learning_rate_too_high", "rise", 1.5, "clear", "error",
        lambda x: course([0.9, 0.6, *falling(0.6 * x, 0.02, 3)], 0.05), kind="above the best value", at=None,
    ),
    Boundary(
        "learning_rate_too_high", "rise", 1.5, "clear", "error",
        lambda x: course([0.6, 0.6 * x, 0.58, 0.58 * x, 0.56, 0.55], 0.05), kind="repeated",
    ),
    Boundary(
        "learning_rate_too_high", "gain", 0.01, "error", "clear",
        lambda x: course(falling(0.7, 1 - math.sqrt(1 - 2 * x), 9), 0.05), kind="high plateau",
    ),
    Boundary(
        "learning_rate_too_high", "died", 0.9, "clear", "error", lambda x: _died(x, [1] * 6), kind="nothing learned"
    ),
    Boundary(
        "learning_rate_too_high", "died", 0.9, "error", "clear",
        lambda x: _died(1, [1] * 6, before=x), shown=None, kind="dead before",
    ),
    Boundary(
        "learning_rate_too_high", "died_after_large_updates", 0.6, "clear", "error",
        lambda x: _died(x, [0.7] * 6, 0.3), kind="large updates",
    ),
    Boundary(
        "learning_rate_too_high", "died_after_large_updates", 0.6, "error", "clear",
        lambda x: _died(x, [1] * 6, 0.3, rates=[1, *[0.01] * 5]), shown=None, kind="a rate that was cut",
    ),
    Boundary(
        "learning_rate_too_high", "stuck", 0.95, "clear", "error",
        lambda x: course([1, *[x] * 5], [0.3, *[1e-3] * 5]), kind="large updates",
    ),
    Boundary(
        "learning_rate_too_high", "stuck", 0.95, "clear", "error",
        lambda x: _died(1, [1, *[x] * 5]), kind="units died",
    ),
    Boundary(
        "learning_rate_too_high", "harmless_loss", 0.5, "clear", "error",
        lambda x: course([x] * 9, 0.05), kind="high plateau",
    ),
    Boundary(
        "learning_rate_too_high", "harmless_loss", 0.5, "clear", "error",
        lambda x: course([0.9, 0.2, *falling(x, 0.02, 4)], 0.05), kind="oscillation",
    ),
    Boundary(
        "learning_rate_too_high", "harmless_loss", 0.5, "clear", "error",
        lambda x: _died(0.8, [x] * 6, 0.3), kind="units died",
    ),
    Boundary(
        "learning_rate_too_high", "epochs", 3, "clear", "error",
        lambda n: course([0.3] * 3 + [1] * int(n), [0.3, *[1e-3] * (int(n) + 2)]),
        sides=(2, 3), shown=None, kind="nothing learned",
    ),
    Boundary(
        "learning_rate_too_high", "epochs", 3, "clear", "error",
        lambda n: course([0.8] * (6 + int(n)), [1e-3] * 6 + [0.05] * int(n)),
        sides=(2, 3), shown=None, kind="high plateau",
    ),
    Boundary(
        "learning_rate_too_high", "epochs", 3, "clear", "error",
        lambda n: course([0.6] * 4 + [0.93, 0.92, 0.91][: int(n)], 0.05),
        sides=(2, 3), shown=None, kind="oscillation",
    ),
    Boundary(
        "learning_rate_too_high", "epochs", 3, "clear", "error",
        lambda n: course([1] * (3 + int(n)), dead_units__dead_ratio=[layer(1, 0)] * 3 + [layer(1, 1)] * int(n)),
        sides=(2, 3), shown=None, kind="units died",
    ),
)  # fmt: skip


def _slow(
    loss: Sequence[float], update: float | Sequence[float], gradient: float = 0.1, rates: Sequence[float] = ()
) -> History:
    scalars = {"learning_rate": rates} if rates else {}
    return course(loss, update, gradient_flow__relative_gradient=[[gradient] * 4] * len(loss), scalars=scalars)


RATE_TOO_LOW = (
    Boundary("learning_rate_too_low", "step", 2e-4, "warning", "clear", lambda x: _slow([0.9] * 6, x)),
    Boundary(
        "learning_rate_too_low", "step", 2e-4, "clear", "warning",
        lambda x: _slow([0.9] * 6, 1e-5, x), shown="gradient", kind="gradient", at="low",
    ),
    Boundary(
        "learning_rate_too_low", "step", 2e-4, "warning", "clear",
        lambda x: _slow([0.9] * 6, x / 20, rates=[1e-6, 2e-6, 3e-6, 4e-6, 5e-6, 6e-6]), shown=None, kind="warm-up",
    ),
    Boundary(
        "learning_rate_too_low", "small_step", 1e-3, "warning", "clear", lambda x: _slow([1] * 6, x), shown="step"
    ),
    Boundary("learning_rate_too_low", "little", 0.8, "clear", "warning", lambda x: _slow([x] * 6, 1e-5), at=None),
    Boundary(
        "learning_rate_too_low", "gain", 0.05, "warning", "clear",
        lambda x: _slow(falling(0.9, 1 - math.sqrt(1 - 2 * x)), 1e-5), shown=None, kind="fall", at=None,
    ),
    Boundary(
        "learning_rate_too_low", "gain", 0.05, "warning", "clear",
        lambda x: _slow([0.9 / (1 - x), *[0.9] * 5], 1e-5, rates=[1e-3, *[1e-5] * 5]),
        shown=None, kind="before the rate fell",
    ),
    Boundary(
        "learning_rate_too_low", "still", 0.01, "warning", "clear",
        lambda x: _slow(falling(1, 1 - math.sqrt(1 - 2 * x)), 5e-4),
    ),
    Boundary("learning_rate_too_low", "stuck", 0.95, "clear", "warning", lambda x: _slow([x] * 6, 5e-4)),
    Boundary(
        "learning_rate_too_low", "epochs", 3, "clear", "warning",
        lambda n: _slow([0.9] * (4 + int(n)), [1e-2] * 4 + [1e-5] * int(n)), sides=(2, 3), shown=None,
    ),
    Boundary(
        "learning_rate_too_low", "epochs", 3, "clear", "warning",
        lambda n: _slow([1] * (4 + int(n)), [1e-2] * 4 + [5e-4] * int(n)), sides=(2, 3), shown=None,
        kind="nothing learned",
    ),
)  # fmt: skip

TOO_FEW = (
    Boundary(
        "too_few_epochs", "fall", 0.01, "clear", "info",
        lambda x: course(falling(0.9, 1 - (1 - 3 * x) ** (1 / 3))), kind="over all epochs", at=None,
    ),
    Boundary(
        "too_few_epochs", "fall", 0.01, "clear", "info",
        lambda x: course([1.3, 1.2, 1.1, 1.0, 0.9, 0.9 * (1 - x)]), shown="latest_fall",
        kind="in the latest epoch",
    ),
    Boundary("too_few_epochs", "high", 0.6, "clear", "info", lambda x: course(falling(x, 0.03))),
    Boundary(
        "too_few_epochs", "steady", 1.02, "info", "clear",
        lambda x: course([1.3, 1.2, 1.1, 1.1 * x, 1.0, 0.95]), shown=None, at=None,
    ),
    Boundary(
        "too_few_epochs", "epochs", 4, "unknown", "info",
        lambda n: course(falling(0.9, 0.03, int(n))), sides=(3, 4), shown=None,
    ),
    Boundary(
        "too_few_epochs", "latest", 2, "info", "clear",
        # The loss has not fallen for one epoch less than this.
        lambda n: course([1.3, 1.2, 1.1, 1.0, 0.9, *[0.82] * int(n)]), sides=(1, 2), shown=None,
    ),
)  # fmt: skip


def _wide(units: int, **changes: Any) -> RunInfo:
    return with_layers({row: {"units": units} | changes for row in range(3)})


def _regression(loss: float) -> History:
    """The targets have a variance of 1: the relative loss is the loss."""
    probe = Probe("given", 64, (), Targets(low=-2.0, high=2.0, variance=1.0))
    info = with_layers({3: {"units": 1, "activation": "linear"}}, loss='"mse"', probe=probe)
    rows = {"update_ratio.update_ratio": [[1e-3] * 4] * 9}
    return history(rows, info=info, scalars={"loss": [4.0, *[loss] * 8]})


DROPOUT = with_layer(1, dropout=0.9, dropout_at="drop")
UNDERFITTING = (
    Boundary("underfitting", "gain", 0.01, "warning", "clear", lambda x: course(_linear(0.7, x))),
    Boundary(
        "underfitting", "narrow", 3, "warning", "clear",
        lambda n: course(falling(0.7, 0.02), info=with_layer(1, units=int(n))), sides=(2, 3),
    ),
    Boundary("underfitting", "harmless_loss", 0.4, "clear", "warning", lambda x: course([0.9, *[x] * 8])),
    Boundary("underfitting", "low_regression", 0.7, "clear", "warning", _regression),
    Boundary(
        "underfitting", "wide", 24, "warning", "info",
        lambda n: course([0.7] * 9, info=_wide(int(n))), sides=(23, 24), shown=None,
    ),
    Boundary(
        "underfitting", "stuck", 0.95, "clear", "warning",
        lambda x: course(falling(x, 0.02), info=DROPOUT), kind="regularized",
    ),
    Boundary(
        "underfitting", "stuck", 0.95, "warning", "clear", lambda x: course([5, *[x] * 8]), kind="something learned"
    ),
    Boundary(
        "underfitting", "stuck", 0.95, "clear", "warning",
        lambda x: course([0.85] * 4 + [x] * 5), kind="nothing learned",
    ),
    Boundary(
        "underfitting", "stuck", 0.95, "clear", "warning",
        lambda x: course([1.2 / x, *[1.2] * 8]), shown="best_of_first", kind="nothing learned, of the first loss",
    ),
    Boundary("underfitting", "step", 1e-4, "clear", "warning", lambda x: course([0.7] * 9, x), kind="plateau"),
    Boundary("underfitting", "step", 1e-4, "clear", "warning", lambda x: course([1] * 9, x), kind="nothing learned"),
    Boundary(
        "underfitting", "epochs", 5, "clear", "warning",
        lambda n: course([1] * int(n)), sides=(4, 5), shown=None, kind="nothing learned",
    ),
    Boundary(
        "underfitting", "epochs", 5, "clear", "warning",
        lambda n: course(falling(1, 0.02, int(n)), info=DROPOUT), sides=(4, 5), shown=None, kind="regularized",
    ),
    Boundary(
        "underfitting", "epochs", 5, "clear", "warning",
        # A plateau shows between its ends: one snapshot more.
        lambda n: course([0.7] * (int(n) + 1)), sides=(4, 5), shown=None, kind="plateau",
    ),
    Boundary(
        "underfitting", "epochs", 5, "clear", "warning",
        lambda n: course([0.3] * 3 + [0.7] * int(n), info=with_layer(1, units=2)),
        sides=(4, 5), shown=None, kind="narrow",
    ),
)  # fmt: skip


def _linear(last: float, change: float) -> list[float]:
    """A loss whose mean change over the last five epochs, relative to its value before them, is this share."""
    by = last / (1 - 5 * change) * change
    return [last + by * epoch for epoch in reversed(range(9))]


def _validation(values: Sequence[float], loss: float = 0.1, gap: float | None = None) -> History:
    """A training loss that falls, and a validation loss."""
    scalars = {"loss": [9.0, 4.0, *[loss] * (len(values) - 2)], "val_loss": list(values)}
    if gap is not None:
        scalars |= {"accuracy": [0.9] * len(values), "val_accuracy": [0.9 - gap] * len(values)}
    return history({}, scalars=scalars)


OVERFITTING = (
    Boundary("overfitting", "rise", 1.2, "clear", "warning", lambda x: _validation([1, *[x] * 6]), at=None),
    Boundary(
        "overfitting", "noise", 0.03, "clear", "warning",
        lambda x: _validation([0.5 / x, 1, *[1.5] * 6], loss=0.1),
    ),
    Boundary(
        "overfitting", "gap", 1.5, "clear", "warning", lambda x: _validation([1, *[3] * 6], loss=3 / x)
    ),
    Boundary(
        "overfitting", "points", 0.1, "clear", "warning", lambda x: _validation([1, *[3] * 6], gap=x), shown=None
    ),
    Boundary(
        "overfitting", "epochs", 3, "clear", "warning",
        lambda n: _validation([1, 1, *[3] * int(n)]), sides=(2, 3), shown=None,
    ),
)  # fmt: skip


def _batch(size: int, ratios: Sequence[float] = (1, 1, 1, 1)) -> History:
    """A normalized convolution, trained with batches of this size; validation loss relative to training loss."""
    info = with_layers({0: {"normalization_class": "BatchNormalization"}}, batch_size=size)
    return history({}, info=info, scalars={"loss": [0.5] * len(ratios), "val_loss": [0.5 * each for each in ratios]})


SMALL_BATCH = (
    Boundary("batch_too_small_for_bn", "batch", 8, "info", "clear", lambda n: _batch(int(n)), sides=(7, 8)),
    Boundary(
        "batch_too_small_for_bn", "tiny", 2, "warning", "info", lambda n: _batch(int(n)), sides=(2, 3), shown=None
    ),
    Boundary("batch_too_small_for_bn", "gap", 1.5, "info", "warning", lambda x: _batch(6, [1, x, x, x])),
    Boundary(
        "batch_too_small_for_bn", "epochs", 2, "info", "warning",
        lambda n: _batch(6, [1, 1, *[3] * int(n)]), sides=(1, 2), shown=None,
    ),
)  # fmt: skip


def _statistics(gap: float = 0.7, shift: float = 0.0, change: float = 1.0) -> History:
    rows = {
        "batch_statistics.mean_shift": [layer(0, shift, NAN)] * 3,
        "batch_statistics.variance_ratio": [layer(0, change, NAN)] * 3,
        "model_output.accuracy": [layer(3, 0.2, NAN)] * 3,
    }
    info = with_layer(0, normalization_class="BatchNormalization")
    return history(rows, info=info, scalars={"accuracy": [0.2 + gap] * 3})


STALE = (
    Boundary("stale_batch_statistics", "gap", 0.25, "clear", "warning", lambda x: _statistics(x, shift=3), at=None),
    Boundary(
        "stale_batch_statistics",
        "useless",
        0.5,
        "warning",
        "error",
        lambda x: _statistics(x, shift=3),
        shown=None,
        at=None,
    ),
    Boundary("stale_batch_statistics", "shift", 1, "clear", "error", lambda x: _statistics(shift=x)),
    Boundary("stale_batch_statistics", "variance", 4, "clear", "error", lambda x: _statistics(change=x), kind="larger"),
    Boundary(
        "stale_batch_statistics", "variance", 4, "clear", "error", lambda x: _statistics(change=1 / x), kind="smaller"
    ),
)

BOUNDARIES = (*RATE_TOO_HIGH, *RATE_TOO_LOW, *TOO_FEW, *UNDERFITTING, *OVERFITTING, *SMALL_BATCH, *STALE)
