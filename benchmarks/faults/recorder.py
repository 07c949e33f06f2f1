"""What other tools judge by, recorded by Keras alone: none of our code is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from benchmarks.corpus.gradients import loss_gradients

RECORD = "record.json"
SAMPLES = 256


class Recorder(keras.callbacks.Callback):
    """Writes ``record.json``: losses by step; gradients, weights and outputs before training and after each epoch.

    Gradients are those of the loss on the first 256 training samples, in inference mode so that nothing changes.
    Outputs of layers are recorded for Sequential and Functional models only.
    """

    def __init__(self, home: Path, x: Any, y: Any, validation: bool) -> None:
        super().__init__()
        self._home = home
        self._x, self._y = keras.tree.map_structure(lambda a: a[:SAMPLES], (x, y))
        self._record: dict[str, Any] = {
            "steps": [], "snapshots": [], "validation": validation,
            "inputs": [_extent(a) for a in keras.tree.flatten(x)],
            "targets": [_extent(a) | _classes(a) for a in keras.tree.flatten(y)],
        }  # fmt: skip
        self._before: dict[str, Any] = {}
        self._seen = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        """Record the configuration, and a snapshot before the first step."""
        model = self.model
        self._record["model"] = {
            "loss": _loss(model.loss),
            "optimizer": type(model.optimizer).__name__,
            "layers": [_layer(layer) for layer in model.layers],
            "outputs": [list(output.shape[1:]) for output in getattr(model, "outputs", None) or []],
        }
        self._take_snapshot({})

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Keras reports the mean since the start of an epoch: begin anew."""
        self._seen = 0.0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """The loss of this step, from two means."""
        total = float(logs["loss"]) * (batch + 1)
        self._record["steps"].append(total - self._seen)
        self._seen = total

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Take a snapshot after the epoch."""
        self._take_snapshot({name: float(value) for name, value in (logs or {}).items()})

    def on_train_end(self, logs: Any = None) -> None:
        """Write all."""
        (self._home / RECORD).write_text(json.dumps(self._record))

    def _take_snapshot(self, logs: dict[str, float]) -> None:
        rate = float(np.asarray(self.model.optimizer.learning_rate))
        self._record["snapshots"].append(
            {
                "logs": logs, "rate": rate, "kernels": self._kernels(), "layers": self._outputs(),
                "answers": self._answers(),
            }
        )  # fmt: skip

    def _kernels(self) -> list[dict[str, Any]]:
        """Each trainable weight of two or more dimensions, in order of the layers."""
        weights = [w for w in self.model.trainable_weights if len(w.shape) > 1]
        _, _, found = loss_gradients(self.model, self._x, self._y, weights, training=False)
        rows = []
        for weight, gradient in zip(weights, found, strict=True):
            value = np.asarray(weight, "float32")
            g = np.zeros_like(value) if gradient is None else np.asarray(ops.convert_to_numpy(gradient), "float32")
            was = self._before.get(weight.path)
            rows.append(
                {
                    "path": weight.path,
                    "no_gradient": gradient is None,
                    "gradient_mean": float(np.abs(g).mean()),
                    "gradient_norm": float(np.linalg.norm(g)),
                    "size": int(g.size),
                    "gradient_zero": float((g == 0).mean()),
                    "gradient_p5": float(np.percentile(g, 5)),
                    "gradient_p95": float(np.percentile(g, 95)),
                    "variance": float(value.var()),
                    "largest": float(np.abs(value).max()),
                    "norm": float(np.linalg.norm(value)),
                    "finite": bool(np.isfinite(value).all() and np.isfinite(g).all()),
                    "update": None if was is None else float(np.abs(value - was).mean() / (np.abs(was).mean() + 1e-9)),
                    "same": was is not None and bool(np.allclose(value, was, rtol=1e-5, atol=1e-8)),
                }
            )
            self._before[weight.path] = value.copy()
        return rows

    def _outputs(self) -> list[dict[str, Any]]:
        """Activity and magnitude of each layer of a Sequential or Functional model."""
        try:
            layers = [layer for layer in self.model.layers if len(layer._inbound_nodes) == 1]
            inspected = keras.Model(self.model.inputs, [layer.output for layer in layers])
            values = keras.tree.flatten(inspected(self._x, training=False))
        except (AttributeError, ValueError):
            return []
        return [_activity(layer.name, value) for layer, value in zip(layers, values, strict=True)]

    def _answers(self) -> list[dict[str, Any]]:
        """Each output of the model."""
        answers = keras.tree.flatten(self.model(self._x, training=False))
        wanted = keras.tree.flatten(self._y)
        rows = []
        for value, y in zip((np.asarray(ops.convert_to_numpy(v), "float32") for v in answers), wanted, strict=True):
            flat = value.reshape(len(value), -1)
            rows.append(
                _extent(value)
                | {
                    "sum": float(np.abs(flat).sum(axis=1).max()),
                    "wrong": _wrong(flat, np.asarray(y)),
                    "kinds": np.bincount(flat.argmax(axis=1), minlength=flat.shape[1]).tolist()[:100],
                }
            )
        return rows


def _activity(name: str, value: Any) -> dict[str, Any]:
    value = np.asarray(ops.convert_to_numpy(value), "float32")
    units = value.reshape(-1, value.shape[-1]) if value.ndim > 1 else value.reshape(-1, 1)
    return {
        "name": name,
        "mean": float(np.abs(value).mean()),
        "variance": float(value.var()),
        "finite": bool(np.isfinite(value).all()),
        "zero": float((value == 0).mean()),
        # Shares of a layer's channels that are above zero, or within the bounds, in less than 1 % of their values.
        "inactive": float(((units > 0).mean(axis=0) < 0.01).mean()),
        "pinned_tanh": float(((np.abs(units) < 1).mean(axis=0) < 0.01).mean()),
        "pinned_sigmoid": float((((units > 1e-10) & (units < 1)).mean(axis=0) < 0.01).mean()),
    }


def _wrong(answers: Any, y: Any) -> list[float]:
    """Share of wrong answers of each class that occurs; empty if the targets are not classes."""
    if y.ndim == 2 and y.shape == answers.shape and y.shape[1] > 1 and np.allclose(y.sum(axis=1), 1):
        y = y.argmax(axis=1)
    if y.ndim != 1 or y.dtype.kind not in "iu" or answers.shape[1] < 2:
        return []
    right = answers.argmax(axis=1) == y
    return [float(1 - right[y == kind].mean()) for kind in np.unique(y)]


def _extent(a: Any) -> dict[str, Any]:
    a = np.asarray(a)
    with np.errstate(all="ignore"):
        return {
            "least": float(a.min()), "most": float(a.max()), "mean": float(a.mean()), "deviation": float(a.std()),
            "shape": list(a.shape[1:]), "finite": bool(np.isfinite(a).all()), "dtype": str(a.dtype),
        }  # fmt: skip


def _classes(y: Any) -> dict[str, Any]:
    values, counts = np.unique(np.asarray(y), return_counts=True)
    return {"counts": counts.tolist() if len(values) <= 50 else []}


def _loss(loss: Any) -> Any:
    if isinstance(loss, keras.losses.Loss):
        return {"name": type(loss).__name__, "logits": bool(loss.get_config().get("from_logits", False))}
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", "several")
    return {"name": name, "logits": False, "text": isinstance(loss, str)}


def _layer(layer: Any) -> dict[str, Any]:
    activation = getattr(layer, "activation", None)
    return {
        "name": layer.name,
        "kind": type(layer).__name__,
        "activation": getattr(activation, "__name__", None),
        "rate": float(layer.rate) if type(layer).__name__ == "Dropout" else None,
        "kernel": hasattr(layer, "kernel"),
    }
