"""A hand-written training loop that ``test_distribute.py`` runs in several processes, or in a single process.

``python -m tests.distributed_loop LOG_DIR [PORTS INDEX]``
"""

from __future__ import annotations

import functools
import json
import os
import sys
from typing import Any

if len(sys.argv) > 2:
    workers = [f"localhost:{port}" for port in sys.argv[2].split(",")]
    task = {"type": "worker", "index": int(sys.argv[3])}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})

import keras
import numpy as np
import tensorflow as tf

from tb_cnndiag import CNNDiagnostics
from tests.models import images, normalized

BATCH = 16


def main() -> None:
    distributed = len(sys.argv) > 2
    strategy = tf.distribute.MultiWorkerMirroredStrategy() if distributed else tf.distribute.get_strategy()
    keras.utils.set_random_seed(1)
    with strategy.scope():
        model = normalized()
        optimizer = keras.optimizers.SGD(0.1)
        optimizer.build(model.trainable_variables)
    x, y = images(np.random.default_rng(0))
    replicas = strategy.num_replicas_in_sync
    share = BATCH // replicas

    def replica_step(batch: Any) -> Any:
        rows, labels = batch
        with tf.GradientTape() as tape:
            losses = keras.losses.sparse_categorical_crossentropy(labels, model(rows, training=False))
            loss = tf.reduce_sum(losses) / BATCH
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
        return loss

    @tf.function
    def step(batch: Any) -> Any:
        return strategy.reduce("SUM", strategy.run(replica_step, args=(batch,)), axis=None)

    def part(batch: int, context: Any) -> Any:
        first = batch * BATCH + share * context.replica_id_in_sync_group
        return tf.constant(x[first : first + share]), tf.constant(y[first : first + share])

    diagnostics = CNNDiagnostics(sys.argv[1], probe=(x, y), budget=None, verbose=0)
    with diagnostics.watch(model=model, optimizers=[optimizer]) as snapshot:
        for _ in range(3):
            for number in range(len(x) // BATCH):
                if distributed and task["index"] == 1 and optimizer.iterations == int(os.environ.get("DIES_AT", "-1")):
                    os._exit(3)
                batch = strategy.experimental_distribute_values_from_function(functools.partial(part, number))
                snapshot.step({"loss": step(batch)})
            snapshot.end_epoch()
    print("weights", float(sum(np.sum(np.square(w)) for w in model.get_weights())))


if __name__ == "__main__":
    main()
