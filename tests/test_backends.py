"""On the JAX and torch backends, weights and activations are recorded, and the training is unchanged."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tb_cnndiag.history import History
from tb_cnndiag.summaries.reader import read_run

SCRIPT = """
import sys, warnings
import keras
import numpy as np
from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.warning import DiagnosticsWarning
from tests.models import compiled, images, normalized

x, y = images(np.random.default_rng(0))

def trained(callbacks):
    keras.utils.set_random_seed(1)
    model = compiled(normalized(), "adam")
    history = model.fit(x, y, batch_size=16, epochs=3, verbose=0, shuffle=False, callbacks=callbacks)
    return model, history.history

bare, losses = trained([])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model, watched = trained([CNNDiagnostics(sys.argv[1], probe=(x, y), budget=None, verbose=0)])
messages = [str(w.message) for w in caught if issubclass(w.category, DiagnosticsWarning)]
assert len(messages) == 1 and "gradients are not recorded" in messages[0], messages
assert losses == watched
assert all(np.array_equal(a, b) for a, b in zip(bare.get_weights(), model.get_weights(), strict=True))
tops = keras.Model(model.inputs, model.get_layer("relu_a").output).predict(x, verbose=0).max(axis=(0, 1, 2))
print("dead", float(np.mean(tops <= 0)))
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_training_on_another_backend(backend: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    history = History.of(read_run(tmp_path / "cnndiag"))
    assert history.snapshots == 4
    dead = history.series("dead_units", "dead_ratio").values[-1, 0]
    assert dead == pytest.approx(float(done.stdout.split()[-1]))
    assert (history.series("update_ratio", "update_ratio").values > 0).all()
    assert np.isfinite(history.series("filter_similarity", "mean_similarity").values).all()
