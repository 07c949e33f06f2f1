"""Thresholds of what is wrong in a layer: initial weights, input, units, filters, connections."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.payloads import UnitStates
from tests.judging.boundaries.boundary import PRIOR, Boundary, layer, with_layer, with_layers
from tests.judging.faults.made import INFO, LAYERS, NAN, conv, history

HE = 2**0.5
STUCK = [PRIOR] * 4


def _similar(initial: float, later: float, snapshots: int = 4) -> History:
    rows = [layer(1, initial, 0.1)] + [layer(1, later, 0.1)] * (snapshots - 1)
    return history({"filter_similarity.mean_similarity": rows})


def _gains(excess: Sequence[float], loss: Sequence[float]) -> History:
    """Convolutions in series whose initial gains are this many times the ideal ones."""
    layers = [conv(f"conv{row}", *([row - 1] if row else []), activation="relu") for row in range(len(excess))]
    head = replace(LAYERS[3], inputs=(len(excess) - 1,))
    gains = [HE * each for each in excess] + [1.0]
    run = {"weight_health.gain": [gains] * len(loss)}
    return history(run, info=replace(INFO, layers=(*layers, head)), scalars={"loss": loss})


def _signal(size: float, loss: Sequence[float], activation: str = "relu") -> History:
    """A signal in the third layer that is this many times as large as the input, although no gain is large."""
    rows = {
        "weight_health.gain": [[HE, HE, HE, 1.0]] * len(loss),
        "weight_health.rms": [[0.1] * 4] * len(loss),
        "dead_units.magnitude": [[1.0, 2.0, 5 * size, 0.25]] * len(loss),
        "model_input.mean": [layer(0, 3.0, NAN)] * len(loss),
        "model_input.std": [layer(0, 4.0, NAN)] * len(loss),
    }
    info = with_layers({row: {"activation": activation} for row in range(3)})
    return history(rows, info=info, scalars={"loss": loss})


BAD_INIT = (
    Boundary("bad_init", "similarity", 0.999, "clear", "error", lambda x: _similar(x, 0.99)),
    Boundary("bad_init", "similar", 0.45, "clear", "warning", lambda x: _similar(1.0, x)),
    Boundary(
        "bad_init", "epochs", 2, "clear", "error",
        lambda n: _similar(1.0, 0.99, int(n)), sides=(1, 2), shown=None,
    ),
    Boundary(
        "bad_init", "growth", 1e3, "clear", "error", lambda x: _gains([x**0.2] * 5, STUCK), kind="too large", at=None
    ),
    Boundary("bad_init", "growth", 1e3, "clear", "error", lambda x: _gains([x**-0.2] * 5, STUCK), kind="too small"),
    Boundary("bad_init", "gain", 10, "clear", "error", lambda x: _gains([1, x, 1], STUCK), at=None),
    Boundary("bad_init", "signal", 30, "clear", "warning", lambda x: _signal(x, [9 * PRIOR, 0.3])),
    Boundary(
        "bad_init", "first_loss", 5, "clear", "warning", lambda x: _signal(90, [x * PRIOR, 0.3]), kind="large signals"
    ),
    Boundary(
        "bad_init", "first_loss", 5, "clear", "warning",
        lambda x: _gains([1, 90, 1], [x * PRIOR, 0.3]), kind="large gain",
    ),
    Boundary(
        "bad_init", "stuck", 0.95, "clear", "error",
        lambda x: _gains([1, 90, 1], [PRIOR, x * PRIOR]), kind="large gain",
    ),
    Boundary(
        "bad_init", "stuck", 0.95, "clear", "error",
        lambda x: _gains([1, 1e-4, 1], [PRIOR, x * PRIOR]), kind="small gain",
    ),
    Boundary(
        "bad_init", "stuck", 0.95, "warning", "error",
        lambda x: _signal(90, [9 * PRIOR, x * PRIOR]), shown=None, kind="severity",
    ),
)  # fmt: skip


def _input(mean: float, deviation: float, loss: float = PRIOR, **others: float) -> History:
    sizes = {"mean": mean, "std": deviation, "minimum": -1.0, "maximum": 1.0} | others
    return history(
        {f"model_input.{name}": [layer(0, value, NAN)] * 3 for name, value in sizes.items()},
        scalars={"loss": [loss] * 3},
    )


UNNORMALIZED = (
    Boundary("unnormalised_input", "mean", 10, "clear", "warning", lambda x: _input(-x, 1), at="low"),
    Boundary("unnormalised_input", "std", 10, "clear", "warning", lambda x: _input(0, x), at="low"),
    Boundary("unnormalised_input", "small", 0.02, "warning", "clear", lambda x: _input(0, x), kind="deviation"),
    Boundary("unnormalised_input", "small", 0.02, "warning", "clear", lambda x: _input(-x, 0), kind="mean"),
    Boundary(
        "unnormalised_input", "constant_share", 0.5, "clear", "error",
        lambda x: _input(0, 1, constant_share=x), at="low",
    ),
    Boundary(
        "unnormalised_input", "harmless_loss", 0.5, "info", "warning",
        lambda x: _input(0, 0.001, x * PRIOR), shown=None,
    ),
)  # fmt: skip


def _dead(row: int, *shares: float, samples: int = 0, loss: float = PRIOR) -> History:
    states = UnitStates(np.full(LAYERS[row].units, 3, np.uint8), samples, 9 * samples)
    return history(
        {"dead_units.dead_ratio": [layer(row, share) for share in shares]},
        scalars={"loss": [loss] * len(shares)},
        payloads=[("dead_units", LAYERS[row].path, states)] if samples else (),
    )


DEAD_UNITS = (
    Boundary("dead_units", "dead_ratio", 0.4, "clear", "warning", lambda x: _dead(1, 0, x, x, x), kind="convolution"),
    Boundary(
        "dead_units", "dead_ratio", 0.4, "clear", "warning",
        lambda x: _dead(2, x, 0.8, 0.8, 0.8), shown="initial_ratio", kind="dense at step 0",
    ),
    Boundary(
        "dead_units", "dead_ratio", 0.4, "clear", "warning",
        lambda x: _dead(2, 0.8, x, x, x), kind="dense, as dead later",
    ),
    Boundary("dead_units", "dense_ratio", 0.9, "clear", "warning", lambda x: _dead(2, 0, x, x, x), at=None),
    Boundary(
        "dead_units", "samples", 64, "warning", "error",
        lambda n: _dead(1, 0, 1, 1, samples=int(n)), sides=(63, 64), shown=None,
    ),
    Boundary(
        "dead_units", "harmless_loss", 0.5, "warning", "error",
        lambda x: _dead(1, 0, 1, 1, samples=512, loss=x * PRIOR), shown=None,
    ),
    Boundary(
        "dead_units", "epochs", 2, "clear", "warning",
        lambda n: _dead(1, 0, 0, *[0.8] * int(n)), sides=(1, 2), shown=None, kind="convolution",
    ),
    Boundary(
        "dead_units", "epochs", 2, "clear", "warning",
        lambda n: _dead(2, 0, 0, *[0.95] * int(n)), sides=(1, 2), shown=None, kind="dense",
    ),
)  # fmt: skip


def _saturated(*shares: float) -> History:
    rows = {"saturation.pinned_ratio": [layer(1, share, NAN) for share in shares]}
    return history(rows, info=with_layer(1, activation="tanh"))


SATURATED = (
    Boundary("saturated_activation", "pinned_ratio", 0.4, "clear", "warning", lambda x: _saturated(0, x, x, x)),
    Boundary(
        "saturated_activation", "epochs", 2, "clear", "warning",
        lambda n: _saturated(0, 0, *[0.8] * int(n)), sides=(1, 2), shown=None,
    ),
)  # fmt: skip


def _twins(*shares: float, fan_in: int = 72) -> History:
    rows = {"filter_similarity.twin_ratio": [layer(1, share) for share in shares]}
    return history(rows, info=with_layer(1, fan_in=fan_in))


REDUNDANT = (
    Boundary("redundant_filters", "twin_ratio", 0.3, "clear", "warning", lambda x: _twins(0, x, x, x)),
    Boundary(
        "redundant_filters", "fan_in", 16, "clear", "warning",
        lambda n: _twins(1, 1, 1, fan_in=int(n)), sides=(15, 16),
    ),
    Boundary(
        "redundant_filters", "epochs", 2, "clear", "warning",
        lambda n: _twins(0, 0, *[0.8] * int(n)), sides=(1, 2), shown=None,
    ),
)  # fmt: skip


def _missing(*absent: float, row: int = 1) -> History:
    """A layer that receives no gradient at the snapshots that are 1."""
    rows = [layer(row, NAN if each else 0.0) for each in absent]
    return history({"gradient_flow.non_finite_ratio": rows})


def _zero(norms: Sequence[Sequence[float]], blocked: float = 0.0) -> History:
    rows = {
        "gradient_flow.gradient_norm": norms,
        "gradient_flow.non_finite_ratio": [[0.0] * 4] * len(norms),
        "dead_units.dead_ratio": [layer(2, blocked)] * len(norms),
    }
    return history(rows)


def _random(deviation: float) -> History:
    """A frozen layer of 144 · 16 weights: their RMS varies by less than 3 %."""
    frozen = replace(conv("a", activation="relu"), trainable=False, initializer="he_normal")
    size = (1 + deviation) * (2 / 144) ** 0.5
    info = replace(INFO, layers=(frozen, *LAYERS[1:]))
    return history({"weight_health.rms": [[size, 0.1, 0.1, 0.1]]}, info=info)


FROZEN = (
    Boundary(
        "frozen_layer", "gradient", 0.5, "clear", "error",
        lambda x: _missing(*[x] * 3), sides=(0, 1), shown="no_gradient", kind="missing",
    ),
    Boundary(
        "frozen_layer", "gradient", 0.5, "clear", "error",
        lambda x: _zero([layer(1, 1 - x, 0.1)] * 3), sides=(0, 1), shown="zero_gradient", kind="zero",
    ),
    Boundary(
        "frozen_layer", "gradient", 0.5, "clear", "error",
        lambda x: _zero([[1 - x] * 4] * 3), sides=(0, 1), shown="zero_gradient", kind="zero everywhere",
    ),
    Boundary(
        "frozen_layer", "blocked", 1, "error", "clear",
        lambda x: _zero([layer(1, 0, 0.1)] * 3, x), sides=(0.999, 1), shown=None, kind="zero",
    ),
    Boundary(
        "frozen_layer", "blocked", 1, "error", "clear",
        lambda x: _zero([[0.0] * 4] * 3, x), sides=(0.999, 1), shown=None, kind="zero everywhere",
    ),
    Boundary("frozen_layer", "deviation", 0.03, "warning", "clear", _random, at=None),
    Boundary(
        "frozen_layer", "epochs", 2, "clear", "error",
        lambda n: _missing(0, 0, *[1] * int(n)), sides=(1, 2), shown=None, kind="missing",
    ),
    Boundary(
        "frozen_layer", "epochs", 2, "clear", "error",
        lambda n: _zero([[0.0] * 4] * int(n)), sides=(1, 2), shown=None, kind="zero everywhere",
    ),
    Boundary(
        "frozen_layer", "epochs", 2, "clear", "error",
        lambda n: _zero([layer(1, 0, 0.1)] * int(n)), sides=(1, 2), shown=None, kind="zero",
    ),
)  # fmt: skip


def _in_series(count: float) -> History:
    activation = "linear" if count else "relu"
    first = conv("a", activation=activation, linear_behind=True)
    info = replace(INFO, layers=(first, conv("b", 0, activation="relu"), replace(LAYERS[3], inputs=(1,))))
    return history({"weight_health.rms": [[0.1] * 3]}, info=info)


def _non_finite(count: float) -> History:
    return history({"weight_health.non_finite": [[0.0] * 4, layer(2, count)]})


def _optimizer(name: str, rate: float) -> str:
    return json.dumps({"class_name": name, "config": {"learning_rate": rate}})


CERTAIN = (
    Boundary("missing_activation", "layers", 0, "clear", "warning", _in_series, sides=(0, 1)),
    Boundary("nan_or_inf", "count", 0, "clear", "error", _non_finite, sides=(0, 1)),
)


def _exploding(*ratios: float, update: float = NAN, loss: Sequence[float] = ()) -> History:
    rows = {"gradient_flow.relative_gradient": [[ratio] * 4 for ratio in ratios]}
    rows |= {"update_ratio.update_ratio": [[update] * 4] * len(ratios)}
    return history(rows, scalars={"loss": loss} if loss else None)


def _first_gradient(ratio: float, loss: Sequence[float]) -> History:
    """Plain descent at the default rate, with first gradients that are this many times as large as the weights."""
    norms = [ratio * 0.1 * (each.units * each.fan_in) ** 0.5 for each in LAYERS]
    rows = {
        "gradient_flow.gradient_norm": [norms] + [[0.1] * 4] * (len(loss) - 1),
        "weight_health.rms": [[0.1] * 4] * len(loss),
    }
    return history(rows, info=replace(INFO, optimizer=_optimizer("SGD", 0.01)), scalars={"loss": loss})


EXPLODING = (
    Boundary("exploding_gradient", "relative_gradient", 10, "clear", "error", lambda x: _exploding(x, x, x), at="low"),
    Boundary(
        "exploding_gradient", "relative_gradient", 10, "clear", "error",
        lambda x: _first_gradient(x, STUCK), kind="first gradient",
    ),
    Boundary(
        "exploding_gradient", "signal", 1e3, "clear", "error", lambda x: _signal(x, [9 * PRIOR, 0.3], activation="mine")
    ),
    Boundary(
        "exploding_gradient", "first_loss", 5, "clear", "error",
        lambda x: _signal(1e4, [x * PRIOR, 0.3], activation="mine"),
    ),
    Boundary(
        "exploding_gradient", "stuck", 0.95, "clear", "error", lambda x: _first_gradient(90, [PRIOR, *[x * PRIOR] * 3])
    ),
    Boundary(
        "exploding_gradient", "step", 0.03, "clear", "error",
        lambda x: _exploding(50, 50, 50, update=x), shown=None,
    ),
    Boundary(
        "exploding_gradient", "rise", 1.5, "clear", "error",
        lambda x: _exploding(50, 50, 50, loss=[1, 1, x]), shown=None,
    ),
    Boundary(
        "exploding_gradient", "epochs", 2, "clear", "error",
        lambda n: _exploding(1, 1, *[50] * int(n)), sides=(1, 2), shown=None,
    ),
    Boundary(
        "exploding_gradient", "epochs", 2, "clear", "error",
        lambda n: _first_gradient(90, [0.3, 0.3, *[PRIOR] * int(n)]), sides=(1, 2), shown=None, kind="first gradient",
    ),
)  # fmt: skip


def _vanishing(
    to_last: float = 1e-9,
    to_hidden: float = 1e-8,
    update: float = 1e-8,
    loss: float = 0.7,
    dead: float = 0.0,
    sound: int = 0,
    snapshots: int = 4,
) -> History:
    """Relative gradients of the first layer that are these shares of the last one's and the last hidden one's."""
    fading = [1.0, 1.0, 1.0 / to_hidden, 1.0 / to_last]
    rows = {
        "gradient_flow.relative_gradient": [[1.0] * 4] * sound + [fading] * snapshots,
        "update_ratio.update_ratio": [[update, 1e-3, 1e-3, 1e-3]] * (sound + snapshots),
        "dead_units.dead_ratio": [layer(1, dead)] * (sound + snapshots),
    }
    return history(rows, scalars={"loss": [loss * PRIOR] * (sound + snapshots)})


VANISHING = (
    Boundary("vanishing_gradient", "gradient_ratio", 1e-3, "error", "clear", lambda x: _vanishing(to_last=x)),
    Boundary("vanishing_gradient", "hidden_ratio", 1e-2, "error", "clear", lambda x: _vanishing(to_hidden=x)),
    Boundary(
        "vanishing_gradient", "update_ratio", 1e-4, "error", "clear", lambda x: _vanishing(update=x), shown=None
    ),
    Boundary(
        "vanishing_gradient", "stuck", 0.95, "clear", "error", lambda x: _vanishing(update=1e-2, loss=x)
    ),
    Boundary(
        "vanishing_gradient", "harmless_loss", 0.5, "clear", "error", lambda x: _vanishing(loss=x), shown=None
    ),
    Boundary("vanishing_gradient", "blocked", 0.9, "error", "clear", lambda x: _vanishing(dead=x), shown=None),
    Boundary(
        "vanishing_gradient", "epochs", 2, "clear", "error",
        lambda n: _vanishing(sound=2, snapshots=int(n)), sides=(1, 2), shown=None,
    ),
)  # fmt: skip

BOUNDARIES = (
    *BAD_INIT, *UNNORMALIZED, *DEAD_UNITS, *SATURATED, *REDUNDANT, *FROZEN, *CERTAIN, *EXPLODING, *VANISHING,
)  # fmt: skip
