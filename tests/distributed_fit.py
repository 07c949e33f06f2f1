"""``fit`` in one of several processes, without the callback; run by ``test_distribute.py``.

``python -m tests.distributed_fit PORTS INDEX`` prints ``trained``, or the error that Keras raises.
"""

from __future__ import annotations

import json
import os
import sys

if workers := [f"localhost:{port}" for port in sys.argv[1].split(",")]:
    task = {"type": "worker", "index": int(sys.argv[2])}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})

import numpy as np
import tensorflow as tf

from tests.models import compiled, images, plain

with tf.distribute.MultiWorkerMirroredStrategy().scope():
    model = compiled(plain(), "sgd")
x, y = images(np.random.default_rng(0))
try:
    model.fit(x, y, batch_size=16, epochs=1, verbose=0)
except Exception as error:
    print(type(error).__name__, " ".join(str(error).split()), flush=True)
else:
    print("trained", flush=True)
os._exit(0)  # the other process may wait for this one
