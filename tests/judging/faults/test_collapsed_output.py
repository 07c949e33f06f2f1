"""``collapsed_output`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

from dataclasses import replace

from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.payloads import Probe, RunInfo
from tests.judging.faults.made import INFO, NAN, found, history


class TestCollapsedOutput:
    def _run(self, share: float, spread: float, info: RunInfo = INFO) -> History:
        nan = float("nan")
        rows = {"top_class_share": share, "spread": spread}
        return history({f"model_output.{k}": [[nan, nan, nan, v]] * 3 for k, v in rows.items()}, info=info)

    def test_constant_outputs_of_a_stuck_loss(self) -> None:
        rows = {"model_output.top_class_share": [[0, 0, 0, 0.5]] * 6, "model_output.spread": [[0, 0, 0, 0.003]] * 6}
        assert judge(history(rows, scalars={"loss": [1.386] * 6}))[0].fault == "collapsed_output"
        assert not judge(history(rows, scalars={"loss": [1.3, 1.2, 1.1, 1.0, 0.9, 0.8]}))

    def test_one_predicted_class(self) -> None:
        (finding,) = judge(self._run(1.0, 1e-4))
        assert (finding.fault, finding.layer, finding.first_step) == ("collapsed_output", "head", 10)

    def test_false_alarms(self) -> None:
        nan = float("nan")
        rows = {"top_class_share": 1.0, "spread": 1e-4}
        one_epoch = history({f"model_output.{k}": [[nan, nan, nan, v]] * 2 for k, v in rows.items()})
        assert not judge(one_epoch)
        assert not judge(self._run(0.3, 0.2))
        assert not judge(self._run(1.0, 1e-4, replace(INFO, probe=Probe("collected", 64, (60, 4)))))
        assert not judge(self._run(1.0, 1e-4, replace(INFO, probe=Probe("collected", 64))))


def test_one_predicted_class_for_long_is_a_collapse_whatever_the_spread() -> None:
    rows = {
        "model_output.top_class_share": [[NAN, NAN, NAN, 1.0]] * 6,
        "model_output.spread": [[NAN, NAN, NAN, 0.2]] * 6,
    }
    assert found("collapsed_output", history(rows))
