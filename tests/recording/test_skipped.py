"""What is kept of snapshots that are not taken."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.recording.skipped import SkippedSnapshots


def test_of_many_skipped_snapshots_every_other_is_kept_and_all_that_report_more() -> None:
    skipped = SkippedSnapshots()
    for step in range(1, 201):
        skipped.add(step, 0, {"loss": 1.0 / step} | ({"val_loss": 2.0} if step % 50 == 0 else {}))
    skipped.add(201, 5, {})
    assert skipped.count == 201
    kept = skipped.take(before=200)
    assert len(kept) <= 64
    assert [each.step for each in kept if "val_loss" in each.logs] == [50, 100, 150]
    steps = np.array([each.step for each in kept if "val_loss" not in each.logs])
    assert set(np.diff(steps)) <= {4, 5}  # every fourth, and fifth where an epoch ends between them
    assert skipped.take(before=1000) == []
