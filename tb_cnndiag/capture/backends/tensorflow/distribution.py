"""Models that ``tf.distribute`` trains on several devices or machines."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf


def scope(model: Any) -> AbstractContextManager[Any]:
    """The context in which to create variables that the training step of a model changes."""
    strategy = _strategy(model)
    return nullcontext() if strategy is None else strategy.scope()


def spans_machines(model: Any) -> bool:
    """Whether several processes train the model together."""
    return getattr(_strategy(model), "cluster_resolver", None) is not None


def writes_the_log(model: Any) -> bool:
    """Whether this process takes the snapshots and writes the log: the chief or, without a chief, the first worker."""
    resolver = getattr(_strategy(model), "cluster_resolver", None)
    if resolver is None or not resolver.task_type:
        return True
    chief = "chief" in resolver.cluster_spec().as_dict()
    return bool(resolver.task_type == "chief" if chief else resolver.task_id == 0)


def summed_over_replicas(gradient: Any) -> Any:
    """The gradient summed over all replicas, as the optimizer applies it; unchanged if there is only one replica."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return gradient
    return context.all_reduce(tf.distribute.ReduceOp.SUM, gradient)


def local_variable(value: Any, name: str) -> Any:
    """A variable of which each replica has a part of its own: no replica waits for another to read or set it."""
    return tf.Variable(
        value,
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.SUM,
        name=name,
    )


def set_local(variable: Any, value: Any) -> None:
    """Give each part in this process this value."""
    for part in local_parts(variable):
        part.assign(value)


def local_parts(variable: Any) -> list[Any]:
    """The parts of an ``ON_READ`` variable in this process: reading or setting them involves no other process."""
    return list(getattr(variable, "values", None) or [variable])


def _strategy(model: Any) -> Any:
    return getattr(model, "distribute_strategy", None)
