"""What the layer table says of a layer: its initial weights, and its width."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.layers import initial_rms, narrowest, single_layer
from tb_cnndiag.judging.signals.magnitudes import log_gain
from tb_cnndiag.payloads import LayerInfo
from tests.judging.faults.made import INFO, LAYERS, history

CONV = LayerInfo("c", "Conv2D", "conv", 8, 144, kernel_shape=(3, 3, 16, 8))
DENSE = LayerInfo("d", "Dense", "dense", 10, 40, kernel_shape=(40, 10))


@pytest.mark.parametrize(
    ("layer", "initializer", "variance"),
    [
        (CONV, "he_normal", 2 / (9 * 16)),
        (CONV, "lecun_uniform", 1 / (9 * 16)),
        (CONV, "glorot_uniform", 2 / (9 * 16 + 9 * 8)),
        (DENSE, "glorot_normal", 2 / 50),
        (DENSE, "he_uniform", 2 / 40),
    ],
)
def test_the_rms_that_an_initializer_gives(layer: LayerInfo, initializer: str, variance: float) -> None:
    assert initial_rms(replace(layer, initializer=initializer)) == pytest.approx(math.sqrt(variance))


def test_the_rms_of_other_initializers_and_layers_is_not_known() -> None:
    assert initial_rms(replace(CONV, initializer="orthogonal")) is None
    assert initial_rms(replace(CONV, initializer="he_normal", role="depthwise_conv")) is None
    assert initial_rms(replace(CONV, initializer="he_normal", kernel_shape=(3,))) is None


def test_widths() -> None:
    signals = Signals(history({"weight_health.rms": [[0.1] * 4]}))
    assert narrowest(signals) == 0  # conv1 and conv2 have 8 units, the output has 4
    assert not single_layer(signals)
    alone = Signals(
        history({"weight_health.rms": [[0.1]]}, info=replace(INFO, layers=(replace(LAYERS[3], inputs=()),)))
    )
    assert narrowest(alone) == 0
    assert single_layer(alone)


def test_an_unknown_gain_counts_as_the_ideal_one() -> None:
    assert log_gain(Signals(history({"update_ratio.update_ratio": [[0.01] * 4]})), 1) == 0
