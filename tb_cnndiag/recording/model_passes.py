"""Passes through an inspected model that images of its units and maps of its classes are made with."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.unit_images.passes import Inputs, Passes

CONVOLUTIONS = frozenset({"conv", "depthwise_conv", "transposed_conv"})


def inputs_of(inspector: ModelInspector) -> Inputs:
    """The pictures of the probe.

    Raises:
        ValueError: If the model has several parts, no probe, no input that is a picture, or takes batches of one size
            only.
    """
    if len(inspector.models) > 1:
        raise ValueError(
            f"The model has several parts ({', '.join(inspector.part_names)}). Give visualize one of them."
        )
    if inspector.only_batch_size:
        raise ValueError(
            f"The model takes batches of {inspector.only_batch_size} samples only. Let it take any number, as with "
            "keras.ops.shape(x)[0]."
        )
    (samples,) = inspector.probes
    return Inputs.of(samples.x)


def passes_of(inspector: ModelInspector) -> Passes:
    """Passes through the only model, with its probe.

    Raises:
        ValueError: As :func:`inputs_of`, or if weights or pictures are not finite.
    """
    inputs = inputs_of(inspector)
    broken = [layer.path for layer in inspector.layers if not np.isfinite(layer.kernel()).all()]
    if broken:
        raise ValueError(
            f"Weights of {', '.join(broken[:5])} are NaN or infinite, so no image can excite its units. Take a "
            "checkpoint from before; tb_cnndiag.audit shows where it began."
        )
    if not np.isfinite(inputs.pictures).all():
        raise ValueError("The probe has values that are NaN or infinite. Remove these images.")
    return Passes(inspector.models[0], inputs)


def observed_convolutions(inspector: ModelInspector) -> list[KernelLayer]:
    """The convolutions that the pass over the probe reaches."""
    seen = {layer.path for layer in inspector.table() if layer.seen_at}
    return [layer for layer in inspector.layers if layer.path in seen and layer.role in CONVOLUTIONS]
