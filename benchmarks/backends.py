"""What a snapshot's pass over the probe and an observed training step cost on the backend that Keras uses.

``KERAS_BACKEND=jax python -m benchmarks.backends``. Times are the least of several, after everything is compiled.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import backend, to_host
from tb_cnndiag.capture.layers import find_kernel_layers
from tb_cnndiag.capture.probe import Observer
from tb_cnndiag.capture.reductions import COSTLY, REDUCTIONS

REPEATS = 7
PROBE, BATCH, STEPS = 256, 64, 12


def network(side: int) -> Any:
    """Eight convolutions with batch normalization."""
    stack: list[Any] = [keras.Input((side, side, 3))]
    for units in (32, 32, 64, 64, 128, 128, 256, 256):
        stack += [
            keras.layers.Conv2D(units, 3, strides=2 if units > stack_units(stack) else 1, padding="same"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
        ]
    return keras.Sequential([*stack, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)])


def stack_units(stack: Sequence[Any]) -> int:
    """Units of the last convolution so far."""
    return next((layer.filters for layer in reversed(stack) if isinstance(layer, keras.layers.Conv2D)), 32)


def least(action: Callable[[], object]) -> float:
    """Least seconds of several calls, the first of which compiles."""
    action()
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return min(times)


class Steps(keras.callbacks.Callback):
    """Times each step, and arms taps before it."""

    def __init__(self, taps: bool) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self._wanted = taps
        self._taps: Any = None

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Tap the step that follows."""
        if self._wanted and self._taps is None:
            layers = find_kernel_layers(self.model)
            self._taps = backend().tap_fit(self.model, layers, collect=False, parts={}, charged=nullcontext)
        if self._taps is not None:
            self._taps.gradients()
            self._taps.fired()  # so that every step is one of the first after a snapshot
            self._taps.arm()
        self._begin = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Wait for the step."""
        to_host(list((logs or {}).values()))
        self.seconds.append(time.perf_counter() - self._begin)

    def on_train_end(self, logs: Any = None) -> None:
        """Remove the taps."""
        if self._taps is not None:
            self._taps.stop()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=64, help="side of the images in pixels (64)")
    side = parser.parse_args().side
    x = np.random.default_rng(0).normal(size=(BATCH * STEPS, side, side, 3)).astype(np.float32)
    y = np.arange(len(x)) % 10
    model = network(side)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    layers = find_kernel_layers(model)
    forward = backend().compiled(model, lambda images: model(images, training=False), x[:PROBE], None)
    observer = Observer(model, layers)
    passes = {
        "forward pass, compiled": least(lambda: to_host(forward(x[:PROBE]))),
        "pass of a light snapshot": least(lambda: observer.observe(x[:PROBE], sorted(set(REDUCTIONS) - COSTLY))),
    }
    base = passes["forward pass, compiled"]
    print(f"{keras.backend.backend()}, {len(layers)} layers with a kernel, {PROBE} images of {side} × {side}")
    for name, seconds in passes.items():
        print(f"{name}: {1000 * seconds:.0f} ms, {seconds / base:.2f} fwd")
    steps = {}
    for name, taps in (("step", False), ("observed step", True)):
        timed = Steps(taps)
        model.fit(x, y, batch_size=BATCH, epochs=2, verbose=0, callbacks=[timed])
        steps[name] = float(np.median(timed.seconds[STEPS:]))
    for name, seconds in steps.items():
        print(f"{name}: {1000 * seconds:.0f} ms, {seconds / steps['step']:.2f} ×")


if __name__ == "__main__":
    main()
