"""Trainings that are spread over devices and machines by ``tf.distribute``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras


def scope(model: Any) -> AbstractContextManager[Any]:
    """Where variables that the training step of a model changes are made."""
    strategy = _strategy(model)
    return nullcontext() if strategy is None else strategy.scope()


def replicas(model: Any) -> int:
    """How many copies of the model take each training step together."""
    return int(getattr(_strategy(model), "num_replicas_in_sync", 1))


def spans_machines(model: Any) -> bool:
    """Whether several processes train the model together."""
    return getattr(_strategy(model), "cluster_resolver", None) is not None


def writes_the_log(model: Any) -> bool:
    """Whether this process is the one of a model's processes that snapshots and writes: the chief, or the first worker."""
    resolver = getattr(_strategy(model), "cluster_resolver", None)
    if resolver is None or not resolver.task_type:
        return True
    chief = "chief" in resolver.cluster_spec().as_dict()
    return bool(resolver.task_type == "chief" if chief else resolver.task_id == 0)


def summed_over_replicas(gradient: Any) -> Any:
    """The gradient that is applied, of which each replica holds its part; as it is where there is one replica."""
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return gradient
    return context.all_reduce(tf.distribute.ReduceOp.SUM, gradient)


def parts_here(variable: Any) -> list[Any]:
    """An ``ON_READ`` variable's parts in this process: what is read or set there, other processes need not know of."""
    return list(getattr(variable, "values", None) or [variable])


def _strategy(model: Any) -> Any:
    if keras.backend.backend() != "tensorflow":
        return None
    return getattr(model, "distribute_strategy", None)
