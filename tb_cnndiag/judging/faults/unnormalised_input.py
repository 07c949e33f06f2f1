"""Inputs of the first layers that are not normalized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.changes import InsertLayer
from tb_cnndiag.finding import Adjustment, Severity
from tb_cnndiag.judging.conditions import Above, Below
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.signals.inputs import (
    CONSTANT_SHARE,
    INPUT_DEVIATION,
    INPUT_MAXIMUM,
    INPUT_MEAN,
    INPUT_MINIMUM,
    INPUT_OFFSET,
    INPUT_SCALE,
    INPUT_SPREAD,
    first_layers,
)
from tb_cnndiag.judging.signals.loss import learns
from tb_cnndiag.judging.thresholds import HARMLESS, Limit
from tb_cnndiag.wording import number, percent

# Maximum of 8-bit pixels that are not rescaled, with a margin for rounding; values of at most the second may be shares.
PIXEL_MAXIMUM, SHARE_MAXIMUM = 255.5, 1.5


def _size(case: Case) -> tuple[float, float]:
    """(mean, standard deviation) of the input of a layer."""
    assert case.row is not None
    return case.signals(INPUT_MEAN).last(case.row), case.signals(INPUT_DEVIATION).last(case.row)


def _message(case: Case) -> str:
    mean, deviation = _size(case)
    return f"The input of {case.layer.path} has mean {number(mean)} and standard deviation {number(deviation)}."


def _weak_message(case: Case) -> str:
    return f"{_message(case)} It hardly varies: it may have been scaled twice."


def _rescaling(case: Case) -> tuple[Adjustment, ...]:
    assert case.row is not None
    low, high = case.signals(INPUT_MINIMUM).last(case.row), case.signals(INPUT_MAXIMUM).last(case.row)
    pixels = low >= 0 and SHARE_MAXIMUM < high <= PIXEL_MAXIMUM
    change = InsertLayer(case.layer.path, "input", "Rescaling", {"scale": 1 / 255}) if pixels else _standardized(case)
    proposed = "Rescaling(1/255)" if pixels else "Normalization"
    return (Adjustment.of(change, "as given", "brings inputs to the order of 1", proposed=proposed),)


def _normalization(case: Case) -> tuple[Adjustment, ...]:
    change = _standardized(case)
    return (
        Adjustment.of(change, "as given", "brings inputs to the order of 1", proposed="Normalization"),
        Adjustment(None, "scaling", "twice", "once", "one of the two divisions is superfluous"),
    )


def _standardized(case: Case) -> InsertLayer:
    mean, deviation = _size(case)
    config = {"axis": None, "mean": mean, "variance": max(deviation, 1e-6) ** 2}
    return InsertLayer(case.layer.path, "input", "Normalization", config)


def _severity(case: Case) -> Severity:
    return "info" if case.layer.normalization else "warning"


def _weak_severity(case: Case) -> Severity:
    """A network that learns has scaled weak inputs up by itself."""
    return "info" if case.layer.normalization or learns(case.signals, case.limits["harmless_loss"]) else "warning"


class UnnormalizedInput(Fault):
    """Mean and standard deviation of the probe at the first layer, after any rescaling inside the model."""

    id = "unnormalised_input"
    title = "Unnormalized input"
    what = (
        "The first layer receives inputs that are not normalized: a channel has a large mean or standard deviation, or "
        "inputs hardly vary at all, as after two divisions by 255."
    )
    why = "The gradient of the first layer grows with its input: no learning rate suits both this layer and the others."
    advice = (
        "Divide pixels by 255, or make a Rescaling or Normalization layer the first layer. If the input hardly varies, "
        "remove one of the two."
    )
    source = "LeCun et al. 1998, Efficient BackProp, section 4.3; UMLAUT's input check (CHI 2021)."
    diagnostic = "model_input"
    limits: ClassVar[Mapping[str, Limit]] = {
        "mean": Limit(10, "input", "Absolute mean of a channel above which the input is not normalized."),
        "std": Limit(10, "input", "Standard deviation of a channel above which the input is not normalized."),
        "small": Limit(0.02, "input", "Mean and standard deviation of the channels below which the input is too weak."),
        "constant_share": Limit(0.5, "share", "Share of constant samples above which the data are broken."),
        "harmless_loss": HARMLESS,
    }
    kinds = (
        Kind(
            where=first_layers,
            when=Above(CONSTANT_SHARE, "constant_share", strict=True),
            message=lambda case: (
                f"The input of {case.layer.path} is constant in {percent(case.value('constant_share'))} of the samples."
            ),
            adjustments=lambda case: (Adjustment(None, "data", "constant", "images", "constant samples say nothing"),),
        ),
        Kind(
            where=first_layers,
            when=Above(INPUT_OFFSET, "mean", strict=True) | Above(INPUT_SPREAD, "std", strict=True),
            severity=_severity,
            message=_message,
            adjustments=_rescaling,
        ),
        Kind(
            where=first_layers,
            when=Below(INPUT_SCALE, "small"),
            severity=_weak_severity,
            message=_weak_message,
            adjustments=_normalization,
        ),
    )
