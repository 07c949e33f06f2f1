"""The command line: ``tb-cnndiag check | compare | report | export | audit | demo | list | explain``."""

from __future__ import annotations

import argparse
import sys
import textwrap
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from tb_cnndiag.config import Config, find_config, load_config
from tb_cnndiag.faults import BUILTIN
from tb_cnndiag.judge import nearest
from tb_cnndiag.logs import NoDataError, Steps
from tb_cnndiag.report.baseline import BaselineError, load_baseline, updated
from tb_cnndiag.report.compare import Bound, compare
from tb_cnndiag.report.formats import FORMATS
from tb_cnndiag.report.gate import Choice, judge_logs
from tb_cnndiag.report.outcome import FAIL_ON, Baseline, Outcome
from tb_cnndiag.report.text import as_text, findings_as_text
from tb_cnndiag.summaries.storage import place

PASSED, FAILED, USAGE, NO_DATA = range(4)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 passed, 1 findings, 2 usage, 3 no data."""
    options = _parser().parse_args(arguments)
    warnings.showwarning = lambda message, *_args, **_kwargs: print(f"warning: {message}", file=sys.stderr)
    return int(options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tb-cnndiag", description="Diagnostics of convolutional networks.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    choice = _choice_parser()
    check = commands.add_parser(
        "check", parents=[choice], help="judge logs; exit 0 when none is unwell, 1 when some are"
    )
    check.add_argument("logdir", nargs="+", type=place, help="directory given to CNNDiagnostics, or one above")
    check.add_argument("--fail-on", choices=FAIL_ON, help="severity from which on a finding fails (error)")
    check.add_argument(
        "--format", action="append", choices=list(FORMATS), help="how to tell it (text); several may be given"
    )
    check.add_argument(
        "-o", "--output", action="append", metavar="FILE", help="where the format goes, one for each; - is stdout"
    )
    check.add_argument("--baseline", type=Path, metavar="FILE", help="findings that are known and do not fail")
    check.add_argument("--update-baseline", action="store_true", help="write what is found to the baseline, and pass")
    check.set_defaults(run=_check)

    against = commands.add_parser("compare", parents=[choice], help="judge a log against another; exit 1: it is worse")
    against.add_argument("base", type=place, help="directory of the run, or runs, that were good enough")
    against.add_argument("head", type=place, help="directory of those that are judged")
    for way, sign in (("increase", 1), ("decrease", -1)):
        against.add_argument(
            f"--max-{way}",
            action="append",
            dest="bounds",
            type=partial(_bound, sign=sign),
            metavar="MEASURE=AMOUNT",
            help=f"the largest {way} of a measure in any layer that is no regression, as in dead_ratio=0.05",
        )
    against.add_argument("--fail-on", choices=FAIL_ON, help="severity from which on a new finding fails (error)")
    against.add_argument(
        "--format", action="append", choices=list(FORMATS), help="how to tell it (text); several may be given"
    )
    against.add_argument(
        "-o", "--output", action="append", metavar="FILE", help="where the format goes, one for each; - is stdout"
    )
    against.set_defaults(run=_compare)

    report = commands.add_parser("report", parents=[choice], help="make one self-contained HTML page of a log")
    report.add_argument("logdir", type=place, help="directory given to CNNDiagnostics, or one above")
    report.add_argument("-o", "--output", type=Path, default=Path("report.html"))
    report.add_argument("--max-size", type=_positive, default=5.0, metavar="MB", help="keep fewer looks, not more (5)")
    report.set_defaults(run=_report)

    export = commands.add_parser("export", help="every number of a log as a tidy table")
    export.add_argument("logdir", type=place, help="directory given to CNNDiagnostics, or one above")
    export.add_argument("--format", choices=["csv", "json", "parquet"], help="as the file's name ends, else csv")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of standard output")
    export.add_argument("--run", action="append", metavar="PATTERN", dest="runs", help="only runs such as 'night*'")
    export.add_argument("--step", type=_steps, default=(None, None), metavar="FIRST:LAST", help="only these steps")
    export.set_defaults(run=_export)

    audit = commands.add_parser("audit", help="judge a saved model without training it")
    audit.add_argument("model", type=Path, help="a .keras or .h5 file")
    audit.add_argument("--probe", type=Path, help="an .npz file with x, and y if there are labels")
    audit.add_argument("-o", "--output", type=Path, metavar="LOGDIR", help="keep the look for TensorBoard")
    audit.set_defaults(run=_audit)

    demo = commands.add_parser("demo", help="train a healthy and a faulty CNN on 5,000 digits and show both")
    demo.add_argument("logdir", nargs="?", type=Path, default=Path("logs/demo"))
    demo.add_argument("--no-serve", action="store_true", help="stop before TensorBoard")
    demo.add_argument("--port", type=int, default=6006)
    demo.set_defaults(run=_demo)

    commands.add_parser("list", help="all faults with their limits and sources").set_defaults(run=_list)
    explain = commands.add_parser("explain", help="what a fault is, why it matters, what to do")
    explain.add_argument("fault")
    explain.set_defaults(run=_explain)
    return parser


def _choice_parser() -> argparse.ArgumentParser:
    """What check and report have in common: runs, faults and limits."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--select", action="append", metavar="FAULT", help="look for this fault only; repeatable")
    parser.add_argument("--ignore", action="append", metavar="FAULT", help="do not look for this fault; repeatable")
    parser.add_argument("--run", action="append", metavar="PATTERN", dest="runs", help="only runs such as 'night*'")
    parser.add_argument("--step", type=_steps, default=(None, None), metavar="FIRST:LAST", help="only these steps")
    parser.add_argument(
        "--limit", action="append", type=_limit, default=[], metavar="FAULT.NAME=VALUE", help="change a threshold"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="instead of the nearest pyproject.toml")
    return parser


