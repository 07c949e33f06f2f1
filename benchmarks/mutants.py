"""How many mutants the tests kill, from the cache of ``make mutation``: ``python -m benchmarks.mutants``.

Prints the share of killed mutants per file, and with ``--list`` each survivor with its line.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections import defaultdict
from pathlib import Path

KILLED = ("ok_killed", "bad_timeout", "ok_suspicious")
QUERY = """
select SourceFile.filename, Line.line_number, Line.line, Mutant.status
from Mutant join Line on Mutant.line = Line.id join SourceFile on Line.sourcefile = SourceFile.id
where Mutant.status != 'untested'
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path, nargs="?", default=Path(".mutmut-cache"))
    parser.add_argument("--list", action="store_true", help="print each survivor")
    options = parser.parse_args()
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for file, number, line, status in sqlite3.connect(options.cache).execute(QUERY):
        counts[file][0] += status in KILLED
        counts[file][1] += 1
        if options.list and status not in KILLED:
            print(f"{file}:{number + 1}: {line.strip()}")
    for file, (killed, total) in sorted(counts.items()):
        print(f"{file}: {killed}/{total} killed ({killed / total:.1%})")
    killed, total = (sum(each) for each in zip(*counts.values(), strict=True)) if counts else (0, 0)
    print(f"all: {killed}/{total} killed ({killed / max(total, 1):.1%})")


if __name__ == "__main__":
    main()
