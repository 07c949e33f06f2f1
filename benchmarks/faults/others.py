"""The documented default rules of other tools on blind trainings: ``python -m benchmarks.faults.others``.

They judge what ``recorder.py`` wrote with Keras alone, one snapshot before training and one after each epoch. Where a
source leaves something open, the reading that raises fewer false alarms is taken:

- *SageMaker Debugger*: "List of Debugger built-in rules" of the AWS documentation, rules for deep learning whose
  defaults name what they inspect. Its interval of 500 steps would sample these trainings once; an epoch is a step here.
- *AUTOTRAINER*: Zhang et al., ICSE 2021, with the parameters of its released ``reproduce.py``, checked every epoch.
- *BTTackler*: Pei et al., KDD 2024, with its released ``default_config.yaml``, without rules that compare trials.
- *UMLAUT*: Schoop et al., CHI 2021, the heuristics of its released ``heuristics.py``.

A tool names the right fault if any rule that fired stands for it (AUTOTRAINER reports only one); none names a layer.
"Best in hindsight" leaves out each rule that flags more than a tenth of healthy runs, which no user could know.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults.others_rules import TOOLS
from benchmarks.faults.recorder import RECORD

TABLE = Path(__file__).parent / "others.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("logs/faults"), help="where logs are kept")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each case")
    parser.add_argument("--round", choices=["first", "second", "third", "fourth"], default="second", help="which cases")
    options = parser.parse_args()

    from benchmarks.corpus.cases import CASES
    from benchmarks.faults.__main__ import home_of
    from benchmarks.faults.score import shares, verdict

    cases = [case for case in CASES if case.half == options.round]
    runs = [(case, home_of(options.work, case.name, seed)) for case in cases for seed in range(options.seeds)]
    verdicts = [verdict(case, home) for case, home in runs]
    valid = [(v.case, home) for v, (_, home) in zip(verdicts, runs, strict=True) if v.valid]
    fired = {
        tool: [(case, set(rules_of(tool, json.loads((home / RECORD).read_text())))) for case, home in valid]
        for tool in TOOLS
    }
    own = shares(verdicts)
    lines = ["| tool | detected | right fault | healthy flagged |", "|---|---|---|---|"]
    lines += [f"| tb_cnndiag | {own[0].short} | {own[1].short} | {own[3].short} |"]
    for tool, found in fired.items():
        lines.append(_row(tool, tool, found, set(TOOLS[tool])))
        quiet = {rule for rule in TOOLS[tool] if _rate(found, rule, faulty=False) <= 0.1}
        lines.append(_row(f"{tool}, best in hindsight", tool, found, quiet))
    lines += ["", "| rule | stands for | faulty flagged | healthy flagged |", "|---|---|---|---|"]
    for tool, found in fired.items():
        for rule, (_, names) in TOOLS[tool].items():
            rates = (f"{_rate(found, rule, faulty=faulty):.0%}" for faulty in (True, False))
            lines.append(f"| {tool}: {rule} | {', '.join(names) or '–'} | {' | '.join(rates)} |")
    print("\n".join(lines))
    seeds = "one seed" if options.seeds == 1 else f"{options.seeds} seeds"
    title = f"# Other tools' rules on the {options.round} round ({seeds})"
    by = "Written by `python -m benchmarks.faults.others`."
    TABLE.write_text("\n\n".join([title, by, "\n".join(lines)]) + "\n", encoding="utf-8")


def rules_of(tool: str, record: Mapping[str, Any]) -> Iterator[str]:
    """Names of the rules that fire. A rule that lacks its data, such as an accuracy, does not fire."""
    for rule, (fires, _) in TOOLS[tool].items():
        with np.errstate(all="ignore"):
            if fires(record):
                yield rule


Found = Sequence[tuple[Any, set[str]]]


def _rate(found: Found, rule: str, *, faulty: bool) -> float:
    chosen = [rule in rules for case, rules in found if bool(case.fault) is faulty]
    return sum(chosen) / max(len(chosen), 1)


def _row(label: str, tool: str, found: Found, kept: set[str]) -> str:
    from benchmarks.faults.score import Share

    faulty = [(case, rules & kept) for case, rules in found if case.fault]
    healthy = [rules & kept for case, rules in found if not case.fault]
    right = [
        bool({case.fault, *case.also} & {name for rule in rules for name in TOOLS[tool][rule][1]})
        for case, rules in faulty
    ]
    shown = (
        Share("detected", sum(bool(rules) for _, rules in faulty), len(faulty)),
        Share("right fault", sum(right), len(faulty)),
        Share("healthy flagged", sum(map(bool, healthy)), len(healthy)),
    )
    return f"| {label} | {' | '.join(share.short for share in shown)} |"


if __name__ == "__main__":
    main()
