"""``saturated_activation`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

from dataclasses import replace

from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.payloads import LayerInfo
from tests.judging.faults.made import INFO, LAYERS, history


class TestSaturatedActivation:
    def _run(self, layer: LayerInfo) -> History:
        info = replace(INFO, layers=(LAYERS[0], layer, *LAYERS[2:]))
        nan = float("nan")
        return history({"saturation.pinned_ratio": [[nan, 0.8, nan, nan]] * 3}, info=info)

    def test_saturated_hidden_units(self) -> None:
        (finding,) = judge(self._run(replace(LAYERS[1], activation="tanh")))
        assert finding.layer == "conv2"
        assert finding.adjustments[0].proposed == "relu"

    def test_a_gate_may_be_closed(self) -> None:
        assert not judge(self._run(replace(LAYERS[1], activation="sigmoid", output_shape=(1, 1, 8))))

    def test_a_layer_of_few_units_is_not_judged(self) -> None:
        assert not judge(self._run(replace(LAYERS[1], activation="tanh", units=2)))

    def test_a_layer_of_four_units_is_judged(self) -> None:
        (finding,) = judge(self._run(replace(LAYERS[1], activation="tanh", units=4)))
        assert "In conv2, 80 % of the units are saturated" in finding.message
