"""Calibrates thresholds on healthy trainings: ``python -m benchmarks.calibrate LOGS``.

For each comparison in the condition of a fault, the value that comes closest to the threshold in each healthy training
below ``LOGS`` (those of ``benchmarks.corpus`` without a fault) is collected. Printed are the threshold, its origin, the
quantile of the healthy trainings at the threshold (how many cross it), and the value that 99 % of them do not cross. A
threshold that many cross decides only together with others: the last column is the share of healthy trainings in which
the fault is found.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tb_cnndiag.judging.conditions import Above, All, Any, Below, Condition, Falls, Flat, Known, Not, Persists
from tb_cnndiag.judging.faults import BUILTIN, Fault
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.logs import histories

CONFIDENCE = 0.99


def comparisons(condition: Condition) -> Iterator[Above | Below]:
    """The comparisons with a threshold that make a condition true."""
    if isinstance(condition, Above | Below):
        yield condition
    elif isinstance(condition, All | Any):
        for part in condition.conditions:
            yield from comparisons(part)
    elif isinstance(condition, Persists | Known):
        yield from comparisons(condition.condition)
    elif isinstance(condition, Not | Flat | Falls):
        return


def closest(signals: Signals, compared: Above | Below, rows: list[int] | None) -> float:
    """The last value that is closest to the threshold, over the layers that are judged; NaN where unknown."""
    track = signals(compared.signal)
    if not len(track):
        return float("nan")
    last = track.latest[-1]
    if track.of_layers and rows is not None:
        last = last[rows]
    if not last.size or np.isnan(last).all():
        return float("nan")
    return float(np.nanmax(last) if isinstance(compared, Above) else np.nanmin(last))


def healthy(home: Path) -> list[Signals]:
    """The signals of each healthy training of the corpus that was recorded."""
    from benchmarks.corpus.cases import CASES
    from benchmarks.faults.__main__ import home_of

    # Cases of the report half are never read.
    logs = [home_of(home, case.name, 0) for case in CASES if case.fault is None and case.half != "report"]
    return [Signals(history) for log in logs if (log / "cnndiag").exists() for history in histories(log)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", type=Path)
    options = parser.parse_args()
    runs = healthy(options.logs)
    print(f"{len(runs)} healthy trainings")
    print(f"{'fault.threshold':44}{'default':>10}{'crossed':>10}{'at 99 %':>12}{'found':>8}")
    for kind in BUILTIN:
        _print(kind, runs)


def _print(kind: type[Fault], runs: list[Signals]) -> None:
    limits = {name: limit.value for name, limit in kind.limits.items()}
    found = sum(
        any(finding.severity != "info" for finding in kind().judge(signals, limits).findings) for signals in runs
    )
    seen: set[tuple[str, str]] = set()
    for each in kind.kinds:
        for compared in comparisons(each.when):
            key = compared.limit, compared.signal.name
            if key in seen:
                continue
            seen.add(key)
            values = np.array(
                [closest(signals, compared, each.where(signals) if each.where else None) for signals in runs]
            )
            values = values[~np.isnan(values)]
            limit, above = limits[compared.limit], isinstance(compared, Above)
            strict = above and getattr(compared, "strict", False)
            crosses = values > limit if strict else values >= limit if above else values < limit
            crossed = np.mean(crosses) if values.size else np.nan
            most = (
                np.quantile(values, CONFIDENCE if above else 1 - CONFIDENCE, method="nearest")
                if values.size
                else np.nan
            )
            name = f"{kind.id}.{compared.limit} ({compared.signal.name})"
            print(f"{name[:43]:44}{limit:10.3g}{crossed:10.1%}{most:12.3g}{found / max(len(runs), 1):8.1%}")


if __name__ == "__main__":
    main()
