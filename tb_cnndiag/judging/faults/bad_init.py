"""Initial weights that are identical, too large or too small."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.finding import Adjustment, Severity
from tb_cnndiag.judging.concepts import HIGH_FIRST_LOSS, NOTHING_LEARNED
from tb_cnndiag.judging.conditions import Above
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import initializer, normalized
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.loss import RELATIVE_LOSS
from tb_cnndiag.judging.signals.magnitudes import (
    LARGEST_GAIN_EXCESS,
    SIGNAL,
    SIGNAL_GROWTH,
    SIGNAL_SHRINKAGE,
    gains_from_input,
    ideal_gain,
    initial_gains,
    largest_signal,
    log_gain,
)
from tb_cnndiag.judging.signals.similarity import INITIAL_SIMILARITY, LATER_SIMILARITY
from tb_cnndiag.judging.thresholds import EPOCHS, FIRST_LOSS, STUCK, Limit
from tb_cnndiag.wording import number, times

# The finding names the first layer whose excess, in powers of ten, is above this share of the largest one.
NEARLY_LARGEST = 0.8
# Powers of ten above which the gain of a layer differs enough to be changed with that of the layer that is named.
DIFFERS = 0.5
KEEPS_SCALE = "initial filters differ, and signals keep their scale"


def _wide(signals: Signals) -> list[int]:
    return [row for row in signals.hidden if signals.layers[row].units > 1]


def _identical_severity(case: Case) -> Severity:
    """An error while the filters are practically identical: closer to 1 than to the threshold of similarity."""
    return "error" if case.value("similar") >= (1 + case.limits["similar"]) / 2 + 0.17 else "warning"


def _weighted(case: Case) -> list[int]:
    """Rows whose initial gain is known."""
    return [row for row in case.signals.trainable if log_gain(case.signals, row) != 0]


def _extreme(case: Case, *, large: bool) -> int:
    """The first layer whose gain is nearly the largest, or nearly the smallest, relative to the ideal gain."""
    rows = [row for row in _weighted(case) if large or not case.signals.layers[row].output]
    excess = {row: log_gain(case.signals, row) for row in rows}
    most = max(excess.values()) if large else min(excess.values())
    return next(row for row in rows if excess[row] / most >= NEARLY_LARGEST)


def _scale_message(case: Case, row: int) -> str:
    layer, gain = case.signals.layers[row], float(initial_gains(case.signals)[row])
    keeps = f"a gain of {number(ideal_gain(layer))} keeps the scale of signals"
    return f"The initial gain of {layer.path} is {number(gain, 'ratio')}; {keeps}."


def _scale_adjustments(case: Case) -> tuple[Adjustment, ...]:
    return tuple(
        initializer(case.signals.layers[row], KEEPS_SCALE)
        for row in _weighted(case)
        if abs(log_gain(case.signals, row)) > DIFFERS
    )


def _severity(case: Case) -> Severity:
    """An error if nothing is learned."""
    return "error" if not case.signals(RELATIVE_LOSS).last() < case.limits["stuck"] else "warning"


def _signal_row(case: Case) -> int:
    row = largest_signal(case.signals, faster=False)
    assert row is not None
    return row


def _signal_message(case: Case) -> str:
    signal, first = times(case.value("signal")), times(case.value("first_loss"))
    path = case.signals.layers[_signal_row(case)].path
    return f"The signal in {path} is {signal} as large as the input, and the first loss is {first} the prior loss."


def _normalizations(case: Case) -> tuple[Adjustment, ...]:
    layers = [case.signals.layers[row] for row in gains_from_input(case.signals)]
    reason = "keeps the scale of signals from layer to layer"
    return tuple(normalized(case.signals, layer, reason) for layer in layers if not layer.normalization)


class BadInit(Fault):
    """Kernels at step 0: identical filters that stay similar, and gains that make signals explode or vanish."""

    id = "bad_init"
    title = "Bad initialization"
    what = "The initial filters of a layer are identical, or its initial weights are too large or too small."
    why = (
        "Identical filters receive identical gradients and stay identical: however wide the layer is, it has "
        "a single filter. Gains multiply from layer to layer until signals explode or vanish."
    )
    advice = "Use he_normal before ReLU, and glorot_uniform before tanh, sigmoid and softmax."
    source = (
        "Glorot & Bengio 2010; He et al. 2015 (arXiv:1502.01852), eq. 10; Goodfellow et al. 2016, section 8.4: initial "
        "parameters need to break symmetry."
    )
    diagnostic = "weight_health"
    of_trainings = True
    limits: ClassVar[Mapping[str, Limit]] = {
        "similarity": Limit(0.999, "cosine", "Mean |cosine| of the initial filters above which they are identical."),
        "similar": Limit(
            0.45,
            "cosine",
            "Mean |cosine| in training above which filters that started identical are still similar. Random filters "
            "lie below 0.4.",
        ),
        "growth": Limit(
            1e3,
            "ratio",
            "Product of the gains of hidden layers in series, relative to the ideal gains, above which weights are too "
            "large, and below whose inverse they are too small.",
        ),
        "gain": Limit(10, "ratio", "Gain of one layer, relative to the ideal gain, above which weights are too large."),
        "signal": Limit(30, "ratio", "Mean activation, relative to the RMS input, above which signals are too large."),
        "first_loss": FIRST_LOSS,
        "stuck": STUCK,
        "epochs": EPOCHS,
    }
    former: ClassVar[Mapping[str, str | None]] = {"loss": "first_loss", "start": "first_loss"}
    kinds = (
        Kind(
            where=_wide,
            when=Above(INITIAL_SIMILARITY, "similarity") & Above(LATER_SIMILARITY, "similar").for_epochs(complete=True),
            severity=_identical_severity,
            message=lambda case: (
                f"The {case.layer.units:,} filters of {case.layer.path} start identical and are still similar."
            ),
            adjustments=lambda case: (initializer(case.layer, KEEPS_SCALE),),
        ),
        Kind(
            when=(HIGH_FIRST_LOSS | NOTHING_LEARNED)
            & (Above(LARGEST_GAIN_EXCESS, "gain") | Above(SIGNAL_GROWTH, "growth")),
            at=lambda case: _extreme(case, large=True),
            severity=_severity,
            message=lambda case: _scale_message(case, _extreme(case, large=True)),
            adjustments=_scale_adjustments,
        ),
        Kind(
            when=NOTHING_LEARNED & Above(SIGNAL_SHRINKAGE, "growth"),
            at=lambda case: _extreme(case, large=False),
            severity=_severity,
            message=lambda case: _scale_message(case, _extreme(case, large=False)),
            adjustments=_scale_adjustments,
        ),
        Kind(
            when=HIGH_FIRST_LOSS & Above(SIGNAL, "signal"),
            at=_signal_row,
            severity=_severity,
            message=_signal_message,
            adjustments=_normalizations,
        ),
    )
