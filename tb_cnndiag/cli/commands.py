"""The commands ``tb-cnndiag check | compare | report | export | audit | preflight | visualize | demo | …``."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import zip_longest
from pathlib import Path

from tb_cnndiag.cli.config import Config
from tb_cnndiag.cli.options import parser, settings
from tb_cnndiag.cli.progress_line import progress_line, share_line, step_line
from tb_cnndiag.history import HistoryError
from tb_cnndiag.judging.faults import available
from tb_cnndiag.judging.judge import nearest
from tb_cnndiag.judging.thresholds import SHARED, SHARED_ID, Limit
from tb_cnndiag.keras_backend import choose_backend
from tb_cnndiag.logs import NoDataError
from tb_cnndiag.report.baseline import BaselineError, load_baseline, updated
from tb_cnndiag.report.compare import compare
from tb_cnndiag.report.formats import FORMATS
from tb_cnndiag.report.gate import CheckSelection, judge_logs
from tb_cnndiag.report.outcome import Baseline, Outcome, Result
from tb_cnndiag.report.text import as_text

PASSED, FAILED, USAGE, NO_DATA, UNJUDGED = range(5)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 no faults, 1 faults found, 2 usage, 3 no data, 4 not judged."""
    options = parser().parse_args(arguments)
    warnings.showwarning = lambda message, *_args, **_kwargs: print(f"warning: {message}", file=sys.stderr)
    try:
        code = _COMMANDS[str(options.command)](options)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return PASSED
    return code


