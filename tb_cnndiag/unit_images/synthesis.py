"""Images made to excite units: activation maximization in Fourier space, many units in one batch.

Olah, Mordvintsev & Schubert 2017, with the spectrum, colors and range of the user's own images in place of constants of
ImageNet, and transforms in proportion to what a unit sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.positions import by_position
from tb_cnndiag.numerics.hartley import waves
from tb_cnndiag.numerics.pictures import interpolation
from tb_cnndiag.payloads import FloatArray, IntArray
from tb_cnndiag.unit_images.differentiate import Differentiated, differentiated
from tb_cnndiag.unit_images.natural import Natural
from tb_cnndiag.unit_images.passes import Backward, Passes

STEPS = 128
# Step of Adam, and the deviation of the first coefficients, as in lucid.
RATE, NOISE = 0.05, 0.01
# Fewer steps make no image.
LEAST_STEPS = 8
# Shifts of up to this share of what a unit sees, and changes of scale of up to this share.
SHIFT, SCALE = 1 / 16, 0.05


@dataclass(frozen=True)
class Synthetic:
    """Images for units of one layer.

    Attributes:
        images: ``(units, height, width, channels)`` float32, in the range of the probe.
        activations: ``(units,)``, largest response of each unit to its image.
        redirected: ``(units,)`` bool, whether a unit was silent at a step, so that rectifiers were redirected.
        steps: Steps that were made.
    """

    images: FloatArray
    activations: FloatArray
    redirected: FloatArray
    steps: int


class Synthesizer:
    """Makes images for the units of one layer; its passes are compiled once for all batches."""

    def __init__(self, passes: Passes, layer: KernelLayer, natural: Natural, *, extent: float, position: int) -> None:
        """``extent``: side of what a unit sees, in pixels; ``position``: where in the layer's output it responds."""
        self._passes, self._layer, self._natural = passes, layer, natural
        self._extent, self._position = extent, position
        self._waves = [np.asarray(matrix, np.float32) for matrix in waves(*natural.spectrum.shape)]
        backwards: tuple[Backward, ...] = ("plain", "redirected")
        self._gradients: dict[str, Differentiated] = {each: self._gradient(each) for each in backwards}

    def make(
        self,
        units: Sequence[int],
        seed: int,
        *,
        steps: int = STEPS,
        go_on: Callable[[int], bool] = lambda _step: True,
    ) -> Synthetic | None:
        """Images of some units. A unit's image depends only on the seed, not on the other units.

        While a unit is silent, rectifiers pass signals back to it (lucid does so in the first steps).

        ``go_on`` is called before each step; when it returns False, the images are what was reached; None if that is
        less than ``LEAST_STEPS``.
        """
        random = [np.random.default_rng([seed, unit]) for unit in units]
        shape = (*self._natural.spectrum.shape, len(self._natural.mean))
        z = np.stack([rng.normal(0, NOISE, shape) for rng in random])
        mean, square = np.zeros_like(z), np.zeros_like(z)
        index, others = np.asarray(units, np.int64), self._others(len(units))
        silent, redirected = np.zeros(len(units), bool), np.zeros(len(units), bool)
        done = 0
        while done < steps and go_on(done):
            down, across = (np.stack([self._transform(rng, side) for rng in random]) for side in shape[:2])
            gradient = np.zeros_like(z)
            for backward, those in (("plain", ~silent), ("redirected", silent.copy())):
                if those.any():
                    given = [np.asarray(array[those], np.float32) for array in (z, down, across)]
                    values, slopes = self._gradients[backward](*given, [each[those] for each in others], index[those])
                    gradient[those] = np.nan_to_num(slopes, nan=0.0, posinf=0.0, neginf=0.0)
                    flat = np.abs(gradient[those]).reshape(len(values), -1).max(axis=1) == 0
                    silent[those] = flat if backward == "plain" else np.asarray(values) <= 0
            redirected |= silent
            done += 1
            # Adam does not see the size of a gradient, so units of different size learn alike.
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            size = np.sqrt(square / (1 - 0.999**done))
            floor = 1e-4 * size.reshape(len(units), -1).max(axis=1)[:, None, None, None] + 1e-30
            z = z + RATE * (mean / (1 - 0.9**done)) / (size + floor)
        if done < min(LEAST_STEPS, steps):
            return None
        images = self._pictures(np.asarray(z, np.float32))
        return Synthetic(images, self._passes.largest_responses(self._layer, images, others, index), redirected, done)

    def _others(self, count: int) -> list[FloatArray]:
        return self._passes.inputs.others(np.zeros(count, np.int64))

    def _transform(self, rng: np.random.Generator, side: int) -> FloatArray:
        """Matrix ``(side, side)`` that resamples one axis, moved and scaled at random about the center."""
        shift = rng.uniform(-SHIFT, SHIFT) * min(self._extent, side)
        scale = 1 + rng.uniform(-SCALE, SCALE)
        center = (side - 1) / 2
        return interpolation(center + (np.arange(side) - center) * scale + shift, side)

    def _gradient(self, backward: Backward) -> Differentiated:
        ops = keras.ops

        def total(z: Any, down: Any, across: Any, others: Sequence[Any], units: Any) -> tuple[Any, Any]:
            moved = ops.einsum("nij,njwc->niwc", down, self._drawn(z))
            moved = ops.einsum("nij,nhjc->nhic", across, moved)
            own = self._passes.response(self._layer, moved, others, units, backward, raw=True)
            values = own[:, self._position]
            return ops.sum(values), values

        return differentiated(total)

    def _drawn(self, z: Any) -> Any:
        """Images of coefficients, as a tensor."""
        ops, natural = keras.ops, self._natural
        a, b, c, d = self._waves
        spectrum, colors, half, middle, start = (
            ops.convert_to_tensor(array, "float32")
            for array in (natural.spectrum[:, :, None], natural.colors, natural.half, natural.middle, natural.start)
        )
        scaled = z * spectrum
        pixels = ops.einsum("yu,nuvc,vx->nyxc", a, scaled, b) + ops.einsum("yu,nuvc,vx->nyxc", c, scaled, d)
        return middle + half * ops.tanh(start + ops.matmul(pixels, colors) / half)

    def _pictures(self, z: FloatArray) -> FloatArray:
        with keras.StatelessScope():
            return np.asarray(to_host(self._drawn(keras.ops.convert_to_tensor(z))), np.float32)


def middle_position(shape: Sequence[int]) -> int:
    """The position in the middle of an output, row by row, from its spatial axes."""
    position = 0
    for side in shape:
        position = position * side + side // 2
    return position


def best_responses(passes: Passes, layer: KernelLayer, units: IntArray, chunk: int = 256) -> FloatArray:
    """Largest response of each unit to the samples, ``(units,)``."""
    count, best = len(passes.inputs.pictures), np.full(len(units), -np.inf)
    for start in range(0, count, chunk):
        record = passes.recorded(np.arange(start, min(start + chunk, count)))
        tensor = record.observe(layer, record.of(layer.layer)[0]).tensor
        values = to_host(by_position(layer, tensor))
        best = np.maximum(best, values.max(axis=(0, 1))[units])
    return best
