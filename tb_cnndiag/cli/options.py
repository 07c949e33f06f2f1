"""The flags of the command line, and what they and pyproject.toml together ask for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tb_cnndiag.cli.config import Config, find_config, load_config, steps
from tb_cnndiag.logs import Steps
from tb_cnndiag.report.compare import Bound
from tb_cnndiag.report.formats import FORMATS
from tb_cnndiag.report.gate import CheckSelection
from tb_cnndiag.report.outcome import FAIL_ON
from tb_cnndiag.summaries.storage import place

# What belongs to one call and not into a configuration; each other flag of check, compare and report is a key.
OF_ONE_CALL = ("config", "format", "help", "output", "quiet", "update-baseline")


def parser() -> argparse.ArgumentParser:
    """Commands and their flags."""
    top = argparse.ArgumentParser(prog="tb-cnndiag", description="Diagnostics of convolutional networks.")
    commands = top.add_subparsers(required=True, dest="command", metavar="COMMAND")

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

    report = commands.add_parser("report", parents=[choice], help="make one self-contained HTML page of a log")
    report.add_argument("logdir", type=place, help="directory given to CNNDiagnostics, or one above")
    report.add_argument("-o", "--output", type=Path, default=Path("report.html"))
    report.add_argument("--max-size", type=_positive, metavar="MB", help="keep fewer snapshots, not more (5)")

    export = commands.add_parser("export", help="every number of a log as a tidy table")
    export.add_argument("logdir", type=place, help="directory given to CNNDiagnostics, or one above")
    export.add_argument("--format", choices=["csv", "json", "parquet"], help="as the file's name ends, else csv")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of standard output")
    export.add_argument("--run", action="append", metavar="PATTERN", dest="runs", help="only runs such as 'night*'")
    export.add_argument("--step", type=_steps, metavar="FIRST:LAST", help="only these steps")
    export.add_argument("--quiet", action="store_true", help="no line of progress")

    audit = commands.add_parser("audit", help="judge a saved model without training it")
    audit.add_argument("model", type=Path, help="a .keras or .h5 file")
    audit.add_argument("--probe", type=Path, help="an .npz file with x, and y if there are labels")
    audit.add_argument(
        "--no-images", dest="images", action="store_false", help="keep probe images and feature maps out of that log"
    )
    audit.add_argument("-o", "--output", type=Path, metavar="LOGDIR", help="keep the look for TensorBoard")

    demo = commands.add_parser("demo", help="train a healthy and a faulty CNN on 5,000 digits and show both")
    demo.add_argument("logdir", nargs="?", type=Path, default=Path("logs/demo"))
    demo.add_argument("--no-serve", action="store_true", help="stop before TensorBoard")
    demo.add_argument("--port", type=int, default=6006)

    commands.add_parser("list", help="all faults with their limits and sources")
    explain = commands.add_parser("explain", help="what a fault is, why it matters, what to do")
    explain.add_argument("fault")
    return top


def _choice_parser() -> argparse.ArgumentParser:
    """What check, compare and report have in common: runs, faults and limits."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--select", action="append", metavar="FAULT", help="look for this fault only; repeatable")
    parser.add_argument("--ignore", action="append", metavar="FAULT", help="do not look for this fault; repeatable")
    parser.add_argument("--run", action="append", metavar="PATTERN", dest="runs", help="only runs such as 'night*'")
    parser.add_argument("--step", type=_steps, metavar="FIRST:LAST", help="only these steps")
    parser.add_argument(
        "--limit", action="append", type=_limit, default=[], metavar="FAULT.NAME=VALUE", help="change a threshold"
    )
    parser.add_argument("--quiet", action="store_true", help="no line of progress")
    parser.add_argument("--config", type=Path, metavar="FILE", help="instead of the nearest pyproject.toml")
    return parser


def _steps(text: str) -> Steps:
    try:
        return steps(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _limit(text: str) -> tuple[str, str, float]:
    name, _, value = text.partition("=")
    fault, _, limit = name.partition(".")
    try:
        return fault.strip(), limit.strip(), float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not such as dead_units.dead_ratio=0.5") from None


def _bound(text: str, sign: int) -> Bound:
    name, _, value = text.partition("=")
    try:
        return Bound(name.strip(), float(value), sign)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not such as dead_ratio=0.05") from None


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no size")
    return value


def settled(options: argparse.Namespace) -> tuple[CheckSelection, Config]:
    """What flags and pyproject.toml ask for; flags win.

    Raises:
        ConfigError: When the configuration cannot be used.
        ValueError: When a fault or limit does not exist.
    """
    config = load_config(options.config or find_config(Path.cwd()))
    limits: dict[str, dict[str, float]] = {fault: dict(values) for fault, values in config.limits.items()}
    for fault, name, value in options.limit:
        limits.setdefault(fault, {})[name] = value
    choice = CheckSelection(
        limits,
        _listed(options.select) if options.select else config.select,
        _listed(options.ignore) if options.ignore else config.ignore,
        options.runs or config.run,
        options.step or config.step,
    )
    choice.check()
    return choice, config


def _listed(names: Sequence[str]) -> list[str]:
    return [name.strip() for each in names for name in each.split(",") if name.strip()]
