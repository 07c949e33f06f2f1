"""``batch_too_small_for_bn`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tb_cnndiag.finding import Finding
from tests.judging.faults.made import INFO, LAYERS, found, history


class TestBatchTooSmallForBn:
    def _found(self, batch: int, norm: str, val_loss: Sequence[float] = (0.9, 0.6, 0.4)) -> list[Finding]:
        layers = (replace(LAYERS[0], normalization="n1", normalization_class=norm), *LAYERS[1:])
        info = replace(INFO, layers=layers, batch_size=batch)
        scalars = {"loss": [1.0, 0.6, 0.4], "val_loss": list(val_loss)}
        return found("batch_too_small_for_bn", history({}, info=info, scalars=scalars))

    def test_two_samples(self) -> None:
        (finding,) = self._found(2, "BatchNormalization")
        assert (finding.layer, finding.severity) == ("conv1", "warning")
        assert finding.adjustments[0].proposed == "GroupNormalization"

    def test_a_few_samples_only_where_validation_suffers(self) -> None:
        assert [f.severity for f in self._found(6, "BatchNormalization")] == ["info"]
        assert [f.severity for f in self._found(6, "BatchNormalization", (2.0, 2.0, 2.0))] == ["warning"]

    def test_a_frozen_normalization_does_not_use_the_batch(self) -> None:
        frozen = replace(LAYERS[0], normalization_class="BatchNormalization", normalization_frozen=True)
        info = replace(INFO, layers=(frozen, *LAYERS[1:]), batch_size=2)
        assert not found("batch_too_small_for_bn", history({}, info=info, scalars={"loss": [1.0, 0.6, 0.4]}))

    @pytest.mark.parametrize(
        ("batch", "norm"), [(2, "GroupNormalization"), (32, "BatchNormalization"), (2, ""), (0, "BatchNormalization")]
    )
    def test_false_alarms(self, batch: int, norm: str) -> None:
        assert not self._found(batch, norm)
