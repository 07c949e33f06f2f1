"""Thresholds of what a model answers: its output, loss and targets, and the two parts of a GAN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tb_cnndiag.history import History
from tb_cnndiag.payloads import Probe, Targets
from tests.judging.boundaries.boundary import PRIOR, Boundary, layer, with_layers
from tests.judging.faults.made import NAN, gan, history


def _answers(
    share: float = 1.0,
    spread: float = 1e-4,
    loss: float = 0.5,
    accuracy: float | None = 0.25,
    snapshots: int = 6,
    probe: Probe | None = None,
    **head: Any,
) -> History:
    """Answers after step 0, a loss relative to the prior loss, and, unless it is None, the accuracy in training."""
    rows = {
        "model_output.top_class_share": [layer(3, share, NAN)] * (snapshots + 1),
        "model_output.spread": [layer(3, spread, NAN)] * (snapshots + 1),
    }
    scalars = {"loss": [PRIOR * loss] * (snapshots + 1)}
    if accuracy is not None:
        scalars["accuracy"] = [accuracy] * (snapshots + 1)
    info = with_layers({3: head}, **({"probe": probe} if probe else {}))
    return history(rows, info=info, scalars=scalars)


def _classes(largest: float) -> Probe:
    """A probe of 2,000 samples whose largest class has this share of them."""
    count = round(2000 * largest)
    rest = 2000 - count
    return Probe("given", 2000, (count, rest // 2, rest - rest // 2, 0))


def _regression(spread: float, loss: float = 1.0, snapshots: int = 6) -> History:
    """A single output whose deviation and squared error are relative to targets of variance 1."""
    probe = Probe("given", 64, (), Targets(low=-3.0, high=3.0, variance=1.0))
    info = with_layers({3: {"units": 1, "activation": "linear"}}, loss='"mse"', probe=probe)
    rows = {"model_output.spread": [layer(3, spread, NAN)] * (snapshots + 1)}
    return history(rows, info=info, scalars={"loss": [1.0, *[loss] * snapshots]})


def _majority(loss: float, snapshots: int = 6) -> History:
    """One class for all samples, 60 % of which have it, and a loss relative to the entropy of the classes."""
    entropy = -(0.6 * math.log(0.6) + 2 * 0.2 * math.log(0.2)) + 2 / (2 * 2000)  # corrected for 2,000 samples
    return _answers(loss=loss * entropy / PRIOR, snapshots=snapshots, probe=_classes(0.6))


COLLAPSED = (
    Boundary("collapsed_output", "top_class_share", 0.95, "clear", "error", lambda x: _answers(x, 0.5), at="low"),
    Boundary("collapsed_output", "spread", 0.02, "error", "clear", lambda x: _answers(0.5, x, 1.0), kind="several"),
    Boundary("collapsed_output", "spread", 0.02, "error", "clear", _regression, kind="single"),
    Boundary(
        "collapsed_output", "majority", 0.5, "error", "clear",
        lambda x: _answers(loss=0.2, probe=_classes(x)), sides=(0.5, 0.501), shown=None,
    ),
    Boundary("collapsed_output", "stuck", 0.95, "clear", "error", lambda x: _answers(0.5, 1e-4, x), kind="constant"),
    Boundary(
        "collapsed_output", "stuck", 0.95, "clear", "error",
        lambda x: _answers(1.0, 0.5, x, accuracy=None), shown=None, kind="learns by its loss",
    ),
    Boundary("collapsed_output", "stuck", 0.95, "clear", "error", _majority, kind="majority"),
    Boundary("collapsed_output", "stuck", 0.95, "clear", "error", lambda x: _regression(1e-3, x), kind="single"),
    Boundary(
        "collapsed_output", "trained", 0.6, "error", "clear",
        lambda x: _answers(accuracy=0.25 + 0.75 * x), shown=None,
    ),
    Boundary(
        "collapsed_output", "epochs", 2, "clear", "error",
        lambda n: _answers(snapshots=int(n)), sides=(1, 2), shown=None, kind="several",
    ),
    Boundary(
        "collapsed_output", "epochs", 2, "unknown", "error",
        lambda n: _regression(1e-3, snapshots=int(n)), sides=(1, 2), shown=None, kind="single",
    ),
    Boundary(
        "collapsed_output", "lasting", 4, "clear", "error",
        lambda n: _answers(1.0, 0.5, snapshots=int(n)), sides=(3, 4), shown=None, kind="one class",
    ),
    Boundary(
        "collapsed_output", "lasting", 4, "clear", "error",
        lambda n: _answers(0.5, 1e-4, 1.0, snapshots=int(n)), sides=(3, 4), shown=None, kind="constant",
    ),
    Boundary(
        "collapsed_output", "lasting", 4, "unknown", "error",
        lambda n: _majority(1.0, int(n)), sides=(3, 4), shown=None, kind="majority",
    ),
)  # fmt: skip


def _head(
    targets: Targets | None = None,
    loss: str = "mse",
    curve: Sequence[float] = (1.0, 1.0),
    columns: Any = None,
    counts: tuple[int, ...] = (),
    **head: Any,
) -> History:
    info = with_layers({3: head}, loss=f'"{loss}"', probe=Probe("given", 64, counts, targets))
    rows = {f"model_output.{name}": [layer(3, value, NAN)] * len(curve) for name, value in (columns or {}).items()}
    return history(rows, info=info, scalars={"loss": list(curve)})


ONE_HOT = Targets((4,), 0.0, 1.0, whole=True, variance=0.1875, distribution=True)
ONE = {"units": 1, "output_shape": (1,)}
OUTPUT = (
    Boundary(
        "output_loss_mismatch", "row_sum_error", 0.01, "clear", "error",
        lambda x: _head(loss="categorical_crossentropy", columns={"row_sum_error": x}), kind="another axis", at="low",
    ),
    Boundary(
        "output_loss_mismatch", "row_sum_error", 0.01, "clear", "error",
        lambda x: _head(loss="categorical_crossentropy", columns={"row_sum_error": x}, activation="linear"),
        kind="logits", at="low",
    ),
    Boundary(
        "output_loss_mismatch", "row_sum_error", 0.01, "clear", "error",
        lambda x: _head(Targets(low=0, high=1 + x), "binary_crossentropy", activation="sigmoid", **ONE),
        shown=None, kind="labels above 1", at="low",
    ),
    Boundary(
        "output_loss_mismatch", "row_sum_error", 0.01, "clear", "error",
        lambda x: _head(Targets(low=-x, high=1), "binary_crossentropy", activation="sigmoid", **ONE),
        shown=None, kind="labels below 0", at="low",
    ),
    Boundary(
        "output_loss_mismatch", "row_sum_error", 0.01, "clear", "error",
        lambda x: _head(None, "binary_crossentropy", [1, -x], activation="sigmoid", **ONE),
        shown=None, kind="a negative loss", at="low",
    ),
    Boundary(
        "output_loss_mismatch", "one_class", 0.95, "unknown", "error",
        lambda x: _head(loss="mine", curve=[-1, -5], columns={"top_class_share": x}, counts=(16,) * 4),
        shown=None, at="low",
    ),
    Boundary(
        "output_loss_mismatch", "outside", 0.05, "clear", "warning",
        lambda x: _head(Targets(low=-x, high=1 - x), activation="sigmoid", **ONE), shown=None, at="low",
    ),
    Boundary(
        "output_loss_mismatch", "wasted", 0.25, "warning", "error",
        lambda x: _head(Targets(low=x, high=1 + x), activation="sigmoid", **ONE), shown=None,
    ),
    Boundary(
        "output_loss_mismatch", "target_size", 100, "clear", "warning",
        lambda x: _head(Targets(low=-1, high=x, variance=1.0), activation="linear", **ONE), shown=None, kind="above 0",
    ),
    Boundary(
        "output_loss_mismatch", "target_size", 100, "clear", "warning",
        lambda x: _head(Targets(low=-x, high=1, variance=1.0), activation="linear", **ONE), shown=None, kind="below 0",
    ),
    Boundary(
        "output_loss_mismatch", "stuck", 0.95, "clear", "warning",
        lambda x: _head(Targets(low=-1, high=900, variance=1.0), curve=[1, x], activation="linear", **ONE),
        shown=None, kind="large targets",
    ),
    Boundary(
        "output_loss_mismatch", "stuck", 0.95, "warning", "error",
        lambda x: _head(Targets(whole=True, high=1, variance=0.25), curve=[1, x], activation="relu", **ONE),
        shown=None, kind="rectified",
    ),
    Boundary(
        "output_loss_mismatch", "stuck", 0.95, "info", "warning",
        lambda x: _head(ONE_HOT, curve=[1, x]), shown=None, kind="squared error of classes",
    ),
    Boundary(
        "output_loss_mismatch", "stuck", 0.95, "info", "warning",
        # Each of four classes has a quarter of the samples: the prior loss is the entropy of that share.
        lambda x: _head(ONE_HOT, "binary_crossentropy", [1, x * 0.5623351446188083], activation="sigmoid"),
        shown=None, kind="exclusive classes",
    ),
)  # fmt: skip


GANS = (
    Boundary(
        "discriminator_overpowers", "loss", 0.1, "warning", "clear", lambda x: gan([0.3] * 5, [1.4, x, x, x, x])
    ),
    Boundary(
        "discriminator_overpowers", "gradient_fall", 0.01, "error", "warning",
        lambda x: gan([0.3] * 5, [1.4, 0.02, 0.02, 0.02, 0.02], [1, 1, 1, 1, x]), shown="generator_gradient",
    ),
    Boundary(
        "discriminator_overpowers", "epochs", 3, "clear", "warning",
        lambda n: gan([0.3] * (3 + int(n)), [1.4] * 3 + [0.02] * int(n)), sides=(2, 3), shown=None,
    ),
    Boundary("mode_collapse", "diversity_ratio", 0.05, "error", "clear", lambda x: gan([x / 2] * 12, [1.3] * 12)),
    Boundary(
        "mode_collapse", "low_after_fall", 0.2, "error", "clear",
        lambda x: gan([0.1, 0.5, *[x / 2] * 4], [1.3] * 6), shown="diversity_ratio",
    ),
    Boundary(
        "mode_collapse", "fall", 2.5, "clear", "error", lambda x: gan([0.1, 0.09 * x, *[0.09] * 4], [1.3] * 6)
    ),
    Boundary(
        "mode_collapse", "epochs", 3, "clear", "error",
        lambda n: gan([0.1, 0.5, 0.5, *[0.05] * int(n)], [1.3] * (3 + int(n))), sides=(2, 3), shown=None,
    ),
    Boundary(
        "mode_collapse", "lasting", 10, "unknown", "error",
        lambda n: gan([0.01] * (int(n) + 1), [1.3] * (int(n) + 1)), sides=(9, 10), shown=None,
    ),
)  # fmt: skip

BOUNDARIES = (*COLLAPSED, *OUTPUT, *GANS)
