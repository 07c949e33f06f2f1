"""Leaves every generator of random numbers, and Keras' automatic names, as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from keras.src.backend.common import global_state  # names and seeds of Keras have no public place

from tb_cnndiag.capture.backends import backend, to_host

# Keras' counter of automatic names, and its generator for layers without a seed of their own.
_NAMES, _SEEDS = "object_name_uids", "global_seed_generator"


@contextmanager
def unchanged_random_states() -> Iterator[None]:
    """Restore the states of Python, NumPy, Keras and the backend, and the numbers in Keras' automatic names."""
    states = random.getstate(), np.random.get_state()
    names = dict(global_state.get_global_attribute(_NAMES) or {})
    seeds = global_state.get_global_attribute(_SEEDS)
    seed = None if seeds is None else to_host(seeds.state)
    restore = backend().random_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        known = global_state.get_global_attribute(_NAMES)
        if known is not None:
            known.clear()
            known.update(names)
        if seeds is None:
            global_state.set_global_attribute(_SEEDS, None)
        elif seed is not None:
            seeds.state.assign(seed)
        restore()
