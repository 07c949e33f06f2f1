"""The figures of the field benchmark: one line per program, findings in words, and the table of the targets."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.field.program import FOLDER, Program, tomllib
from benchmarks.field.reading import Seen, outcome, seen

JUDGED = FOLDER / "judged.toml"
DETERMINISTIC = "but it is deterministic"
# More runs without the callback. One says little: threads that race may finish in the same order twice.
AGAIN = ("again", "again-2", "again-3")


@dataclass(frozen=True)
class Row:
    """One program: its runs without and with the callback, and the verdicts on its findings.

    ``printed`` are the seconds that the callback says it took.
    """

    id: str
    bare: dict[str, Any]
    run: dict[str, Any]
    seen: Seen
    verdicts: Sequence[str]
    printed: float

    @property
    def ran(self) -> bool:
        """The program ended as its author wrote it."""
        return not self.run["error"]

    @property
    def equal(self) -> bool:
        """Weights and histories are those of the run without."""
        return traces(self.bare) == traces(self.run)

    @property
    def seconds(self) -> tuple[float, float]:
        """Wall time of all trainings, without and with."""
        return total(self.bare, "seconds"), total(self.run, "seconds")

    @property
    def ratio(self) -> float:
        """Wall time over that without."""
        return self.seconds[1] / self.seconds[0]

    @property
    def processor(self) -> float:
        """Processor time over that without: what other work on the machine changes less."""
        return total(self.run, "processor") / max(total(self.bare, "processor"), 1e-9)

    def false(self, severity: str) -> bool:
        """A finding of this severity was judged false."""
        return f"false {severity}" in self.verdicts


def traces(result: dict[str, Any]) -> list[tuple[str, Any]]:
    """What two equal runs have in common."""
    return [(training["weights"], training["history"]) for training in result["trainings"]]


def differ(first: Path, second: Path) -> bool:
    """Two runs trained differently."""
    one, other = outcome(first), outcome(second)
    return one is not None and other is not None and traces(one) != traces(other)


def total(result: dict[str, Any], what: str) -> float:
    """Sum over the trainings of one run."""
    return float(sum(training[what] for training in result["trainings"]))


def print_bare(names: Sequence[str], work: Path) -> None:
    """Whether the programs run, and how long they train."""
    for name in names:
        result = outcome(work / name / "bare")
        if result is None:
            print(f"{name:32} no outcome")
            continue
        last = {key: f"{values[-1]:.4g}" for key, values in result["trainings"][-1]["history"].items() if values} if (
            result["trainings"]
        ) else {}  # fmt: skip
        error = result["error"].strip().splitlines()[-1:] or [""]
        print(f"{name:32} {total(result, 'seconds'):6.1f} of {result['seconds']:6.1f} s  {last}  {error[0]}")


def print_table(chosen: Sequence[Program], work: Path, *, absent: int) -> None:
    """All lines and the summary."""
    judged = tomllib.loads(JUDGED.read_text(encoding="utf-8")) if JUDGED.exists() else {}
    rows, failed = [], []
    for program in chosen:
        bare, run = outcome(work / program.id / "bare"), outcome(work / program.id / "with")
        if bare is None or run is None or bare["error"]:
            failed.append(program.id)
            continue
        rows.append(
            Row(
                program.id,
                bare,
                run,
                seen(work / program.id / "with", run),
                _verdicts(program.id, run, judged),
                _printed(work / program.id / "with" / "output.txt"),
            )
        )
    again = {row.id: [run for name in AGAIN if (run := outcome(work / row.id / name))] for row in rows}
    for row in rows:
        _print_row(row, again[row.id])
    if rows:
        _print_summary(rows, again)
    print(f"absent: {absent}; not run to their end without the callback: {', '.join(failed) or 'none'}")


def _verdicts(name: str, run: dict[str, Any], judged: dict[str, Any]) -> list[str]:
    """For each finding without a cause: ``"right"``, ``"hint"``, or ``"false"`` or ``"open"`` with its severity."""
    verdicts = []
    for finding in run["findings"]:
        if finding["severity"] == "info" or finding["caused_by"]:
            continue
        entry = next(
            (
                each
                for each in judged.get("finding", ())
                if each["program"] == name and each["fault"] == finding["fault"]
                and each.get("layer", "*") in ("*", finding["layer"] or "")
            ),
            None,
        )  # fmt: skip
        verdict = entry["verdict"] if entry else "open"
        verdicts.append(verdict if verdict in ("right", "hint") else f"{verdict} {finding['severity']}")
    return verdicts


def _printed(output: Path) -> float:
    """Sum of the seconds in what the callback prints at the end of each training."""
    found = re.findall(r"^CNN diagnostics: ([\d.]+) s \(", output.read_text(errors="replace"), re.MULTILINE)
    return sum(map(float, found))


def _print_row(row: Row, again: Sequence[dict[str, Any]]) -> None:
    bare, run = row.seconds
    see = row.seen
    print(f"\n{row.id}: {'ran' if row.ran else 'FAILED'}; {len(row.run['trainings'])} trainings")
    equal = "bit-equal" if row.equal else "differs; " + _determinism(row, again)
    print(
        f"  {equal}; {bare:.1f} s without, {run:.1f} s with ({row.ratio:.2f}; processor {row.processor:.2f}); "
        f"printed {row.printed:.1f} s"
    )
    print(f"  kernels {see.matrices}: {len(see.named)} only named, {len(see.unnamed)} neither; {see.bytes:,} bytes")
    if see.switched_off:
        print(f"  SWITCHED OFF: {'; '.join(see.switched_off)}")
    for path in see.unnamed[:6]:
        print(f"  not seen: {path}")
    if see.without_probe:
        said = "; not said of " + ", ".join(see.silent) if see.silent else "; said"
        print(f"  without a probe: {', '.join(see.without_probe)}{said}")
    for note in see.notes:
        print(f"  note: {note}")
    for finding in row.run["findings"]:
        cause = f" (caused by {finding['caused_by']})" if finding["caused_by"] else ""
        print(
            f"  {finding['severity']}: {finding['fault']} @ {finding['layer'] or 'model'}{cause}: {finding['message']}"
        )
    for gone in row.run.get("gone", ()):
        print(f"  announced, and gone at the end: {gone}")
    if row.run["retracted"] is not None:
        print(f"  announcements retracted: {row.run['retracted']}")
    if not row.ran:
        print("  " + row.run["error"].strip().replace("\n", "\n  "))


def _determinism(row: Row, again: Sequence[dict[str, Any]]) -> str:
    if not again:
        return "not known whether it is deterministic"
    return DETERMINISTIC if all(traces(each) == traces(row.bare) for each in again) else "not deterministic"


def _print_summary(rows: Sequence[Row], again: dict[str, list[dict[str, Any]]]) -> None:
    count = len(rows)
    deterministic = [row for row in rows if row.equal or _determinism(row, again[row.id]) == DETERMINISTIC]
    matrices = sum(row.seen.matrices for row in rows)
    unnamed = sum(len(row.seen.unnamed) for row in rows)
    short = [row for row in rows if row.seconds[0] < 20]
    extra = sorted(row.seconds[1] - row.seconds[0] for row in short)
    ratios, used = sorted(row.ratio for row in rows), sorted(row.processor for row in rows)
    verdicts = [verdict for row in rows for verdict in row.verdicts]
    kinds = [sum(verdict.startswith(kind) for verdict in verdicts) for kind in ("right", "hint", "false", "open")]
    seconds = f"{statistics.median(extra):.1f} / {extra[-1]:.1f} (of {len(short)})" if extra else "–"
    said, more = sum(row.printed for row in rows), sum(row.seconds[1] - row.seconds[0] for row in rows)
    lines = [
        ("ran", f"{sum(row.ran for row in rows)} of {count}"),
        ("active to the end", f"{sum(not row.seen.switched_off for row in rows)} of {count}"),
        ("with a probe, without the user's help", f"{sum(not row.seen.without_probe for row in rows)} of {count}"),
        ("… without one, and no note says so", str(sum(bool(row.seen.silent) for row in rows))),
        ("kernels seen or named with the reason", f"{matrices - unnamed} of {matrices}"),
        ("programs with a false error", f"{sum(row.false('error') for row in rows)} of {count}"),
        ("programs with a false warning", f"{sum(row.false('warning') for row in rows)} of {count}"),
        ("findings: right, hint, false, not judged", ", ".join(map(str, kinds))),
        ("announced, and gone at the end", f"in {sum(bool(row.run.get('gone')) for row in rows)} of {count}"),
        ("wall time over bare, median / worst", f"{statistics.median(ratios):.2f} / {ratios[-1]:.2f}"),
        ("processor time over bare, median / worst", f"{statistics.median(used):.2f} / {used[-1]:.2f}"),
        ("seconds printed over measured, all programs", f"{said:.1f} / {more:.1f}"),
        ("below 20 s bare: extra seconds, median / worst", seconds),
        ("bit-equal where deterministic", f"{sum(row.equal for row in deterministic)} of {len(deterministic)}"),
        ("kB per program, median", f"{statistics.median(row.seen.bytes for row in rows) / 1000:,.0f}"),
    ]
    print(f"\n| {count} programs | measured |\n| --- | --- |")
    for name, value in lines:
        print(f"| {name} | {value} |")
