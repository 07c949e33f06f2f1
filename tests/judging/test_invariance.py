"""A judgment does not depend on what it should not depend on: changed histories give the same findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.invariance import CHANGES, found, logs
from tb_cnndiag.payloads import LayerColumns, RunInfo, Scalars, UnitStates
from tb_cnndiag.summaries.codec import Measurement
from tests.judging.faults.made import INFO, PRIOR_LOSS

SNAPSHOTS = 25


def _run(loss: Callable[[int], float], **columns: Callable[[int], list[float]]) -> list[Measurement]:
    """Snapshots at the ends of 24 epochs of 10 steps; ``diagnostic__column`` gives the layers' values of an epoch."""
    found = [Measurement("run_info", 0, 0, INFO, table="t")]
    for epoch in range(SNAPSHOTS):
        by: dict[str, dict[str, np.ndarray]] = {}
        for name, values in columns.items():
            diagnostic, column = name.split("__")
            by.setdefault(diagnostic, {})[column] = np.asarray(values(epoch), np.float32)
        payloads = [(diagnostic, LayerColumns(each)) for diagnostic, each in by.items()]
        if epoch:
            payloads.append(("training_curve", Scalars({"loss": loss(epoch), "val_loss": 1.1 * loss(epoch)})))  # type: ignore[arg-type]
        found += [Measurement(name, 10 * epoch, epoch, payload, epoch=epoch, table="t") for name, payload in payloads]
    states = UnitStates(np.array([3] * 8, np.uint8), 512, 100)
    found.append(Measurement("dead_units", 240, SNAPSHOTS - 1, states, layer="conv2", epoch=24, table="t"))
    return found


def _same(value: float) -> Callable[[int], list[float]]:
    return lambda epoch: [value] * 4


RUNS = {
    "healthy": _run(
        lambda epoch: PRIOR_LOSS * 0.8**epoch,
        update_ratio__update_ratio=_same(3e-3),
        dead_units__dead_ratio=_same(0.05),
    ),
    "a layer that dies": _run(
        lambda epoch: PRIOR_LOSS,
        update_ratio__update_ratio=_same(1e-3),
        dead_units__dead_ratio=lambda epoch: [0.0, float(epoch > 4), 0.0, 0.0],
    ),
    "a rate that is too low": _run(
        lambda epoch: PRIOR_LOSS * (1 - 1e-3 * epoch),
        update_ratio__update_ratio=_same(1e-5),
        gradient_flow__relative_gradient=_same(0.1),
    ),
    "a rate that is too high": _run(lambda epoch: PRIOR_LOSS, update_ratio__update_ratio=_same(0.2)),
    "a plateau": _run(lambda epoch: PRIOR_LOSS * max(0.65, 0.9**epoch), update_ratio__update_ratio=_same(1e-3)),
    "a gradient that vanishes": _run(
        lambda epoch: PRIOR_LOSS,
        gradient_flow__relative_gradient=lambda epoch: [1e-7, 1e-5, 1e-3, 1e-1],
        update_ratio__update_ratio=lambda epoch: [1e-8, 1e-6, 1e-4, 1e-3],
    ),
    "NaN": _run(lambda epoch: PRIOR_LOSS, weight_health__non_finite=lambda epoch: [0.0, 0.0, 9.0 * (epoch > 6), 0.0]),
}


def test_the_runs_have_faults() -> None:
    assert [name for name, run in RUNS.items() if not found(run)] == ["healthy"]


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("name", RUNS)
def test_handmade_runs(name: str, what: str) -> None:
    changed = CHANGES[what](RUNS[name])
    assert changed is not None
    assert found(changed) == found(RUNS[name])


@pytest.mark.parametrize("name", RUNS)
def test_without_the_last_snapshots(name: str) -> None:
    cut = [m for m in RUNS[name] if m.snapshot < SNAPSHOTS - 4]
    assert found(cut) == found(RUNS[name])


@pytest.mark.parametrize("name", RUNS)
def test_with_a_snapshot_every_few_steps(name: str) -> None:
    """Four snapshots an epoch, the first three of which repeat what was measured before."""
    often: list[Measurement] = []
    for m in RUNS[name]:
        often.append(replace(m, step=4 * m.step, snapshot=4 * m.snapshot))
    between = [
        replace(m, step=4 * m.step + 10 * part, snapshot=4 * m.snapshot + part)
        for m in RUNS[name]
        if not isinstance(m.payload, RunInfo) and m.snapshot < SNAPSHOTS - 1
        for part in (1, 2, 3)
    ]
    assert found(sorted([*often, *between], key=lambda m: m.step)) == found(RUNS[name])


def test_permuted_units() -> None:
    run = RUNS["a layer that dies"]
    permuted = [
        replace(m, payload=replace(m.payload, states=m.payload.states[::-1]))
        if isinstance(m.payload, UnitStates)
        else m
        for m in run
    ]
    assert found(permuted) == found(run)


@pytest.mark.parametrize("what", CHANGES)
def test_real_trainings(demo_logdir: Path, what: str) -> None:
    for _, measurements in logs(demo_logdir):
        changed = CHANGES[what](measurements)
        if changed is not None and "fifth" not in what:
            assert found(changed) == found(measurements)
