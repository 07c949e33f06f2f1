"""Weights that start all alike, far too large or far too small."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History, Series
from tb_cnndiag.judging.faults.base import Fault, Limit, Streak, normalized
from tb_cnndiag.judging.faults.loss_progress import losses, progress
from tb_cnndiag.judging.faults.series import growth_of_signals, growths_from_the_input
from tb_cnndiag.numerics.activations import TAME
from tb_cnndiag.payloads import LayerInfo

# The first layer whose excess, in powers of ten, is this share of the largest is the one that is named.
NEARLY = 0.8
RECTIFIED = ("relu", "relu6", "leaky_relu", "prelu", "elu", "gelu", "silu", "mish")


# Mean |cosine| from which filters that started alike have not become different, random ones being below 0.4, and from
# which they are hardly more than one.
STILL_CLOSE, ONE = 0.45, 0.9
# Gain over the ideal from which it matters whether a layer's weights have one sign.
RAISED = 1.4


# Of fewer weights the size is told by chance too; initializers that keep signals at their size.
FEW = 64
FITTING = ("he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "lecun_normal", "lecun_uniform")


class BadInit(Fault):
    """Kernels at step 0: equal filters that stay equal, and gains that blow signals up or let them fade."""

    id = "bad_init"
    title = "Bad initialization"
    what = "The kernel starts with filters that are all alike, or with weights far too large or small for its fan-in."
    why = (
        "Equal filters are given equal gradients and stay equal: the layer has one filter, however wide it is. Wrong "
        "sizes multiply from layer to layer until signals overflow or vanish."
    )
    advice = "Use he_normal before ReLU, glorot_uniform before tanh, sigmoid and softmax."
    source = (
        "Glorot & Bengio 2010; He et al. 2015 (arXiv:1502.01852), eq. 10; Goodfellow et al. 2016, section 8.4: initial "
        "parameters need to break symmetry."
    )
    diagnostic = "weight_health"
    limits: ClassVar[Mapping[str, Limit]] = {
        "similarity": Limit(0.999, "cosine", "mean |cosine| of a layer's filters from which they are all alike"),
        "growth": Limit(1e3, "ratio", "growth (or its inverse) of a signal through the layers, as their gains tell"),
        "gain": Limit(10, "ratio", "gain of one layer over the ideal from which it starts too large"),
        "start": Limit(10, "ratio", "loss of the first epoch over chance from which signals that grew explain it"),
        "signal": Limit(30, "ratio", "mean magnitude of an activation over that of the input from which signals grow"),
        "loss": Limit(5, "ratio", "loss of the first epoch over chance from which a large start did harm"),
        "stuck": Limit(0.95, "ratio", "loss over chance from which a small start lets nothing be learned"),
        "snapshots": Limit(2, "count", "snapshots behind the first before filters that stay alike are a fault"),
    }

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per layer that starts symmetric; else at most one for the size of the weights."""
        similarity = history.series("filter_similarity", "mean_similarity")
        zeros = history.series("weight_health", "zero_share")
        alike = [
            row
            for row, layer in enumerate(history.layers)
            if layer.trainable
            and not layer.output
            and layer.units > 1
            and (_all_alike(similarity, row, layer, limits["similarity"]) or _stays(zeros, row, 1.0))
        ]
        for row in alike:
            if history.snapshots <= limits["snapshots"]:
                break
            layer = history.layers[row]
            first, last = (float(np.nan_to_num(v, nan=1.0)) for v in _ends(similarity, row))
            yield self.finding(
                history,
                layer,
                "error" if last >= ONE else "warning",
                Streak(0, history.last_step, True),
                f"{layer.path}: its {layer.units} filters start alike and are still close.",
                evidence={"similarity": Evidence(first, limits["similarity"], "cosine")},
                adjustments=(_initializer(layer),),
            )
        if not alike:
            yield from self._size(history, limits)

    def _size(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        gains = history.series("weight_health", "gain")
        steps, _ = losses(history)
        course = progress(history)
        if not len(gains) or gains.steps[0] > 0 or not course.size:
            return
        start = np.nan_to_num(gains.values[0], nan=1.0)
        for row, grown in growth_of_signals(history).items():
            if start[row] >= RAISED * _ideal(history.layers[row]):
                start[row] = max(start[row], grown)
        rows = [
            i for i, layer in enumerate(history.layers) if layer.trainable and start[i] > 0 and not layer.normalization
        ]
        hidden = [i for i in rows if not history.layers[i].output]
        excess = {i: _excess(history.layers[i], float(start[i])) for i in rows}
        growth = sum(excess[i] for i in hidden)
        first = np.nan_to_num(course[0], nan=np.inf, posinf=np.inf)
        harmed = first >= limits["loss"] or not course[-1] < limits["stuck"]
        excessive = max(excess.values(), default=0) >= math.log10(limits["gain"])
        large = harmed and (excessive or growth >= math.log10(limits["growth"]))
        small = growth <= -math.log10(limits["growth"]) and course[-1] >= limits["stuck"]
        if not (large or small):
            if first >= limits["start"]:
                yield from self._by_the_signals(history, limits, float(first), course[-1] < limits["stuck"])
            return
        most = max(excess.values()) if large else min(excess[i] for i in hidden)
        row = next(i for i in (rows if large else hidden) if excess[i] / most >= NEARLY)
        layer = history.layers[row]
        yield self.finding(
            history,
            layer,
            "error" if not course[-1] < limits["stuck"] else "warning",
            Streak(0, history.last_step, len(steps) >= limits["snapshots"]),
            f"{layer.path} starts with a gain of {start[row]:.3g}; {_ideal(layer):.2g} keeps signals at their size.",
            evidence={
                "gain": Evidence(float(start[row]), limits["gain"], "ratio"),
                "growth": Evidence(10.0**growth, limits["growth"], "ratio"),
            },
            adjustments=tuple(_initializer(history.layers[i]) for i in rows if abs(excess[i]) > 0.5),
        )

    def _by_the_signals(
        self, history: History, limits: Mapping[str, float], first: float, learns: bool
    ) -> Iterator[Finding]:
        """Signals that have grown far on their way although no layer's gain is large, as where shortcuts add up."""
        if any(layer.activation not in TAME for layer in history.layers if not layer.output):
            return  # what those do is no fault of the weights
        grown = growths_from_the_input(history)
        most = max(grown, key=lambda row: grown[row], default=None)
        if most is None or grown[most] < limits["signal"]:
            return
        growth = grown[most]
        layer = history.layers[most]
        yield self.finding(
            history,
            layer,
            "warning" if learns else "error",
            Streak(0, history.last_step, history.snapshots > limits["snapshots"]),
            f"Signals grow {growth:.3g} times on the way to {layer.path}, and the loss starts at {first:.3g} times "
            "that of chance.",
            evidence={
                "loss": Evidence(first, limits["start"], "ratio"),
                "signal": Evidence(growth, limits["signal"], "ratio"),
            },
            adjustments=tuple(
                normalized(history, history.layers[i], "keeps signals at their size from layer to layer")
                for i in grown
                if not history.layers[i].normalization
            ),
        )


def _ends(series: Series, row: int) -> tuple[float, float]:
    """The first and the last value of one layer; 1 where there is none."""
    values = series.values[:, row] if len(series) else np.ones(1)
    return float(values[0]), float(values[-1])


def _all_alike(similarity: Series, row: int, layer: LayerInfo, limit: float) -> bool:
    """Whether filters start alike and are still close; those of one weight, as of a 1 × 1 kernel, can be no other."""
    if layer.fan_in < 2 or _by_chance(layer) or len(similarity) < 2 or similarity.steps[0] > 0:
        return False
    values = similarity.values[:, row]
    return bool(values[0] >= limit and (values[np.isfinite(values)] >= STILL_CLOSE).all())


def _stays(series: Series, row: int, limit: float) -> bool:
    """Whether a number of one layer is at its limit at step 0 and at every later snapshot."""
    known = np.isfinite(series.values[:, row])
    values = series.values[known, row]
    return len(values) > 1 and series.steps[known][0] == 0 and bool((values >= limit).all())


def _ideal(layer: LayerInfo) -> float:
    return math.sqrt(2) if layer.activation in RECTIFIED else 1.0


def _by_chance(layer: LayerInfo) -> bool:
    """Whether a layer has so few weights, of an initializer that fits, that chance makes them what they are."""
    return layer.units * layer.fan_in < FEW and layer.initializer in FITTING


def _excess(layer: LayerInfo, gain: float) -> float:
    """Powers of ten by which a gain is off; 0 where chance alone explains it."""
    return 0.0 if _by_chance(layer) else math.log10(gain / _ideal(layer))


def _initializer(layer: LayerInfo) -> Adjustment:
    proposed = "he_normal" if layer.activation in RECTIFIED else "glorot_uniform"
    return Adjustment.of(
        SetParameter(layer.path, "kernel_initializer", proposed),
        layer.initializer or "unknown",
        "filters differ from the start, and signals keep their size",
    )
