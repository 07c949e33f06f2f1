"""The page of preflight names every fault that only it finds; each has words for people."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb_cnndiag.cli import main
from tb_cnndiag.judging.faults.before_training import OF_PREFLIGHT, FoundBefore
from tb_cnndiag.preflight_checks.run import CHECKS

PAGE = (Path(__file__).parents[2] / "docs" / "preflight.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("fault", OF_PREFLIGHT, ids=lambda fault: fault.id)
def test_each_fault_is_on_the_page_and_can_be_explained(
    fault: type[FoundBefore], capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"`{fault.id}`" in PAGE
    assert main(["explain", fault.id]) == 0
    assert fault.title in capsys.readouterr().out


def test_each_fault_has_a_check() -> None:
    assert {fault.id for fault in OF_PREFLIGHT} <= {check.fault for check in CHECKS}
    assert len({check.name for check in CHECKS}) == len(CHECKS)