def _limit(text: str) -> tuple[str, str, float]:
    name, _, value = text.partition("=")
    fault, _, limit = name.partition(".")
    try:
        return fault.strip(), limit.strip(), float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not such as dead_units.dead_ratio=0.5") from None


def _steps(text: str) -> Steps:
    first, colon, last = text.partition(":")
    try:
        return (int(first) if first else None), (int(last) if last else None if colon else int(first))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not such as 100:2000, 100: or :2000") from None


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no size")
    return value


def _chosen(options: argparse.Namespace) -> tuple[Choice, Config]:
    """What flags and pyproject.toml ask for; flags win."""
    config = load_config(options.config or find_config(Path.cwd()))
    limits: dict[str, dict[str, float]] = {fault: dict(values) for fault, values in config.limits.items()}
    for fault, name, value in options.limit:
        limits.setdefault(fault, {})[name] = value
    choice = Choice(
        limits,
        _listed(options.select) if options.select else config.select,
        _listed(options.ignore) if options.ignore else config.ignore,
        options.runs or (),
        options.step,
    )
    choice.check()
    return choice, config


def _listed(names: Sequence[str]) -> list[str]:
    return [name.strip() for each in names for name in each.split(",") if name.strip()]


def _bound(text: str, sign: int) -> Bound:
    name, _, value = text.partition("=")
    try:
        return Bound(name.strip(), float(value), sign)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not such as dead_ratio=0.05") from None


def _check(options: argparse.Namespace) -> int:
    def judged(choice: Choice, fail_on: str) -> Outcome:
        return judge_logs(options.logdir, fail_on, choice, _baseline(options))

    return _told(options, judged, options.baseline if options.update_baseline else None)


def _compare(options: argparse.Namespace) -> int:
    def judged(choice: Choice, fail_on: str) -> Outcome:
        return compare(options.base, options.head, options.bounds or (), fail_on, choice)

    return _told(options, judged)


def _told(
    options: argparse.Namespace, judged: Callable[[Choice, str], Outcome], new_baseline: Path | None = None
) -> int:
    """Judge as the options ask for, tell the outcome in each format, and give the exit code."""
    formats, outputs = options.format or ["text"], options.output or []
    try:
        if len(outputs) > len(formats):
            raise ValueError(f"-o is given {len(outputs)} times for {len(formats)} --format. Give a --format for each.")
        choice, config = _chosen(options)
        outcome = judged(choice, options.fail_on or config.fail_on)
    except ValueError as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    except (OSError, NoDataError) as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return NO_DATA
    try:
        for name, output in zip_longest(formats, outputs, fillvalue="-"):
            _write(FORMATS[name](outcome), output)
        if new_baseline is not None:
            _write(updated(outcome), str(new_baseline))
    except OSError as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    return FAILED if outcome.failing and new_baseline is None else PASSED


