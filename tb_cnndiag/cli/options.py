"""The flags of the command line, and the settings that follow from them and pyproject.toml."""

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

# Flags that make sense for one call only; every other flag of check, compare and report is also a configuration key.
OF_ONE_CALL = ("allow-unjudged", "config", "format", "help", "output", "quiet", "update-baseline")


def parser() -> argparse.ArgumentParser:
    """Commands and their flags."""
    top = argparse.ArgumentParser(prog="tb-cnndiag", description="Diagnostics of convolutional networks.")
    commands = top.add_subparsers(required=True, dest="command", metavar="COMMAND")

    choice = _choice_parser()
    check = commands.add_parser("check", parents=[choice], help="judge logs; exit code 0: no faults, 1: faults found")
    check.add_argument("logdir", nargs="+", type=place, help="directory given to CNNDiagnostics, or a parent of it")
    _add_outcome_flags(check, "-o", "--output")

    against = commands.add_parser(
        "compare", parents=[choice], help="compare a log with another; exit code 1: it is worse"
    )
    against.add_argument("base", type=place, help="directory of the run or runs to compare with")
    against.add_argument("head", type=place, help="directory of the run or runs to judge")
    for way, sign in (("increase", 1), ("decrease", -1)):
        against.add_argument(
            f"--max-{way}",
            action="append",
            dest="bounds",
            type=partial(_bound, sign=sign),
            metavar="MEASURE=AMOUNT",
            help=f"largest allowed {way} of a measure in any layer, e.g. dead_ratio=0.05",
        )
    against.add_argument("--fail-on", choices=FAIL_ON, help="lowest severity of a new finding that fails (error)")
    against.add_argument("--format", action="append", choices=list(FORMATS), help="output format (text); repeatable")
    against.add_argument(
        "-o",
        "--output",
        action="append",
        dest="outputs",
        metavar="FILE",
        help="output file, one per format; - is standard output",
    )
    against.add_argument(
        "--allow-unjudged",
        action="store_true",
        help="exit code 0 even if diagnostics were switched off or a rule crashed (else 4)",
    )

    report = commands.add_parser("report", parents=[choice], help="write a log as one self-contained HTML page")
    report.add_argument("logdir", type=place, help="directory given to CNNDiagnostics, or a parent of it")
    report.add_argument(
        "-o", "--output", type=Path, default=Path("report.html"), help="file (report.html); - is standard output"
    )
    report.add_argument(
        "--max-size",
        type=_positive,
        metavar="MB",
        help="largest size of the page; fewer snapshots are kept if needed (5)",
    )

    export = commands.add_parser("export", help="write every number of a log as a tidy table")
    export.add_argument("logdir", type=place, help="directory given to CNNDiagnostics, or a parent of it")
    export.add_argument(
        "--format", choices=["csv", "json", "parquet"], help="format (by the ending of the file, else csv)"
    )
    export.add_argument(
        "--table",
        choices=["numbers", "units"],
        default="numbers",
        help="every number of the layers, or for each unit its class and its strongest image (numbers)",
    )
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="output file (standard output)")
    export.add_argument(
        "--run", action="append", metavar="PATTERN", dest="runs", help="only runs whose name matches, e.g. 'night*'"
    )
    export.add_argument("--step", type=_steps, metavar="FIRST:LAST", help="only these steps")
    export.add_argument("--quiet", action="store_true", help="show no progress line")

    audit = commands.add_parser("audit", parents=[_faults_parser()], help="judge saved models without training them")
    audit.add_argument(
        "model", nargs="+", help=".keras, .h5 or .weights.h5 files, patterns such as 'models/*.keras', or directories"
    )
    audit.add_argument(
        "--probe",
        metavar="FILE|DIR|MODULE:FUNCTION",
        help=".npz file with x, and y for labels; .npy file; directory of images; or function that returns x or (x, y)",
    )
    audit.add_argument(
        "--import",
        action="append",
        default=[],
        dest="imports",
        metavar="MODULE",
        help="module that registers custom layers, e.g. my_package.layers; repeatable",
    )
    audit.add_argument(
        "--no-images", dest="images", action="store_false", help="write no images of the probe and no feature maps"
    )
    audit.add_argument("-o", "--output", type=Path, metavar="LOGDIR", help="write a log for TensorBoard and report")
    audit.add_argument(
        "--time-limit", type=_seconds, metavar="SECONDS", default=20.0,
        help="time for synthetic images and maps of classes, with --probe and -o (default: 20)",
    )  # fmt: skip
    _add_outcome_flags(audit, "--write")

    before = commands.add_parser(
        "preflight", parents=[_faults_parser()], help="check model and data before training, on copies"
    )
    before.add_argument(
        "function",
        metavar="MODULE:FUNCTION",
        help="function of yours that returns (model, x, y), or (model, x, y, validation_data); the model is compiled",
    )
    before.add_argument("--time-limit", type=_seconds, metavar="SECONDS", help="begin no further check after this time")
    before.add_argument(
        "--no-images", dest="images", action="store_false", help="write no probe images and feature maps"
    )
    before.add_argument("-o", "--output", type=Path, metavar="LOGDIR", help="write a log for TensorBoard and report")
    _add_outcome_flags(before, "--write")

    images = commands.add_parser("visualize", help="make images of what each unit of a saved model looks for")
    images.add_argument("model", help=".keras or .h5 file")
    images.add_argument(
        "--probe",
        required=True,
        metavar="FILE|DIR|MODULE:FUNCTION",
        help="samples of your data: .npz file with x; .npy file; directory of images; or function",
    )
    images.add_argument("--layer", metavar="PATTERN", help="regular expression of layer paths (all convolutions)")
    images.add_argument("--units", type=_numbers, metavar="N,N,…", help="units of each of these layers, e.g. 0,3,7")
    images.add_argument("--time-limit", type=_seconds, metavar="SECONDS", help="keep what is done after this time")
    images.add_argument(
        "--import",
        action="append",
        default=[],
        dest="imports",
        metavar="MODULE",
        help="module that registers custom layers; repeatable",
    )
    images.add_argument("--quiet", action="store_true", help="show no progress line")
    images.add_argument(
        "-o", "--output", type=Path, metavar="LOGDIR", help="log of this model to add the images to, or a new directory"
    )

    demo = commands.add_parser("demo", help="train a healthy and a faulty CNN on 5,000 digits and show both")
    demo.add_argument("logdir", nargs="?", type=Path, default=Path("logs/demo"), help="where to log (logs/demo)")
    demo.add_argument("--no-serve", action="store_true", help="do not start TensorBoard")
    demo.add_argument("--port", type=int, default=6006, help="port of TensorBoard (6006)")

    commands.add_parser("list", help="list all faults with their thresholds and sources")
    explain = commands.add_parser("explain", help="explain a fault: what it is, why it matters, what to do")
    explain.add_argument("fault", help="id of a fault, e.g. dead_units")
    return top


