"""``missing_activation`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

import pytest

from tb_cnndiag.finding import Finding
from tb_cnndiag.payloads import LayerInfo, RunInfo
from tests.judging.faults.made import conv, found, history


class TestMissingActivation:
    def _found(self, *layers: LayerInfo) -> list[Finding]:
        head = LayerInfo("head", "Dense", "dense", 4, 16, activation="softmax", inputs=(len(layers) - 1,), output=True)
        info = RunInfo("t", (*layers, head))
        return found("missing_activation", history({"weight_health.rms": [[0.1] * (len(layers) + 1)]}, info=info))

    def test_two_convolutions(self) -> None:
        (finding,) = self._found(conv("a"), conv("b", 0, activation="relu"))
        assert (finding.layer, finding.adjustments[0].proposed) == ("a", "relu")

    def test_batch_normalization_between_changes_nothing(self) -> None:
        assert self._found(
            conv("a", normalization="n1", normalization_class="BatchNormalization"), conv("b", 0, activation="relu")
        )

    def test_a_dense_layer_before_the_head(self) -> None:
        dense = LayerInfo(
            "fc",
            "Dense",
            "dense",
            16,
            64,
            kernel_shape=(64, 16),
            output_shape=(16,),
            activation="linear",
            linear_behind=True,
        )
        (finding,) = self._found(dense)
        assert finding.layer == "fc"

    @pytest.mark.parametrize(
        "layers",
        [
            (conv("a", activation="relu"), conv("b", 0, activation="relu")),
            (conv("a", units=4), conv("b", 0, units=24, window=1, activation="relu")),  # a linear bottleneck
            (conv("a", role="depthwise_conv"), conv("b", 0, window=1, activation="relu")),
            (conv("a", linear_behind=False), conv("b", 0, activation="relu")),  # pooled between
            (conv("a"), conv("s", activation="relu"), conv("b", 0, 1, activation="relu")),  # added before
        ],
    )
    def test_false_alarms(self, layers: tuple[LayerInfo, ...]) -> None:
        assert not self._found(*layers)
