"""Whether measuring a look while the training goes on would cost less than measuring it before it goes on.

``python -m benchmarks.background [vgg] [efficientnetb0] …`` trains each network for some steps after the end of an
epoch in four ways, in turn: without a look; with a heavy look, as it is; with the same look captured, and then
measured, judged and written by a second thread while the steps run, which is waited for at the end; the same with that
thread at the lowest priority (Linux). Printed is what each way takes beyond the bare steps, as a share of what the look
takes as it is: median of the rounds, and the quarters around it. A background that pays is well below 1. The cores must
be free: also printed is how many of them the bare steps had.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks.overhead import BATCH, LOOKS, made
from tb_cnndiag.capture.samples import Samples
from tb_cnndiag.capture.schedule import every
from tb_cnndiag.capture.subject import Subject
from tb_cnndiag.diagnostics import BUILTIN
from tb_cnndiag.session import Session, Tapped

ROUNDS = 9
# Seconds of training after a look, about; it is longer than the look.
SECONDS = 4.0
HEAVY = LOOKS["heavy"]


def compared(name: str, home: Path) -> dict[str, list[float]]:
    """Seconds beyond the bare steps, per round, of each way; of the bare ``steps`` those and the ``cores`` they had."""
    model, x, y = made(name)
    subject = Subject({"": model})
    subject.set_probe("", Samples(x, y, "given"))
    session = Session(home, subject, [kind() for kind in BUILTIN], every(1), step=0)
    tapped = Tapped(np.ones((len(subject.layers), 3)), np.ones(len(subject.layers)))
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH, drop_remainder=True).repeat()
    model.make_train_function()
    batches = iter(data)
    model.train_function(batches)
    begin = time.perf_counter()
    model.train_function(batches)
    steps = max(int(SECONDS / (time.perf_counter() - begin)), 1)

    def train() -> None:
        for _ in range(steps):
            logs = model.train_function(batches)
        keras.tree.map_structure(np.asarray, logs)

    def captured() -> Callable[[], None]:
        session.step += 1
        look = session._capture(1, {"loss": 1.0}, tapped, HEAVY)
        return lambda: session._record(look, HEAVY)

    def inline() -> None:
        captured()()
        train()

    def behind(nice: bool) -> None:
        record = captured()

        def work() -> None:
            if nice:
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
            record()

        worker = threading.Thread(target=work)
        worker.start()
        train()
        worker.join()

    ways: dict[str, Callable[[], None]] = {
        "bare": train,
        "inline": inline,
        "thread": lambda: behind(False),
        "idle thread": lambda: behind(True),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    cores = []
    for turn in range(ROUNDS + 1):
        for way, run in ways.items():
            begin, worked = time.perf_counter(), time.process_time()
            run()
            taken, worked = time.perf_counter() - begin, time.process_time() - worked
            if turn:  # the first traces and warms up
                seconds[way].append(taken)
            if way == "bare":
                cores.append(worked / taken)
    session.close()
    bare = seconds.pop("bare")
    extra = {way: [a - b for a, b in zip(taken, bare, strict=True)] for way, taken in seconds.items()}
    return extra | {"steps": bare, "cores": cores}


def main() -> None:
    for name in sys.argv[1:] or ("vgg", "efficientnetb0"):
        with tempfile.TemporaryDirectory() as home:
            extra = compared(name, Path(home))
        cost = statistics.median(extra["inline"])
        steps, cores = statistics.median(extra.pop("steps")), statistics.median(extra.pop("cores"))
        print(f"\n{name}: {steps:.1f} s of training on {cores:.2f} cores, a heavy look {cost:.2f} s")
        for way, taken in extra.items():
            low, middle, high = statistics.quantiles(taken, n=4)
            print(f"  {way:12} {middle / cost:6.2f}   ({low / cost:.2f} to {high / cost:.2f})")


if __name__ == "__main__":
    main()
