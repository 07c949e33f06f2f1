"""Fingerprints of all cases, so that a change of the corpus's code is seen to change no case.

``python -m benchmarks.corpus.fingerprints`` builds each case as ``train`` does and compares it with
``fingerprints.json``; ``--record`` writes that file anew. Numbers are compared bit for bit, so a file holds for one
kind of machine and one version of Keras. Modules, and names and code of functions, are left out: what moves is the
same, and what a function does shows in the answers before and the weights after one training step.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parent / "fingerprints.json"
PARTS = ("fields", "config", "weights", "data", "compile", "fit", "step")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the file instead of comparing with it")
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    from benchmarks.corpus.cases import CASES
    from benchmarks.faults.train import one_thread

    names = [case.name for case in CASES]
    with multiprocessing.get_context("spawn").Pool(options.jobs, one_thread, maxtasksperchild=60) as pool:
        found = dict(zip(names, pool.imap(_of_name, names), strict=True))
    if options.record:
        lines = (f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(found[name])}" for name in names)
        options.file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        return
    known = json.loads(options.file.read_text(encoding="utf-8"))
    changed = [name for name in sorted({*known, *found}) if known.get(name) != found.get(name)]
    for name in changed:
        pairs = zip(PARTS, known.get(name, "").split(), found.get(name, "").split(), strict=False)
        print(f"{name}: {', '.join(part for part, was, now in pairs if was != now) or 'new or gone'}")
    print(f"{sum(known.get(name) == found[name] for name in names)} of {len(names)} cases unchanged")
    raise SystemExit(bool(changed))


def _of_name(name: str) -> str:
    from benchmarks.corpus.cases import CASES

    found = parts(next(case for case in CASES if case.name == name))
    return " ".join(hashlib.blake2b(repr(part).encode(), digest_size=4).hexdigest() for part in found)


def parts(case: Any, seed: int = 0) -> list[Any]:
    """What the hashes are of, as plain values: see :data:`PARTS`."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    trial = case.make()
    model = trial.model
    arguments = model._compile_config.config | {"optimizer": model.optimizer}
    layers = [
        (type(part).__name__, part.name, part.trainable, part.dtype_policy.name, _config(part))
        for part in model._flatten_layers()
    ]
    links = [
        (part.name, [[t._keras_history.operation.name for t in node.input_tensors] for node in part._inbound_nodes])
        for part in getattr(model, "operations", ())
    ]
    fields = (case.name, case.fault, sorted(case.layers), case.also, case.round, case.half, case.probe_given)
    found = [
        plain(fields),
        plain([type(model).__name__, layers, links]),
        plain([(w.path, bool(w.trainable), np.array(w)) for w in model.weights]),
        plain([trial.x, trial.y, trial.validation]),
        plain({name: value for name, value in arguments.items() if value not in (None, [], ())}),
        plain([trial.epochs, trial.batch, list(trial.callbacks), trial.options]),
    ]
    x, y = keras.tree.map_structure(lambda a: a[:16], (trial.x, trial.y))
    answers = model(keras.tree.map_structure(lambda a: a[:8], x), training=False)
    before = keras.tree.map_structure(np.array, answers)
    model.run_eagerly = True
    with np.errstate(all="ignore"):
        model.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    keras.config.set_dtype_policy("float32")
    return [*found, plain([before, [np.array(w) for w in model.weights]])]


def _config(part: Any) -> Any:
    """Configuration of a layer that can say it, without its code; none of an inner model."""
    if hasattr(part, "layers"):
        return None
    try:
        config = part.get_config()
    except NotImplementedError:
        return None
    if isinstance(config.get("activation"), dict):
        config["activation"] = "function"
    return {name: value for name, value in config.items() if name not in ("function", "output_shape")}


def plain(value: Any) -> Any:
    """Objects as their class and configuration, arrays as their hash, functions as such."""
    import keras

    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "numpy"):
        array = np.array(value)
        array = array.astype("float32") if array.dtype.name == "bfloat16" else np.ascontiguousarray(array)
        return (array.dtype.name, array.shape, hashlib.blake2b(array.tobytes(), digest_size=8).hexdigest())
    if isinstance(value, Mapping) and value.get("class_name") in ("function", "__lambda__"):
        return "function"
    if isinstance(value, Mapping) and "registered_name" in value:
        return (value["class_name"], plain(value["config"]))
    if isinstance(value, Mapping):
        return sorted((str(name), plain(v)) for name, v in value.items())
    if isinstance(value, Sequence):
        return [plain(v) for v in value]
    if isinstance(value, keras.callbacks.Callback):
        known = {k: v for k, v in vars(value).items() if isinstance(v, str | bool | int | float)}
        return (type(value).__name__, plain(known))
    if hasattr(value, "get_config"):
        return (type(value).__name__, plain(value.get_config()))
    return "function" if callable(value) else type(value).__name__


if __name__ == "__main__":
    main()
