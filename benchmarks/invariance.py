"""Whether a judgment depends on what it should not depend on: ``python -m benchmarks.invariance LOGS``.

Each log below ``LOGS`` is judged as it is and changed: with every second or fifth snapshot, with other layer names,
with an identity layer, with relabeled classes. The findings that count (no info) must be the
same: the same faults in the same layers. Printed is the share of pairs that agree, and with ``--list`` each difference.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.logs import JUDGED
from tb_cnndiag.payloads import LayerColumns, RunInfo
from tb_cnndiag.summaries.codec import Measurement
from tb_cnndiag.summaries.reader import find_runs, read_run

Change = Callable[[list[Measurement]], list[Measurement] | None]
# Snapshots below which a thinned log is too short to be judged like the whole one: start, and three others.
LEFT = 4


def thinned(every: int) -> Change:
    """Every so many snapshots, with the first and the last; None where fewer than ``LEFT`` are left."""

    def change(measurements: list[Measurement]) -> list[Measurement] | None:
        last = max(m.snapshot for m in measurements)
        kept = {0, last, *range(last, 0, -every)}
        if len(kept) < LEFT:
            return None
        return [m for m in measurements if isinstance(m.payload, RunInfo) or m.snapshot in kept]

    return change


def _tables(change: Callable[[RunInfo], RunInfo]) -> Callable[[list[Measurement]], list[Measurement]]:
    return lambda measurements: [
        replace(m, payload=change(m.payload)) if isinstance(m.payload, RunInfo) else m for m in measurements
    ]


def renamed(measurements: list[Measurement]) -> list[Measurement]:
    """Layers called by their row."""

    def names(info: RunInfo) -> RunInfo:
        several = ", " in info.model
        layers = tuple(
            replace(a, path=f"{a.path.partition('/')[0]}/r{row}" if several else f"r{row}")
            for row, a in enumerate(info.layers)
        )
        return replace(info, layers=layers)

    paths = {
        a.path: b.path
        for m in measurements
        if isinstance(m.payload, RunInfo)
        for a, b in zip(m.payload.layers, names(m.payload).layers, strict=True)
    }
    return [replace(m, layer=paths.get(m.layer, m.layer)) for m in _tables(names)(measurements)]


def with_identity(measurements: list[Measurement]) -> list[Measurement]:
    """A layer of which nothing was measured, behind all others: it feeds nothing."""

    def longer(info: RunInfo) -> RunInfo:
        if not info.layers or ", " in info.model:
            return info
        other = replace(
            info.layers[-1], path="identity", trainable=False, output=False, inputs=(), role="other", activation="relu",
            kernel_shape=(), initializer="", units=0, fan_in=0,
        )  # fmt: skip
        return replace(info, layers=(*info.layers, other))

    found = []
    for m in _tables(longer)(measurements):
        if isinstance(m.payload, LayerColumns):
            columns = {name: np.append(values, np.nan).astype(np.float32) for name, values in m.payload.columns.items()}
            m = replace(m, payload=LayerColumns(columns))
        found.append(m)
    return found


def relabeled(measurements: list[Measurement]) -> list[Measurement]:
    """Classes in the opposite order."""
    return _tables(lambda info: replace(info, probe=replace(info.probe, class_counts=info.probe.class_counts[::-1])))(
        measurements
    )


CHANGES: Mapping[str, Change] = {
    "every second snapshot": thinned(2),
    "every fifth snapshot": thinned(5),
    "renamed layers": renamed,
    "an identity layer": with_identity,
    "relabeled classes": relabeled,
}


def found(measurements: list[Measurement]) -> set[tuple[str, int]]:
    """(fault, row of the layer) of each finding that counts; −1 for the whole model."""
    history = History.of(measurements)
    rows = {layer.path: row for row, layer in enumerate(history.layers)}
    return {(f.fault, rows.get(f.layer or "", -1)) for f in judge(history) if f.severity != "info"}


def logs(home: Path) -> Iterator[tuple[str, list[Measurement]]]:
    for name, directory in find_runs(home).items():
        measurements = list(read_run(directory, JUDGED))
        if any(isinstance(m.payload, RunInfo) for m in measurements):
            yield name, measurements


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", type=Path)
    parser.add_argument("--list", action="store_true", help="print each difference")
    options = parser.parse_args()
    agree = dict.fromkeys(CHANGES, 0)
    faults = dict.fromkeys(CHANGES, 0)
    compared = dict.fromkeys(CHANGES, 0)
    count = 0
    for name, measurements in logs(options.logs):
        count += 1
        before = found(measurements)
        for what, change in CHANGES.items():
            changed = change(measurements)
            if changed is None:
                continue
            compared[what] += 1
            after = found(changed)
            agree[what] += before == after
            faults[what] += {fault for fault, _ in before} == {fault for fault, _ in after}
            if options.list and before != after:
                print(f"{what}: {name}: − {sorted(before - after)} + {sorted(after - before)}")
    for what in CHANGES:
        pairs = max(compared[what], 1)
        shares = f"{agree[what] / pairs:7.1%} the same findings, {faults[what] / pairs:7.1%} the same faults"
        print(f"{what:24}{shares}, of {compared[what]:,} logs")
    pairs = sum(compared.values())
    print(f"{'all':24}{sum(agree.values()) / max(pairs, 1):7.1%} of {pairs:,} pairs of {count:,} logs")


if __name__ == "__main__":
    main()
