"""A generator and its discriminator: which parts of a run they are, and how they compare."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, column, logged
from tb_cnndiag.judging.signals.gradients import GRADIENT_NORM
from tb_cnndiag.payloads import LayerInfo

# Usual names of a discriminator's loss: d_loss, disc_loss, discriminator_loss, loss_d …
_DISCRIMINATOR_LOSS = re.compile(r"(^|_)d(isc(riminator)?)?_(\w+_)?loss$|^loss_d(isc(riminator)?)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Adversaries:
    """Rows of the layer table.

    Attributes:
        generator: All rows of the generator.
        generator_output: The layer that produces the images.
        discriminator_input: The first layer of the discriminator.
    """

    generator: tuple[int, ...]
    generator_output: int
    discriminator_input: int


def adversaries(signals: Signals) -> Adversaries | None:
    """Generator and discriminator of a GAN; None for any other run.

    The generator ends in images. The discriminator takes images of this depth, and its output has no positions.
    """
    return signals.once(_adversaries)  # type: ignore[no-any-return]


def _adversaries(signals: Signals) -> Adversaries | None:
    parts, layers = signals.info.model.split(", "), signals.layers
    rows = {part: [row for row, layer in enumerate(layers) if layer.path.startswith(f"{part}/")] for part in parts}
    if len(parts) < 2 or not all(rows.values()):
        return None
    ends = {part: [row for row in own if layers[row].output] for part, own in rows.items()}
    generators = [part for part, own in ends.items() if len(own) == 1 and _positions(layers[own[0]]) > 1]
    discriminators = [part for part, own in ends.items() if len(own) == 1 and _positions(layers[own[0]]) == 1]
    if len(generators) != 1 or len(discriminators) != 1:
        return None
    output, first = ends[generators[0]][0], rows[discriminators[0]][0]
    if layers[first].kernel_shape[-2:-1] != (layers[output].units,):
        return None
    return Adversaries(tuple(rows[generators[0]]), output, first)


def no_adversaries(signals: Signals) -> str:
    """Why a run is no GAN; empty if it is one."""
    return "" if adversaries(signals) else "the run has no generator and discriminator"


def _discriminator_loss(signals: Signals) -> Track:
    for name in signals.history.scalar_names("training_curve"):
        if _DISCRIMINATOR_LOSS.search(name) and not name.startswith("val_"):
            loss = logged(signals, name)
            after = loss.steps > 0
            if (loss.values < 0).any():
                return Track.unknown(f"{name} can be negative, as that of Wasserstein")
            if after.any():
                return Track(loss.steps[after], loss.values[after])
    return Track.unknown("no loss of a discriminator was logged, e.g. d_loss")


DISCRIMINATOR_LOSS = Signal("discriminator loss", "loss", _discriminator_loss)
"""Loss of the discriminator after step 0; unknown if it can be negative."""


def _generator_gradient(signals: Signals) -> Track:
    parts, gradients = adversaries(signals), signals(GRADIENT_NORM)
    if parts is None or not len(gradients):
        return Track.unknown(gradients.reason or "the run has no generator and discriminator")
    norms = np.nanmax(gradients.values[:, parts.generator], axis=1, initial=0.0)
    largest = np.maximum.accumulate(norms)
    if not largest[-1] > 0:
        return Track.unknown("the generator received no gradient")
    return Track.of_model(gradients.steps, norms / np.maximum(largest, 1e-30))


GENERATOR_GRADIENT = Signal("gradient of the generator relative to its maximum", "ratio", _generator_gradient)
"""Largest gradient norm in the generator, relative to its maximum so far."""


def _diversity(signals: Signals) -> Track:
    parts = adversaries(signals)
    if parts is None:
        return Track.unknown("the run has no generator and discriminator")
    generated, real = column(signals, "model_output", "diversity"), column(signals, "model_input", "diversity")
    steps = np.intersect1d(generated.steps[generated.steps > 0], real.steps)
    of_generated = generated.values[np.isin(generated.steps, steps)][:, parts.generator_output] if len(steps) else None
    if of_generated is None:
        return Track.unknown(
            generated.reason or real.reason or "generated and real images were never recorded together"
        )
    of_real = real.values[np.isin(real.steps, steps)][:, parts.discriminator_input]
    known = np.isfinite(of_generated) & (of_real > 0)
    if not known.any():
        return Track.unknown("real images do not differ")
    return Track.of_model(steps[known], of_generated[known] / of_real[known])


DIVERSITY = Signal("diversity of generated images relative to real ones", "ratio", _diversity)
"""Standard deviation over generated images, relative to real ones, after step 0."""


def _fall(signals: Signals) -> Track:
    diversity = signals(DIVERSITY)
    if not len(diversity):
        return diversity
    largest = np.maximum.accumulate(diversity.values, axis=0)
    return Track(diversity.steps, largest / np.maximum(diversity.values, 1e-12))


DIVERSITY_FALL = Signal("fall of the diversity", "ratio", _fall)
"""Maximum of the relative diversity so far, divided by its present value."""


def _positions(layer: LayerInfo) -> int:
    """Number of spatial positions of the output; 1 without spatial axes."""
    return math.prod(layer.spatial_shape)
