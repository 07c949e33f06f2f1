"""``saturated_activation`` on histories made by hand: what shows it, and the false alarms it must not raise."""

from __future__ import annotations

from dataclasses import replace

from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.payloads import LayerInfo
from tests.judging.faults.made import INFO, LAYERS, history


class TestSaturatedActivation:
    def _told(self, layer: LayerInfo) -> History:
        info = replace(INFO, layers=(LAYERS[0], layer, *LAYERS[2:]))
        nan = float("nan")
        return history({"saturation.pinned_ratio": [[nan, 0.8, nan, nan]] * 3}, info=info)

    def test_hidden_units_at_their_bounds(self) -> None:
        (finding,) = judge(self._told(replace(LAYERS[1], activation="tanh")))
        assert finding.layer == "conv2"
        assert finding.adjustments[0].proposed == "relu"

    def test_a_gate_may_be_shut(self) -> None:
        assert not judge(self._told(replace(LAYERS[1], activation="sigmoid", output_shape=(1, 1, 8))))

    def test_a_layer_of_few_units_is_narrow_rather_than_saturated(self) -> None:
        assert not judge(self._told(replace(LAYERS[1], activation="tanh", units=2)))
