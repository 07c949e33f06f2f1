"""The command line: ``tb-cnndiag check | report | audit | demo | list | explain``."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tb_cnndiag.faults import BUILTIN
from tb_cnndiag.finding import SEVERITIES, Finding
from tb_cnndiag.judge import judge, nearest
from tb_cnndiag.logs import NoDataError, histories
from tb_cnndiag.report.text import as_dict, as_text, findings_as_text

PASSED, FAILED, USAGE, NO_DATA = range(4)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 passed, 1 findings, 2 usage, 3 no data."""
    options = _parser().parse_args(arguments)
    warnings.showwarning = lambda message, *_args, **_kwargs: print(f"warning: {message}", file=sys.stderr)
    return int(options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tb-cnndiag", description="Diagnostics of convolutional networks.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="judge logs; exit 0 when none is unwell, 1 when some are")
    check.add_argument("logdir", nargs="+", type=Path, help="directory given to CNNDiagnostics, or one above")
    check.add_argument(
        "--fail-on", choices=[*reversed(SEVERITIES[1:]), "never"], default="error", help="severity that fails"
    )
    check.add_argument("--format", choices=["text", "json"], default="text")
    check.set_defaults(run=_check)

    report = commands.add_parser("report", help="make one self-contained HTML page of a log")
    report.add_argument("logdir", type=Path, help="directory given to CNNDiagnostics, or one above")
    report.add_argument("-o", "--output", type=Path, default=Path("report.html"))
    report.add_argument("--max-size", type=float, default=5.0, metavar="MB", help="keep fewer looks rather than more")
    report.set_defaults(run=_report)

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


def _check(options: argparse.Namespace) -> int:
    findings: list[Finding] = []
    judged = 0
    for logdir in options.logdir:
        try:
            for history in histories(logdir):
                judged += 1
                found = judge(history)
                findings += found
                if options.format == "text":
                    print(as_text(history, found))
        except (OSError, NoDataError) as error:
            print(f"tb-cnndiag: {error}", file=sys.stderr)
            return NO_DATA
    if options.format == "json":
        print(json.dumps({"version": 1, "runs": judged, "findings": [as_dict(f) for f in findings]}, indent=2))
    if options.fail_on == "never":
        return PASSED
    return FAILED if any(f.rank() >= SEVERITIES.index(options.fail_on) for f in findings) else PASSED


def _report(options: argparse.Namespace) -> int:
    from tb_cnndiag.report.html import ReportError, report

    try:
        page = report(options.logdir, options.max_size)
        options.output.write_text(page, encoding="utf-8")
    except ReportError as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    except (OSError, NoDataError) as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return NO_DATA
    print(f"{options.output}: {len(page.encode()) / 1e6:.2f} MB")
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
    for history in histories(options.logdir):
        print(as_text(history, judge(history)))
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
