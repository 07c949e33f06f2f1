"""A preflight as a run of one snapshot, before training: for the command line, the tab and reports."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import keras

from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.model_part import parts_of
from tb_cnndiag.diagnostics import available
from tb_cnndiag.history import History
from tb_cnndiag.preflight_checks.copies import untouched
from tb_cnndiag.preflight_checks.run import PreflightError, preflight_verdict, stored_findings
from tb_cnndiag.recording.before_training import StoredPreflight
from tb_cnndiag.recording.inspection import Tapped
from tb_cnndiag.recording.schedule import every
from tb_cnndiag.recording.session import Moment, Session
from tb_cnndiag.recording.training import try_probe
from tb_cnndiag.summaries.names import RUN_DIRECTORY
from tb_cnndiag.summaries.reader import read_run

# Samples of the probe of the snapshot.
PROBE = 256
_NAMES = ("model", "x", "y", "validation_data")


def checked(
    given: Mapping[str, Any],
    log_dir: Path | None = None,
    time_limit: float | None = None,
    progress: Callable[[str], None] = lambda _: None,
    *,
    run: str = ".",
    images: bool = True,
) -> History:
    """The history of a run with the findings of a preflight and a snapshot of the untrained model.

    Args:
        given: ``model``, and perhaps ``x``, ``y`` and ``validation_data``.
        log_dir: Where the log is written; None: nowhere.
        time_limit: Seconds after which no further check begins.
        progress: Called with the name of each check.
        run: Name of the run.
        images: False keeps pictures of the samples out of the log.

    Raises:
        PreflightError: If the model cannot be checked, or ``log_dir`` already holds a log.
    """
    model = given["model"]
    if log_dir is not None and (log_dir / RUN_DIRECTORY).exists():
        raise PreflightError(f"{log_dir} already holds a log. Give another directory.")
    judged = preflight_verdict(
        model, given.get("x"), given.get("y"), given.get("validation_data"), time_limit, progress
    )
    with untouched(model), tempfile.TemporaryDirectory() as scratch:
        try:
            inspector = ModelInspector(parts_of(model), unprobed="no data were given")
        except ValueError as error:
            raise PreflightError(str(error)) from None
        inspector.origin = "preflight"
        if given.get("x") is not None:
            part = keras.tree.map_structure(lambda a: a[:PROBE], (given["x"], given.get("y")))
            try_probe(inspector, part)
        inspector.trace()
        home = log_dir or Path(scratch)
        kinds = [kind() for kind in available() if images or not kind.shows_data]
        session = Session(home, inspector, [*kinds, StoredPreflight(stored_findings(judged))], every(1), step=0)
        session.take_snapshot(Moment(0, 0, "last"), {}, Tapped())
        session.close()
        return History.of(read_run(home / RUN_DIRECTORY), run)


def called(name: str) -> dict[str, Any]:
    """What a function of the user's returns, by name: a model, ``(model, x, y[, validation_data])``, or a dictionary.

    Raises:
        PreflightError: If the function does not exist, fails, or returns something else.
    """
    module, _, function = name.partition(":")
    if not module or not function:
        raise PreflightError(f"{name!r}: expected MODULE:FUNCTION, e.g. train:setup.")
    try:
        found = getattr(import_module(module), function)()
    except Exception as error:  # the user's module may raise anything
        raise PreflightError(f"{name}: {type(error).__name__}: {error}") from None
    if isinstance(found, keras.Model):
        return {"model": found}
    if isinstance(found, tuple | list) and found and len(found) <= len(_NAMES):
        found = dict(zip(_NAMES, found, strict=False))
    if not isinstance(found, Mapping) or not isinstance(found.get("model"), keras.Model) or set(found) - set(_NAMES):
        raise PreflightError(
            f"{name} must return a compiled model, (model, x, y), (model, x, y, validation_data), or a dictionary with "
            f"these names; it returned {type(found).__name__}."
        )
    return dict(found)
