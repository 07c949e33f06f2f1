"""Under a mirrored strategy over two virtual CPUs the training is not changed, and looks are taken once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tb_cnndiag.history import History
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.summaries.storage import event_files

SCRIPT = """
import sys
import numpy as np
import tensorflow as tf
cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
from tb_cnndiag import CNNDiagnostics
from tests.models import compiled, images, plain

def weights(callbacks):
    keras.utils.set_random_seed(1)
    x, y = images(np.random.default_rng(0))
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = compiled(plain(), "sgd")
    model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=callbacks)
    return model.get_weights()

bare, watched = weights([]), weights([CNNDiagnostics(sys.argv[1], verbose=0)])
assert all(np.array_equal(a, b) for a, b in zip(bare, watched, strict=True))
"""


def test_mirrored_training_is_unchanged_and_looked_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(event_files(tmp_path / "cnndiag")) == 1
    history = History.of(read_run(tmp_path / "cnndiag"))
    assert history.series("weight_health", "rms").steps.tolist() == [0, 4, 8]
    assert history.info
    assert history.info.batch_size == 16
    assert (history.series("gradient_flow", "gradient_norm").values > 0).all()
