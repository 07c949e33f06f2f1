"""Whether what is announced during a training holds at its end: ``python -m benchmarks.live LOGS``.

Each log below ``LOGS`` is judged snapshot by snapshot, as the callback does. Printed are how many announcements do not
hold in the last judgment, and how many of its errors were announced within two snapshots after they began to persist.
"""

from __future__ import annotations

import argparse
from itertools import groupby
from pathlib import Path

from benchmarks.invariance import logs
from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.announcements import OF_THE_END, Announcer, Key
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.summaries.codec import Measurement

PROMPT = 2


def replay(measurements: list[Measurement]) -> tuple[list[tuple[Finding, ...]], dict[Key, int], set[Key], int]:
    """(findings of each snapshot, first announcement of each finding, findings retracted, snapshots)."""
    history, announcer = History(), Announcer()
    snapshots: list[tuple[Finding, ...]] = []
    announced: dict[Key, int] = {}
    retracted: set[Key] = set()
    groups = [list(group) for _, group in groupby(measurements, key=lambda m: m.step)]
    for number, group in enumerate(groups):
        for measurement in group:
            history.add(measurement)
        found = judge(history)
        snapshots.append(found)
        news = announcer.update(found, ended=number == len(groups) - 1)
        for finding in news.announced:
            announced.setdefault((finding.fault, finding.layer), number)
        retracted |= {(finding.fault, finding.layer) for finding in news.retracted}
    return snapshots, announced, retracted, len(groups)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", type=Path)
    parser.add_argument("--list", action="store_true", help="print each retraction and each late announcement")
    options = parser.parse_args()
    total = wrong = errors = prompt = 0
    for name, measurements in logs(options.logs):
        snapshots, announced, _, count = replay(measurements)
        last = {(f.fault, f.layer) for f in snapshots[-1] if f.rank() > 0}
        total += len(announced)
        lost = announced.keys() - last
        wrong += len(lost)
        if options.list and lost:
            print(f"retracted: {name}: {sorted((fault, layer or '') for fault, layer in lost)}")
        for finding in snapshots[-1]:
            key = finding.fault, finding.layer
            if finding.severity != "error" or finding.fault in OF_THE_END:
                continue
            present = [any((f.fault, f.layer) == key and f.severity == "error" for f in found) for found in snapshots]
            since = count - next((i for i, there in enumerate(reversed(present)) if not there), count)
            errors += 1
            on_time = announced.get(key, count) <= since + PROMPT
            prompt += on_time
            if options.list and not on_time:
                print(f"late: {name}: {key} since snapshot {since}, announced at {announced.get(key)}")
    print(f"announcements that the last judgment does not hold: {wrong / max(total, 1):.1%} ({wrong}/{total})")
    print(f"errors announced within {PROMPT} snapshots: {prompt / max(errors, 1):.1%} ({prompt}/{errors})")


if __name__ == "__main__":
    main()
