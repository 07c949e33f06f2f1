"""Initial weights that are identical, too large or too small."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History, Series
from tb_cnndiag.judging.faults.base import Fault, Limit, normalized
from tb_cnndiag.judging.signals.loss import relative_loss, training_loss
from tb_cnndiag.judging.signals.magnitudes import gains_from_input, measured_gains
from tb_cnndiag.judging.signals.persistence import Streak
from tb_cnndiag.numerics.activations import LINEAR_GROWTH, facts_of
from tb_cnndiag.payloads import LayerInfo
from tb_cnndiag.wording import number, times

# The finding names the first layer whose excess, in powers of ten, is above this share of the largest one.
NEARLY_LARGEST = 0.8
# Mean |cosine| above which initially identical filters are still similar (random filters lie below 0.4), and above
# which they are practically identical.
SIMILAR, IDENTICAL = 0.45, 0.9
# Gain relative to the ideal gain above which it matters whether the weights of a layer have one sign.
LARGE_GAIN = 1.4
# Number of weights below which chance decides their size, if the initializer is one that keeps the scale of signals.
FEW_WEIGHTS = 64
VARIANCE_SCALING = ("he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "lecun_normal", "lecun_uniform")


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
    limits: ClassVar[Mapping[str, Limit]] = {
        "similarity": Limit(0.999, "cosine", "Mean |cosine| of the initial filters above which they are identical."),
        "growth": Limit(
            1e3,
            "ratio",
            "Product of the hidden layers' gains, relative to the ideal gains, above which weights are too large, and "
            "below whose inverse they are too small.",
        ),
        "gain": Limit(10, "ratio", "Gain of one layer, relative to the ideal gain, above which weights are too large."),
        "start": Limit(10, "ratio", "First loss, relative to the prior loss, above which large signals are the cause."),
        "signal": Limit(30, "ratio", "Mean activation, relative to the RMS input, above which signals are too large."),
        "loss": Limit(5, "ratio", "First loss, relative to the prior loss, above which large weights did harm."),
        "stuck": Limit(0.95, "ratio", "Loss, relative to the prior loss, above which nothing was learned."),
        "snapshots": Limit(2, "count", "Number of snapshots above which filters that stay similar are a fault."),
    }

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per layer of identical filters; without such layers, at most one for the scale of the weights."""
        similarity = history.series("filter_similarity", "mean_similarity")
        zeros = history.series("weight_health", "zero_share")
        identical = [
            row
            for row, layer in enumerate(history.layers)
            if layer.trainable
            and not layer.output
            and layer.units > 1
            and (_stay_identical(similarity, row, layer, limits["similarity"]) or _stays_above(zeros, row, 1.0))
        ]
        for row in identical:
            if history.snapshots <= limits["snapshots"]:
                break
            layer = history.layers[row]
            first, last = (float(np.nan_to_num(v, nan=1.0)) for v in _ends(similarity, row))
            yield self.finding(
                history,
                layer,
                "error" if last >= IDENTICAL else "warning",
                Streak(0, history.last_step, True),
                f"The {layer.units:,} filters of {layer.path} start identical and are still similar.",
                evidence={"similarity": Evidence(first, limits["similarity"], "cosine")},
                adjustments=(_initializer(layer),),
            )
        if not identical:
            yield from self._scale(history, limits)

    def _scale(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        gains = history.series("weight_health", "gain")
        steps, _ = training_loss(history)
        loss = relative_loss(history)
        if not len(gains) or gains.steps[0] > 0 or not loss.size:
            return
        initial = np.nan_to_num(gains.values[0], nan=1.0)
        for row, measured in measured_gains(history).items():
            if initial[row] >= LARGE_GAIN * _ideal_gain(history.layers[row]):
                initial[row] = max(initial[row], measured)
        rows = [
            i
            for i, layer in enumerate(history.layers)
            if layer.trainable and initial[i] > 0 and not layer.normalization
        ]
        hidden = [i for i in rows if not history.layers[i].output]
        excess = {i: _excess(history.layers[i], float(initial[i])) for i in rows}
        growth = sum(excess[i] for i in hidden)
        first = np.nan_to_num(loss[0], nan=np.inf, posinf=np.inf)
        harmful = first >= limits["loss"] or not loss[-1] < limits["stuck"]
        excessive = max(excess.values(), default=0) >= math.log10(limits["gain"])
        large = harmful and (excessive or growth >= math.log10(limits["growth"]))
        small = growth <= -math.log10(limits["growth"]) and loss[-1] >= limits["stuck"]
        if not (large or small):
            if first >= limits["start"]:
                yield from self._signals(history, limits, float(first), learns=bool(loss[-1] < limits["stuck"]))
            return
        most = max(excess.values()) if large else min(excess[i] for i in hidden)
        row = next(i for i in (rows if large else hidden) if excess[i] / most >= NEARLY_LARGEST)
        layer = history.layers[row]
        yield self.finding(
            history,
            layer,
            "error" if not loss[-1] < limits["stuck"] else "warning",
            Streak(0, history.last_step, len(steps) >= limits["snapshots"]),
            f"The initial gain of {layer.path} is {number(float(initial[row]), 'ratio')}; a gain of "
            f"{number(_ideal_gain(layer))} keeps the scale of signals.",
            evidence={
                "gain": Evidence(float(initial[row]), limits["gain"], "ratio"),
                "growth": Evidence(10.0**growth, limits["growth"], "ratio"),
            },
            adjustments=tuple(_initializer(history.layers[i]) for i in rows if abs(excess[i]) > 0.5),
        )

    def _signals(
        self, history: History, limits: Mapping[str, float], first: float, *, learns: bool
    ) -> Iterator[Finding]:
        """Large signals although the gain of no layer is large, e.g. where shortcuts add up."""
        if any(layer.activation not in LINEAR_GROWTH for layer in history.layers if not layer.output):
            return  # then the weights are not the cause
        gains = gains_from_input(history)
        largest = max(gains, key=lambda row: gains[row], default=None)
        if largest is None or gains[largest] < limits["signal"]:
            return
        gain = gains[largest]
        layer = history.layers[largest]
        yield self.finding(
            history,
            layer,
            "warning" if learns else "error",
            Streak(0, history.last_step, history.snapshots > limits["snapshots"]),
            f"The signal in {layer.path} is {times(gain)} as large as the input, and the first loss is {times(first)} "
            "the prior loss.",
            evidence={
                "loss": Evidence(first, limits["start"], "ratio"),
                "signal": Evidence(gain, limits["signal"], "ratio"),
            },
            adjustments=tuple(
                normalized(history, history.layers[i], "keeps the scale of signals from layer to layer")
                for i in gains
                if not history.layers[i].normalization
            ),
        )


def _ends(series: Series, row: int) -> tuple[float, float]:
    """The first and the last value of one layer; 1 if it was not measured."""
    values = series.values[:, row] if len(series) else np.ones(1)
    return float(values[0]), float(values[-1])


def _stay_identical(similarity: Series, row: int, layer: LayerInfo, threshold: float) -> bool:
    """Whether filters start identical and stay similar. Filters of one weight, as in a 1 × 1 kernel, always do."""
    if layer.fan_in < 2 or _by_chance(layer) or len(similarity) < 2 or similarity.steps[0] > 0:
        return False
    values = similarity.values[:, row]
    return bool(values[0] >= threshold and (values[np.isfinite(values)] >= SIMILAR).all())


def _stays_above(series: Series, row: int, threshold: float) -> bool:
    """Whether a number of one layer reaches the threshold at step 0 and at every later snapshot."""
    known = np.isfinite(series.values[:, row])
    values = series.values[known, row]
    return len(values) > 1 and series.steps[known][0] == 0 and bool((values >= threshold).all())


def _ideal_gain(layer: LayerInfo) -> float:
    return facts_of(layer.activation).ideal_gain


def _by_chance(layer: LayerInfo) -> bool:
    """Whether chance decides the size of a layer's weights: few weights, and an initializer that keeps the scale."""
    return layer.units * layer.fan_in < FEW_WEIGHTS and layer.initializer in VARIANCE_SCALING


def _excess(layer: LayerInfo, gain: float) -> float:
    """Powers of ten between a gain and the ideal gain; 0 where chance explains the difference."""
    return 0.0 if _by_chance(layer) else math.log10(gain / _ideal_gain(layer))


def _initializer(layer: LayerInfo) -> Adjustment:
    proposed = facts_of(layer.activation).initializer
    return Adjustment.of(
        SetParameter(layer.path, "kernel_initializer", proposed),
        layer.initializer or "unknown",
        "initial filters differ, and signals keep their scale",
    )
