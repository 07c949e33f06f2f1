"""WeightWatcher's figures of one saved model as JSON, run by an interpreter that has the package: see ``audit``."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

NAMES = ("alpha", "D", "sv_max", "stable_rank", "num_spikes", "num_traps", "num_evals")


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    import keras
    import matplotlib as mpl

    mpl.use("Agg")
    import weightwatcher

    model = keras.models.load_model(sys.argv[1], compile=False)
    watcher = weightwatcher.WeightWatcher(model=model)
    seconds = []
    for _ in range(2):  # the first run also imports
        begin = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            details = watcher.analyze(randomize=True, mp_fit=True, min_evals=1)
        seconds.append(time.perf_counter() - begin)
    rows = {row["name"]: {name: float(row[name]) for name in NAMES} for _, row in details.iterrows()}
    print(json.dumps({"seconds": min(seconds), "layers": rows}))


if __name__ == "__main__":
    main()