def _discard_output() -> None:
    """The reader of standard output, e.g. ``head``, has closed it: let the command end as it would have."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check(options: argparse.Namespace) -> int:
    def judged(selection: CheckSelection, config: Config) -> Outcome:
        options.baseline = options.baseline or config.baseline
        return judge_logs(options.logdir, options.fail_on or config.fail_on, selection, _baseline(options))

    return _report_outcome(options, judged)


def _compare(options: argparse.Namespace) -> int:
    def judged(selection: CheckSelection, config: Config) -> Outcome:
        bounds = options.bounds or config.bounds
        return compare(options.base, options.head, bounds, options.fail_on or config.fail_on, selection)

    return _report_outcome(options, judged)


def _report_outcome(options: argparse.Namespace, judged: Callable[[CheckSelection, Config], Outcome]) -> int:
    """Judge, write the outcome in each format, and return the exit code."""
    formats, outputs = options.format or ["text"], options.outputs or []
    try:
        if len(outputs) > len(formats):
            flag = "--write" if options.command in ("audit", "preflight") else "-o"
            raise ValueError(
                f"{flag} is given {len(outputs)} times, --format {len(formats)} times. Give one --format per {flag}."
            )
        with progress_line(options.quiet):
            outcome = judged(*settings(options))
    except ValueError as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    except (OSError, NoDataError) as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return NO_DATA
    new_baseline = options.baseline if getattr(options, "update_baseline", False) else None
    try:
        for name, output in zip_longest(formats, outputs, fillvalue="-"):
            _write(FORMATS[name](outcome), output)
        if new_baseline is not None:
            _write(updated(outcome), str(new_baseline))
    except OSError as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    if outcome.failing and new_baseline is None:
        return FAILED
    return UNJUDGED if outcome.unjudged and not options.allow_unjudged else PASSED


def _baseline(options: argparse.Namespace) -> Baseline | None:
    if options.baseline is None:
        if options.update_baseline:
            raise BaselineError(
                "--update-baseline needs --baseline FILE, or the key baseline in pyproject.toml: the file to write."
            )
        return None
    if options.update_baseline and not options.baseline.exists():
        return Baseline({})
    return load_baseline(options.baseline)


def _write(text: str, output: str) -> None:
    if output == "-":
        encoding = sys.stdout.encoding or "utf-8"
        try:
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
            sys.stdout.flush()
        except BrokenPipeError:
            _discard_output()
        return
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def _report(options: argparse.Namespace) -> int:
    from tb_cnndiag.report.html import ReportError, report

    try:
        selection, config = settings(options)
    except ValueError as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    try:
        size = options.max_size or config.max_size
        with progress_line(options.quiet):
            page = report(options.logdir, size, selection)
        _write(page, str(options.output))
    except (ReportError, HistoryError) as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    except (OSError, NoDataError) as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return NO_DATA
    if str(options.output) != "-":
        print(f"{options.output}: {len(page.encode()) / 1e6:.2f} MB")
    return PASSED


def _export(options: argparse.Namespace) -> int:
    from tb_cnndiag.report.export import ExportError, table_rows, write

    output = None if options.output is None or str(options.output) == "-" else options.output
    suffix = output.suffix.lower().removeprefix(".") if output else ""
    kind = options.format or (suffix if suffix in ("json", "parquet") else "csv")
    try:
        with progress_line(options.quiet):
            found = list(table_rows(options.table, options.logdir, options.runs or (), options.step or (None, None)))
    except (OSError, NoDataError) as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return NO_DATA
    except HistoryError as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    try:
        text = write(found, output, kind, options.table)
    except (OSError, ExportError) as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    if text is not None:
        _write(text, "-")
    return PASSED


def _audit(options: argparse.Namespace) -> int:
    choose_backend()
    try:
        from tb_cnndiag.recording.auditing import audit_files
    except ImportError as error:
        return _without_keras(error, "Auditing a model needs")
    if not _imported(options.imports):
        return USAGE
    failures: list[str] = []

    def judged(selection: CheckSelection, config: Config) -> Outcome:
        options.baseline = options.baseline or config.baseline
        known = _baseline(options)
        histories = audit_files(
            options.model, options.probe, options.output, failures.append, images=options.images,
            time_limit=options.time_limit,
        )  # fmt: skip
        for failure in failures:
            print(f"tb-cnndiag: {failure}", file=sys.stderr)
        results = [Result.of(history, selection.of(history), label=str(path)) for path, history in histories]
        fail_on = options.fail_on or config.fail_on
        return Outcome(tuple(results), fail_on, selection.faults(), known, tuple(selection.require))

    code = _report_outcome(options, judged)
    if code == NO_DATA:
        return USAGE
    return USAGE if failures else code


def _preflight(options: argparse.Namespace) -> int:
    choose_backend()
    try:
        from tb_cnndiag.preflight_checks.record import called, checked
    except ImportError as error:
        return _without_keras(error, "A preflight needs")
    _imported(())

    def judged(selection: CheckSelection, config: Config) -> Outcome:
        options.baseline = options.baseline or config.baseline
        known = _baseline(options)
        with step_line(options.quiet, "preflight checks") as line:
            history = checked(
                called(options.function), options.output, options.time_limit, line, run=options.function,
                images=options.images,
            )  # fmt: skip
        result = Result.of(history, selection.of(history), label=options.function)
        fail_on = options.fail_on or config.fail_on
        return Outcome((result,), fail_on, selection.faults(), known, tuple(selection.require))

    code = _report_outcome(options, judged)
    return USAGE if code == NO_DATA else code


def _visualize(options: argparse.Namespace) -> int:
    choose_backend()
    try:
        from tb_cnndiag.recording.visualizing import VisualizeError, visualize
    except ImportError as error:
        return _without_keras(error, "Images of units need")
    if not _imported(options.imports):
        return USAGE
    try:
        with share_line(options.quiet) as bar:
            made = visualize(
                options.model, options.probe, layers=options.layer, units=options.units, time_limit=options.time_limit,
                log_dir=options.output, progress=bar,
            )  # fmt: skip
    except VisualizeError as error:
        print(f"tb-cnndiag: {error}", file=sys.stderr)
        return USAGE
    for each in made:
        ratio = f"{each.ratio:.3g} × the best natural patch" if each.ratio == each.ratio else "no natural patch"
        print(
            f"{each.layer} {each.unit}: response {each.activation:.3g}, {ratio}{f' ({each.note})' if each.note else ''}"
        )
    return PASSED


def _without_keras(error: ImportError, what: str) -> int:
    needed = f"{what} Keras 3 with a backend: pip install 'tb-cnndiag[tensorflow]' (or jax, torch)"
    print(f"tb-cnndiag: {error}. {needed}", file=sys.stderr)
    return USAGE


def _imported(modules: Sequence[str]) -> bool:
    """Import modules of the user, also from the working directory, as ``python -m`` does; False if one fails."""
    sys.path.insert(0, os.getcwd())
    for name in modules:
        try:
            import_module(name)
        except Exception as error:  # the user's module may raise anything
            print(f"tb-cnndiag: --import {name}: {type(error).__name__}: {error}", file=sys.stderr)
            return False
    return True


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
    print(f"{SHARED_ID}: Thresholds of several faults.")
    _print_thresholds(SHARED)
    for fault in available():
        print(f"{fault.id}: {fault.title}. {fault.what}")
        _print_thresholds({name: limit for name, limit in fault.limits.items() if not limit.concept})
        shared = [_alias(name, limit.concept) for name, limit in fault.limits.items() if limit.concept]
        if shared:
            print(f"    {SHARED_ID}: {', '.join(shared)}")
        print(textwrap.indent(textwrap.fill(f"Source: {fault.source}", 110), "    "))
    return PASSED


def _explain(options: argparse.Namespace) -> int:
    known = {fault.id: fault for fault in available()}
    fault = known.get(options.fault)
    if fault is None:
        hint = nearest(options.fault, known)
        print(
            f"tb-cnndiag: there is no fault {options.fault!r}.{hint} Faults are: {', '.join(known)}.", file=sys.stderr
        )
        return USAGE
    print(f"{fault.title} ({fault.id})\n")
    parts = {"What it is": fault.what, "Why it matters": fault.why, "What to do": fault.advice, "Source": fault.source}
    for heading, words in parts.items():
        print(f"{heading}\n{textwrap.indent(textwrap.fill(words, 96), '    ')}\n")
    print("Thresholds")
    _print_thresholds(fault.limits)
    return PASSED


def _print_thresholds(limits: Mapping[str, Limit]) -> None:
    for name, limit in limits.items():
        unit = "" if limit.unit == "count" else f" ({limit.unit})"
        shared = f", {SHARED_ID}.{limit.concept}" if limit.concept and limits is not SHARED else ""
        print(f"    {name} = {limit.value:g}{unit}: {limit.description} [{limit.origin}{shared}]")


def _alias(name: str, concept: str) -> str:
    """The name of a shared threshold, and the one that it has in a fault if that differs."""
    return concept if name == concept else f"{concept} (here {name})"


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "check": _check,
    "compare": _compare,
    "report": _report,
    "export": _export,
    "audit": _audit,
    "preflight": _preflight,
    "visualize": _visualize,
    "demo": _demo,
    "list": _list,
    "explain": _explain,
}
