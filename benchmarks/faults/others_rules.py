"""Rules of other tools as their documentation or released code states them, each a function of a record.

Sources and how they are read: ``others.py``. Thresholds are their defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Record = Mapping[str, Any]
Rule = Callable[[Record], bool]


def _curve(r: Record, *names: str) -> list[float]:
    """The first of these curves that exists, by epoch."""
    for name in names:
        if name in r["snapshots"][-1]["logs"]:
            return [snapshot["logs"][name] for snapshot in r["snapshots"][1:]]
    return []


def _kernels(r: Record, key: str) -> list[list[Any]]:
    """One value of each kernel, by snapshot."""
    return [[kernel[key] for kernel in snapshot["kernels"]] for snapshot in r["snapshots"]]


def _activations(r: Record, *names: str) -> set[str]:
    """Layers with one of these activations."""
    kinds = {"ReLU": "relu"}
    return {
        layer["name"] for layer in r["model"]["layers"] if (layer["activation"] or kinds.get(layer["kind"])) in names
    }


def _any_layer(r: Record, key: str, above: float, *activations: str) -> bool:
    chosen = _activations(r, *activations)
    return any(row[key] > above for snapshot in r["snapshots"] for row in snapshot["layers"] if row["name"] in chosen)


def _head(r: Record) -> Mapping[str, Any]:
    head: Mapping[str, Any] = r["model"]["layers"][-1]
    return head


# SageMaker Debugger


def _exploding_tensor(r: Record) -> bool:
    finite = [row["finite"] for s in r["snapshots"] for part in ("kernels", "layers", "answers") for row in s[part]]
    return not (all(finite) and np.isfinite(_curve(r, "loss")).all())


def _poor_initialization(r: Record) -> bool:
    first = r["snapshots"][0]["kernels"]
    variances = [kernel["variance"] for kernel in first]
    ranges = [kernel["gradient_p95"] - kernel["gradient_p5"] for kernel in first]
    losses = r["steps"][:10]
    stuck = len(losses) == 10 and min(losses[5:]) >= min(losses[:5])
    return not max(variances) <= 10 * min(variances) or not min(ranges) >= 0.001 or stuck


def _loss_not_decreasing(r: Record) -> bool:
    loss = np.array(_curve(r, "loss"))
    change = 100 * np.diff(loss) / np.abs(loss[:-1])
    return bool(np.any((change > 5) | (np.abs(change) < 0.1)))


def _sagemaker_overfit(r: Record) -> bool:
    loss, val = np.array(_curve(r, "loss")), np.array(_curve(r, "val_loss"))
    if not len(val):
        return False
    over = (val - loss) / loss > 0.1
    return bool(np.any(over[1:] & over[:-1]))


def _overtraining(r: Record) -> bool:
    return _idle(_curve(r, "loss")) >= 5 and _idle(_curve(r, "val_loss")) >= 10


def _idle(curve: list[float], delta: float = 0.01) -> int:
    """Steps since the last new optimum."""
    best, at = np.inf, 0
    for i, value in enumerate(curve):
        if value < best - delta:
            best, at = value, i
    return len(curve) - 1 - at


def _class_imbalance(r: Record) -> bool:
    counts = [target["counts"] for target in r["targets"] if 2 <= len(target["counts"]) <= 50]
    wrong = [share for answer in r["snapshots"][-1]["answers"] for share in answer["wrong"]]
    return any(max(c) > 10 * min(c) for c in counts) or any(share > 0.7 for share in wrong)


def _update_ratio(r: Record) -> bool:
    ratios = [u for row in _kernels(r, "update") for u in row if u is not None]
    return any(not 1e-8 <= ratio <= 10 for ratio in ratios)


def _input_images(r: Record) -> bool:
    return any(len(part["shape"]) == 3 and not abs(part["mean"]) <= 0.2 for part in r["inputs"])


SAGEMAKER: dict[str, tuple[Rule, tuple[str, ...]]] = {
    "DeadRelu": (lambda r: _any_layer(r, "inactive", 0.5, "relu"), ("dead_units",)),
    "ExplodingTensor": (_exploding_tensor, ("nan_or_inf", "exploding_gradient")),
    "PoorWeightInitialization": (_poor_initialization, ("bad_init",)),
    "SaturatedActivation": (
        lambda r: _any_layer(r, "pinned_tanh", 0.5, "tanh") or _any_layer(r, "pinned_sigmoid", 0.5, "sigmoid"),
        ("saturated_activation",),
    ),
    "VanishingGradient": (
        lambda r: any(value < 1e-7 for row in _kernels(r, "gradient_mean") for value in row),
        ("vanishing_gradient",),
    ),
    "WeightUpdateRatio": (_update_ratio, ("learning_rate_too_high", "learning_rate_too_low")),
    "LossNotDecreasing": (
        _loss_not_decreasing,
        ("learning_rate_too_high", "learning_rate_too_low", "underfitting"),
    ),
    "Overfit": (_sagemaker_overfit, ("overfitting",)),
    "Overtraining": (_overtraining, ("overfitting",)),
    "ClassImbalance": (_class_imbalance, ("collapsed_output",)),
    "CheckInputImages": (_input_images, ("unnormalised_input",)),
}

# AUTOTRAINER


def _autotrainer(r: Record) -> set[str]:
    """The issue of highest priority at the first epoch that has one."""
    accuracy, val = (_curve(r, f"{side}accuracy", f"{side}binary_accuracy") for side in ("", "val_"))
    loss, val_loss = _curve(r, "loss"), _curve(r, "val_loss")
    if not (accuracy and val):
        return set()
    seen: set[str] = set()
    for epoch in range(len(loss)):
        found = _autotrainer_at(r, epoch, seen, (accuracy, val, loss, val_loss))
        for group in (("data",), ("activation", "loss"), ("vanish", "explode", "relu"), ("stuck", "unstable")):
            if found & set(group):
                return found & set(group)
    return set()


def _autotrainer_at(r: Record, epoch: int, seen: set[str], curves: tuple[list[float], ...]) -> set[str]:
    accuracy, val, loss, val_loss = (curve[: epoch + 1] for curve in curves)
    snapshot, total = r["snapshots"][epoch + 1], len(curves[0])
    kernels = snapshot["kernels"]
    norms = [kernel["gradient_norm"] for kernel in kernels]
    if not all(kernel["finite"] for kernel in kernels):
        seen.add("nan")
    else:
        ratio = norms[0] / norms[-1] if norms[-1] else np.nan
        seen |= {"vanish"} if ratio < 1e-3 and norms[0] < 1e-4 else set()
        seen |= {"explode"} if ratio > 70 else set()
        zero = np.average([k["gradient_zero"] for k in kernels], weights=[k["size"] for k in kernels])
        seen |= {"relu"} if zero >= 0.7 else set()
    bad_loss = not np.isfinite(loss + val_loss).all() or max(loss + val_loss) >= 1e3
    negative = not bad_loss and min(loss + val_loss) < 0
    low = max(accuracy) < 0.6 and max(val) < 0.6
    late = epoch + 1 >= 0.3 * total - 1
    flat = max([0.0, *np.diff(accuracy)]) < 0.01 and max([0.0, *np.diff(val)]) < 0.01
    unstable = late and not bad_loss and _oscillates(accuracy)
    if not (bad_loss or negative or (late and flat) or epoch >= total / 2):
        return set()
    answers, output = snapshot["answers"][-1], _improper(r)
    if answers["sum"] > 1.1 or not answers["finite"]:
        output |= {"activation"}
    large = any(row["mean"] >= 10 for row in snapshot["layers"][:-1])
    found = {"data"} if large and "activation" not in output else set()
    found |= {"loss"} if negative else set()
    if bad_loss:
        found |= {"activation"} if "activation" in output else ({"explode"} if "nan" in seen else set())
    elif late and (low or flat):
        order = [name for name in ("relu", "explode", "vanish") if name in seen]
        found |= {"activation"} if "activation" in output else set(order[:1]) or ({"stuck"} if low and flat else set())
    if unstable:
        found |= {"activation"} if "activation" in output else {"unstable"}
    return found | (output & {"loss"} if "activation" not in output else set())


def _improper(r: Record) -> set[str]:
    """Loss and last activation that do not go together, where the loss is given by name."""
    loss, head, shapes = r["model"]["loss"], _head(r), r["model"]["outputs"]
    if not loss.get("text") or not shapes:
        return set()
    units, name = shapes[-1][-1], loss["name"]
    if not ((units <= 2 and "binary" in name) or (units > 2 and "categorical" in name)):
        return {"loss"}
    wanted = "sigmoid" if "binary" in name else "softmax"
    return {"activation"} if head["activation"] != wanted and units != 2 else set()


def _oscillates(accuracy: list[float]) -> bool:
    a = np.array(accuracy)
    inner = range(1, len(a) - 1)
    tops = [a[i] for i in inner if a[i] >= a[i - 1] and a[i] >= a[i + 1]]
    lows = [a[i] for i in inner if a[i] <= a[i - 1] and a[i] <= a[i + 1]]
    swings = sum(top - low >= 0.03 for top, low in zip(tops, lows, strict=False))
    return len(a) > 2 and swings >= 0.2 * len(a)


def _reports(label: str) -> Rule:
    return lambda r: label in _autotrainer(r)


AUTOTRAINER: dict[str, tuple[Rule, tuple[str, ...]]] = {
    label: (_reports(label), names)
    for label, names in {
        "vanish": ("vanishing_gradient",),
        "explode": ("exploding_gradient", "nan_or_inf"),
        "relu": ("dead_units",),
        "unstable": ("learning_rate_too_high",),
        "stuck": ("learning_rate_too_low", "underfitting"),
        "activation": ("output_loss_mismatch",),
        "loss": ("output_loss_mismatch",),
        "data": ("unnormalised_input",),
    }.items()
}

# BTTackler


def _early(r: Record) -> list[dict[str, Any]]:
    snapshots: list[dict[str, Any]] = r["snapshots"][1:]
    return snapshots[: max(len(snapshots) // 2, 1)]


def _bt_exploding(r: Record) -> bool:
    for snapshot in r["snapshots"][1:]:
        g = np.array([kernel["gradient_mean"] for kernel in snapshot["kernels"]])
        if (
            not np.isfinite(g).all()
            or np.median(g) > 10000
            or (g.all() and len(g) > 1 and np.median(g[:-1] / g[1:]) > 1000)
        ):
            return True
    return False


def _bt_vanishing(r: Record) -> bool:
    for snapshot in _early(r):
        g = np.array([kernel["gradient_mean"] for kernel in snapshot["kernels"]])
        if np.median(g) < 1e-5 or not g.all() or (len(g) > 1 and np.median(g[:-1] / g[1:]) < 1e-4):
            return True
    return False


def _bt_dying(r: Record) -> bool:
    snapshots = r["snapshots"][5:]
    return any(np.median([kernel["gradient_zero"] for kernel in snapshot["kernels"]]) > 0.5 for snapshot in snapshots)


def _spread(values: Any) -> float:
    return float(np.std(values) / np.mean(values))


def _bt_slow(r: Record) -> bool:
    for name in ("loss", "val_loss"):
        curve = _curve(r, name)
        half = len(curve) // 2
        if name == "loss" and any(_spread(curve[:n]) < 1e-4 for n in range(3, half + 1)):
            return True
        for n in range(max(half + 1, 6), len(curve) + 1):
            if _spread(curve[: n // 2]) < _spread(curve[n // 2 : n]):
                return True
    return False


def _bt_oscillating(r: Record) -> bool:
    for name in ("loss", "val_loss"):
        curve = _curve(r, name)
        for n in range(max(len(curve) // 2 + 1, 3), len(curve) + 1):
            window = curve[max(n - 6, 0) : n]
            if (
                np.isfinite(window).all()
                and np.polyfit(range(len(window)), window, 1)[0] >= 0.01
                and _spread(window) > 0.2
            ):
                return True
    return False


def _bt_no_gain(r: Record) -> bool:
    for name in ("loss", "val_loss"):
        curve = _curve(r, name)
        if any(np.mean(curve[n - 6 : n - 3]) < np.mean(curve[n - 3 : n]) for n in range(6, len(curve) + 1)):
            return True
    return False


BTTACKLER: dict[str, tuple[Rule, tuple[str, ...]]] = {
    "exploding gradient": (_bt_exploding, ("exploding_gradient", "nan_or_inf")),
    "vanishing gradient": (_bt_vanishing, ("vanishing_gradient",)),
    "dying ReLU": (_bt_dying, ("dead_units",)),
    "slow convergence": (_bt_slow, ("learning_rate_too_low", "underfitting")),
    "heavy oscillation": (_bt_oscillating, ("learning_rate_too_high",)),
    "no more gain": (_bt_no_gain, ("overfitting", "underfitting")),
}

# UMLAUT


def _umlaut_overfit(r: Record) -> bool:
    loss, val = _curve(r, "loss"), _curve(r, "val_loss")
    return bool(len(val) and np.any((np.diff(val) > 0) & (np.diff(loss) <= 0)))


def _high_validation(r: Record) -> bool:
    a, v = (np.array(_curve(r, f"{side}accuracy", f"{side}binary_accuracy")[3:]) for side in ("", "val_"))
    return bool(len(v) and (np.any(v > 0.95) or np.any(v - a > 0.05)))


UMLAUT: dict[str, tuple[Rule, tuple[str, ...]]] = {
    "input not normalized": (
        lambda r: any(not (part["least"] >= -1 and part["most"] <= 1) for part in r["inputs"]),
        ("unnormalised_input",),
    ),
    "input not floating": (
        lambda r: any(not part["dtype"].startswith("float") for part in r["inputs"]),
        ("unnormalised_input",),
    ),
    "NaN in input": (
        lambda r: bool(np.isnan(_curve(r, "loss")).any()) and any(np.isnan(part["mean"]) for part in r["inputs"]),
        ("nan_or_inf",),
    ),
    "no softmax before the loss": (
        lambda r: _head(r)["kind"] != "Softmax" and not r["model"]["loss"]["logits"],
        ("output_loss_mismatch",),
    ),
    "activation at the last layer": (
        lambda r: _head(r)["activation"] not in (None, "linear"),
        ("output_loss_mismatch",),
    ),
    "missing activation": (
        lambda r: any(layer["activation"] == "linear" for layer in r["model"]["layers"][:-1]),
        ("missing_activation",),
    ),
    "learning rate high": (lambda r: any(s["rate"] > 0.01 for s in r["snapshots"]), ("learning_rate_too_high",)),
    "learning rate low": (lambda r: any(s["rate"] < 1e-7 for s in r["snapshots"]), ("learning_rate_too_low",)),
    "dropout above one half": (
        lambda r: any((layer["rate"] or 0) > 0.5 for layer in r["model"]["layers"]),
        ("underfitting",),
    ),
    "overfitting": (_umlaut_overfit, ("overfitting",)),
    "high validation accuracy": (_high_validation, ()),
}

TOOLS = {"SageMaker Debugger": SAGEMAKER, "AUTOTRAINER": AUTOTRAINER, "BTTackler": BTTACKLER, "UMLAUT": UMLAUT}