def _baseline(options: argparse.Namespace) -> Baseline | None:
    if options.baseline is None:
        if options.update_baseline:
            raise BaselineError("--update-baseline needs --baseline FILE: where to write it.")
        return None
    if options.update_baseline and not options.baseline.exists():
        return Baseline({})
    return load_baseline(options.baseline)


def _write(text: str, output: str) -> None:
    if output == "-":
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
        return
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def _report(options: argparse.Namespace) -> int:
    from tb_cnndiag.report.html import ReportError, report

    try:
        choice, _ = _chosen(options)
    except ValueError as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    try:
        page = report(options.logdir, options.max_size, choice)
        _write(page, str(options.output))
    except ReportError as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    except (OSError, NoDataError) as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return NO_DATA
    if str(options.output) != "-":
        print(f"{options.output}: {len(page.encode()) / 1e6:.2f} MB")
    return PASSED


def _export(options: argparse.Namespace) -> int:
    from tb_cnndiag.report.export import ExportError, rows, write

    output = None if options.output is None or str(options.output) == "-" else options.output
    suffix = output.suffix.lower().removeprefix(".") if output else ""
    kind = options.format or (suffix if suffix in ("json", "parquet") else "csv")
    try:
        found = list(rows(options.logdir, options.runs or (), options.step))
    except (OSError, NoDataError) as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return NO_DATA
    try:
        text = write(found, output, kind)
    except (OSError, ExportError) as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    if text is not None:
        _write(text, "-")
    return PASSED


def _audit(options: argparse.Namespace) -> int:
    from tb_cnndiag.auditing import AuditError, audit

    try:
        found = audit(options.model, _probe(options.probe), options.output)
    except (AuditError, OSError, ValueError, KeyError) as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    print(findings_as_text(found))
    return FAILED if any(finding.severity == "error" for finding in found) else PASSED


def _probe(path: Path | None) -> Any:
    if path is None:
        return None
    with np.load(path, allow_pickle=False) as arrays:
        if "x" not in arrays:
            raise ValueError(
                f"{path} has {', '.join(arrays) or 'nothing'}, but no array x: save it by np.savez(path, x=x)."
            )
        return (arrays["x"], arrays["y"]) if "y" in arrays else arrays["x"]


def _demo(options: argparse.Namespace) -> int:
    from tb_cnndiag.demo import DemoError, serve, train

    try:
        train(options.logdir)
    except DemoError as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    print()
    for result in judge_logs([options.logdir]).results:
        print(as_text(result))
    return PASSED if options.no_serve else serve(options.logdir, options.port)


def _list(_options: argparse.Namespace) -> int:
    for fault in BUILTIN:
        print(f"{fault.id}: {fault.title}. {fault.what}")
        for name, limit in fault.limits.items():
            print(f"    {name} = {limit.value:g} ({limit.unit}): {limit.description}")
        print(textwrap.indent(textwrap.fill(f"source: {fault.source}", 110), "    "))
    return PASSED


def _explain(options: argparse.Namespace) -> int:
    known = {fault.id: fault for fault in BUILTIN}
    fault = known.get(options.fault)
    if fault is None:
        hint = nearest(options.fault, known)
        print(f"tb-cnndiag: there is no fault {options.fault!r}.{hint} Faults: {', '.join(known)}.", file=sys.stderr)
        return USAGE
    print(f"{fault.title} ({fault.id})\n")
    parts = {"What it is": fault.what, "Why it matters": fault.why, "What to do": fault.advice, "Source": fault.source}
    for heading, words in parts.items():
        print(f"{heading}\n{textwrap.indent(textwrap.fill(words, 96), '    ')}\n")
    print("Limits")
    for name, limit in fault.limits.items():
        print(f"    {name} = {limit.value:g} ({limit.unit}): {limit.description}")
    return PASSED


if __name__ == "__main__":
    sys.exit(main())
