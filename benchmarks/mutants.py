"""How many mutants the tests kill: ``python -m benchmarks.mutants``.

Without options it reads the cache of ``make mutation``. ``--every N`` makes every Nth mutant of ``judging/`` and
``numerics/`` itself, in the order of files and lines, and runs the tests of ``[tool.mutmut]`` in a copy of the sources.
The first of them is number N / 2, or ``--offset``: two samples with different offsets below N have no mutant in common,
so that tests which were written for the survivors of one can be judged by the other.

Printed are the share of killed mutants per file, per package and of all, and the share of those that change more than a
text; with ``--list`` each survivor with its line. If it is interrupted, that of the mutants so far.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tb_cnndiag.cli.config import tomllib

ROOT = Path(__file__).resolve().parents[1]
KILLED = ("ok_killed", "bad_timeout", "ok_suspicious")
QUERY = """
select SourceFile.filename, Line.line_number, Line.line, Mutant.status
from Mutant join Line on Mutant.line = Line.id join SourceFile on Line.sourcefile = SourceFile.id
where Mutant.status != 'untested'
"""
# What the tests need of the sources; seconds after which a test run counts as one that noticed.
COPIED, TIMEOUT = ("tb_cnndiag", "tests", "benchmarks", "summaries", "docs", "pyproject.toml"), 300


def of_cache(cache: Path) -> Iterator[tuple[str, int, str, bool]]:
    """(file, line number, line, whether it was killed) of each mutant that was tested."""
    for file, number, line, status in sqlite3.connect(cache).execute(QUERY):
        yield file, number + 1, line.strip(), status in KILLED


def sampled(every: int, offset: int) -> Iterator[tuple[str, int, str, bool]]:
    """The same for every so many mutants from number ``offset`` on; the line is shown as it was changed."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    folders = settings["paths_to_mutate"].split(",")
    files = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    with tempfile.TemporaryDirectory() as home:
        for copied in COPIED:
            if (ROOT / copied).is_dir():
                shutil.copytree(ROOT / copied, Path(home, copied))
            else:
                shutil.copy(ROOT / copied, home)
        for file, mutation in [each for path in files for each in _mutations(path)][offset::every]:
            name = file.relative_to(ROOT)
            source = file.read_text(encoding="utf-8")
            mutant = _mutant(source, mutation)
            Path(home, name).write_text(mutant, encoding="utf-8")
            killed = not _passes(settings["runner"], Path(home), numerics="numerics" in name.parts)
            Path(home, name).write_text(source, encoding="utf-8")
            changed = (new for old, new in zip(source.splitlines(), mutant.splitlines(), strict=False) if old != new)
            yield str(name), mutation.line_number + 1, next(changed, "").strip(), killed


def _mutations(path: Path) -> Iterator[tuple[Path, Any]]:
    mutmut = importlib.import_module("mutmut")
    source = path.read_text(encoding="utf-8")
    for mutation in mutmut.list_mutations(mutmut.Context(source=source, filename=str(path))):
        yield path, mutation


def _mutant(source: str, mutation: Any) -> str:
    mutmut = importlib.import_module("mutmut")
    mutant, _ = mutmut.mutate(mutmut.Context(source=source, filename=mutation.filename, mutation_id=mutation))
    return str(mutant)


def _passes(runner: str, home: Path, *, numerics: bool) -> bool:
    """Whether the tests pass. Those of the same folder run first; only judging uses the other one."""
    folders = ["tests/numerics", "tests/judging"] if numerics else ["tests/judging"]
    options = [word for word in shlex.split(runner)[1:] if word not in ("tests/numerics", "tests/judging")]
    command = [sys.executable, *options, *folders]
    environment = {**os.environ, "PYTHONPATH": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, check=False, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path, nargs="?", default=Path(".mutmut-cache"))
    parser.add_argument("--every", type=int, default=0, help="test every so many mutants now")
    parser.add_argument("--offset", type=int, help="number of the first of them; by default half of --every")
    parser.add_argument("--list", action="store_true", help="print each survivor")
    options = parser.parse_args()
    offset = options.every // 2 if options.offset is None else options.offset
    if options.every and not 0 <= offset < options.every:
        parser.error("--offset must be at least 0 and below --every")
    tested = sampled(options.every, offset) if options.every else of_cache(options.cache)
    every: dict[str, list[bool]] = defaultdict(list)
    beyond_texts: dict[str, list[bool]] = defaultdict(list)
    try:
        for file, number, line, killed in tested:
            for place in (file, Path(file).parts[1], "all"):
                every[place].append(killed)
                if "XX" not in line:  # what mutmut adds to texts
                    beyond_texts[place].append(killed)
            if options.list and not killed:
                print(f"{file}:{number}: {line}", flush=True)
    except KeyboardInterrupt:
        print("interrupted")
    for place, killed_here in sorted(every.items(), key=lambda each: (not each[0].endswith(".py"), each[0])):
        print(f"{place}: {_share(killed_here)}; without texts {_share(beyond_texts[place])}")


def _share(killed: list[bool]) -> str:
    return f"{sum(killed)}/{len(killed)} killed ({sum(killed) / max(len(killed), 1):.1%})"


if __name__ == "__main__":
    main()
