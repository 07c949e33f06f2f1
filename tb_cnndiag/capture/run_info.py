"""The run info that the log stores: the models, how they are trained, and the versions of the packages."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.layers import json_of, other_matrices, table_id, walk
from tb_cnndiag.payloads import LayerInfo, RunInfo


def run_info(models: Mapping[str, Any], table: tuple[LayerInfo, ...], unprobed: Mapping[str, str]) -> RunInfo:
    """The part of the run info that the models provide.

    Args:
        models: The models by the prefix of their layers' paths.
        table: The layer table.
        unprobed: What to say of each part that has no probe, by the part's name.
    """
    model = next(iter(models.values()))
    notes = [
        f"{path} ({type(layer).__name__}) is not observed because its units depend on time steps."
        for prefix, part in models.items()
        for path, layer in walk(part, prefix)
        if isinstance(layer, keras.layers.RNN)
    ]
    notes += unprobed.values()
    unseen = [row.path for row in table if not row.seen_at and _part_of(row.path, models) not in unprobed]
    if unseen and any(row.seen_at for row in table):
        notes.append(f"The pass over the probe does not reach {', '.join(unseen)}: only their weights are inspected.")
    notes += [
        f"{path} is not inspected: {reason}."
        for prefix, part in models.items()
        for path, reason in other_matrices(part, prefix)
    ]
    return RunInfo(
        table=table_id(table),
        layers=table,
        model=", ".join(prefix.rstrip("/") or part.name for prefix, part in models.items()),
        loss=_loss_config(model),
        optimizer=json_of(lambda: _serialized(getattr(model, "optimizer", None))),
        versions=_versions(),
        parameters=sum(int(np.prod(v.shape)) for part in models.values() for v in part.weights),
        trainable_parameters=sum(int(np.prod(v.shape)) for part in models.values() for v in part.trainable_variables),
        notes=tuple(notes),
    )


def _part_of(path: str, models: Mapping[str, Any]) -> str:
    return next((prefix.rstrip("/") for prefix in models if prefix and path.startswith(prefix)), "")


def _serialized(optimizer: Any) -> Any:
    if optimizer is None:
        raise ValueError("no optimizer")
    return keras.optimizers.serialize(optimizer)


def _loss_config(model: Any) -> str:
    loss = getattr(model, "loss", None)
    return "" if loss is None else json.dumps(_described(loss))


def _described(loss: Any) -> Any:
    """A loss as its config or name; lists and dictionaries of losses, also those that a backend wraps, as such."""
    if loss is None or isinstance(loss, str):
        return loss
    if isinstance(loss, Mapping):
        return {str(name): _described(each) for name, each in loss.items()}
    if isinstance(loss, list | tuple):
        return [_described(each) for each in loss]
    if isinstance(loss, keras.losses.Loss):
        return json.loads(json_of(lambda: keras.losses.serialize(loss)) or json.dumps(type(loss).__name__))
    return getattr(loss, "__name__", None) or str(getattr(loss, "func", loss))


@functools.cache
def _versions() -> dict[str, str]:
    versions = {}
    for package in ("tb-cnndiag", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "tensorboard", "numpy"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
