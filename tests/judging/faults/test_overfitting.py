"""``overfitting`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

import pytest

from tb_cnndiag.judging.judge import judge
from tests.judging.faults.made import history


class TestOverfitting:
    def test_validation_gets_worse_while_training_improves(self) -> None:
        curves = {"loss": [1.0, 0.5, 0.3, 0.2, 0.1], "val_loss": [1.0, 0.7, 0.85, 0.9, 1.0]}
        (finding,) = judge(history({}, scalars=curves))
        assert (finding.fault, finding.severity, finding.first_step) == ("overfitting", "warning", 20)
        assert finding.adjustments[0].proposed == "to step 10"

    def test_a_noisy_validation_loss_that_rises_on_average(self) -> None:
        loss = [1.0, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.08]
        noisy = [1.0, 0.7, 0.95, 0.8, 1.0, 0.82, 0.96, 0.83]
        (finding,) = judge(history({}, scalars={"loss": loss, "val_loss": noisy}))
        assert finding.fault == "overfitting"
        assert not judge(history({}, scalars={"loss": loss, "val_loss": [min(v, 0.82) for v in noisy]}))

    @pytest.mark.parametrize(
        ("loss", "val_loss"),
        [
            ([1.0, 0.8, 0.7, 0.6, 0.6], [0.9, 0.7, 0.6, 0.5, 0.5]),  # dropout: the validation loss is lower
            ([1.0, 0.5, 0.3, 0.2, 0.1], [1.0, 0.7, 0.8, 0.6, 0.7]),  # noise
            ([1.0, 0.9, 1.2, 1.5, 1.8], [1.0, 0.9, 1.2, 1.6, 1.9]),  # both rise: another fault
            ([1.0, 0.8, 0.7, 0.65, 0.6], [0.6, 0.5, 0.6, 0.6, 0.6]),  # close to the training loss
            ([1.0, 0.01, 0.005, 0.004, 0.003], [1.0, 0.02, 0.03, 0.03, 0.03]),  # small compared with the first loss
        ],
    )
    def test_false_alarms(self, loss: list[float], val_loss: list[float]) -> None:
        assert not judge(history({}, scalars={"loss": loss, "val_loss": val_loss}))