def _add_outcome_flags(command: argparse.ArgumentParser, *output: str) -> None:
    """The flags of what fails, of formats and of the baseline; ``output`` names the flag for output files."""
    command.add_argument("--fail-on", choices=FAIL_ON, help="lowest severity that fails (error)")
    command.add_argument("--format", action="append", choices=list(FORMATS), help="output format (text); repeatable")
    command.add_argument(
        *output,
        action="append",
        dest="outputs",
        metavar="FILE",
        help="output file, one per format; - is standard output",
    )
    command.add_argument("--baseline", type=Path, metavar="FILE", help="known findings, which do not fail")
    command.add_argument("--update-baseline", action="store_true", help="write the findings to the baseline and pass")
    command.add_argument(
        "--allow-unjudged",
        action="store_true",
        help="exit code 0 even if diagnostics were switched off or a rule crashed (else 4)",
    )


def _choice_parser() -> argparse.ArgumentParser:
    """The flags that check, compare and report share: runs, faults and thresholds."""
    parser = argparse.ArgumentParser(add_help=False, parents=[_faults_parser()])
    parser.add_argument(
        "--run", action="append", metavar="PATTERN", dest="runs", help="only runs whose name matches, e.g. 'night*'"
    )
    parser.add_argument("--step", type=_steps, metavar="FIRST:LAST", help="only these steps")
    return parser


def _faults_parser() -> argparse.ArgumentParser:
    """The flags of faults and thresholds."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--select", action="append", metavar="FAULT", help="report this fault only; repeatable")
    parser.add_argument("--ignore", action="append", metavar="FAULT", help="leave this fault out; repeatable")
    parser.add_argument(
        "--require",
        action="append",
        metavar="FAULT",
        help="this fault must have been judged, else exit code 4; repeatable",
    )
    parser.add_argument(
        "--limit", action="append", type=_limit, default=[], metavar="FAULT.NAME=VALUE", help="change a threshold"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress line")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (the nearest pyproject.toml)")
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
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected FAULT.NAME=VALUE, e.g. dead_units.dead_ratio=0.5"
        ) from None


def _bound(text: str, sign: int) -> Bound:
    name, _, value = text.partition("=")
    try:
        return Bound(name.strip(), float(value), sign)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected MEASURE=AMOUNT, e.g. dead_ratio=0.05") from None


def _positive(text: str, unit: str = "MB") -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of {unit}")
    return value


def _numbers(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected numbers of units, e.g. 0,3,7") from None


def _seconds(text: str) -> float:
    return _positive(text, "seconds")


def settings(options: argparse.Namespace) -> tuple[CheckSelection, Config]:
    """The settings of flags and pyproject.toml; flags win.

    Raises:
        ConfigError: If the configuration cannot be used.
        ValueError: If a fault or threshold does not exist.
    """
    config = load_config(options.config or find_config(Path.cwd()))
    limits: dict[str, dict[str, float]] = {fault: dict(values) for fault, values in config.limits.items()}
    for fault, name, value in options.limit:
        limits.setdefault(fault, {})[name] = value
    choice = CheckSelection(
        limits,
        _listed(options.select) if options.select else config.select,
        _listed(options.ignore) if options.ignore else config.ignore,
        getattr(options, "runs", None) or config.run,
        getattr(options, "step", None) or config.step,
        _listed(options.require) if options.require else config.require,
    )
    choice.check()
    return choice, config


def _listed(names: Sequence[str]) -> list[str]:
    return [name.strip() for each in names for name in each.split(",") if name.strip()]
