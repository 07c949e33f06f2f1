"""``unnormalised_input`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.payloads import RunInfo
from tests.judging.faults.made import INFO, LAYERS, history


class TestUnnormalizedInput:
    def _run(self, mean: float, std: float, high: float, info: RunInfo = INFO) -> History:
        nan = float("nan")
        names = {"mean": mean, "std": std, "minimum": 0.0, "maximum": high}
        return history({f"model_input.{name}": [[value, nan, nan, nan]] for name, value in names.items()}, info=info)

    def test_pixels(self) -> None:
        (finding,) = judge(self._run(33.0, 78.0, 255.0))
        assert (finding.layer, finding.severity) == ("conv1", "warning")
        assert finding.adjustments[0].proposed == "Rescaling(1/255)"

    def test_normalized_inputs(self) -> None:
        assert not judge(self._run(-0.4, 1.3, 6.0))

    @pytest.mark.parametrize(("loss", "severity"), [([1.386, 1.38, 1.37], "warning"), ([1.3, 0.8, 0.4], "info")])
    def test_pixels_divided_twice_are_a_fault_while_nothing_is_learned(self, loss: list[float], severity: str) -> None:
        nan = float("nan")
        columns = {"model_input.mean": [[0.002, nan, nan, nan]] * 3, "model_input.std": [[0.001, nan, nan, nan]] * 3}
        columns |= {
            name: [[v, nan, nan, nan]] * 3 for name, v in (("model_input.minimum", 0), ("model_input.maximum", 0.004))
        }
        (finding,) = [f for f in judge(history(columns, scalars={"loss": loss})) if f.fault == "unnormalised_input"]
        assert (finding.severity, finding.adjustments[0].proposed) == (severity, "Normalization")

    def test_before_a_normalization_it_is_an_info(self) -> None:
        layers = (replace(LAYERS[0], normalization="bn"), *LAYERS[1:])
        (finding,) = judge(self._run(33.0, 78.0, 255.0, replace(INFO, layers=layers)))
        assert finding.severity == "info"
