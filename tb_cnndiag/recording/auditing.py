"""Judges saved models without training them: ``tb_cnndiag.audit``."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.model_part import parts_of
from tb_cnndiag.diagnostics import OF_AUDITS, available
from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.coverage import Verdict
from tb_cnndiag.judging.judge import verdict
from tb_cnndiag.recording.closing_images import CLOSING
from tb_cnndiag.recording.inspection import Tapped
from tb_cnndiag.recording.schedule import every
from tb_cnndiag.recording.session import Moment, Session
from tb_cnndiag.recording.training import set_probe
from tb_cnndiag.saved_models import LoadError, ProbeError, SavedModel, load, load_probe
from tb_cnndiag.saved_models.loading import ENDINGS
from tb_cnndiag.summaries.names import RUN_DIRECTORY
from tb_cnndiag.summaries.reader import read_run

# Seconds that an audit gives to synthetic images and to maps of why classes were predicted.
TIME_LIMIT = 20.0


class AuditError(ValueError):
    """The model cannot be audited; the message says why and what to do."""


def audit(
    path_or_model: str | os.PathLike[str] | Any,
    probe: Any = None,
    log_dir: str | os.PathLike[str] | None = None,
    *,
    images: bool = True,
    time_limit: float | None = TIME_LIMIT,
) -> list[Finding]:
    """Run every diagnostic that the weights, and the probe if one is given, allow, and judge the results.

    Args:
        path_or_model: A ``.keras``, ``.h5`` or ``.weights.h5`` file, or a built Keras model.
        probe: Samples whose activations are recorded: ``x`` or ``(x, y)``; or what ``--probe`` takes, as text.
        log_dir: Write the snapshot here, for TensorBoard; None writes no log.
        images: False keeps pictures of your data, the images of the probe and feature maps, out of that log.
        time_limit: Seconds that synthetic images of units and maps of why classes were predicted may take; the log says
            what is left out. None: no bound. They need a probe and a log.

    Raises:
        AuditError: If the file cannot be loaded, the model has nothing to inspect, the probe does not fit it, or
            ``log_dir`` already holds a log.
    """
    return list(audit_verdict(path_or_model, probe, log_dir, images=images, time_limit=time_limit).findings)


def audit_verdict(
    path_or_model: str | os.PathLike[str] | Any,
    probe: Any = None,
    log_dir: str | os.PathLike[str] | None = None,
    *,
    images: bool = True,
    time_limit: float | None = TIME_LIMIT,
) -> Verdict:
    """The findings of :func:`audit`, and how the judgment of each fault ended."""
    return verdict(audited(path_or_model, probe, log_dir, images=images, time_limit=time_limit))


def audited(
    path_or_model: str | os.PathLike[str] | Any,
    probe: Any = None,
    log_dir: str | os.PathLike[str] | None = None,
    *,
    images: bool = True,
    time_limit: float | None = TIME_LIMIT,
    run: str = ".",
    closing: bool = True,
) -> History:
    """What :func:`audit` measures of a model, as the history of a run with one snapshot.

    ``closing``: whether a log also gets images that are made with the model.
    """
    try:
        inspector = inspector_of(path_or_model, probe)
    except (ValueError, OSError) as error:
        raise AuditError(str(error)) from None
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch if log_dir is None else log_dir)
        if (home / RUN_DIRECTORY).exists():
            raise AuditError(f"{home} already holds a log. Give another directory.")
        kinds = (*available(), *OF_AUDITS, *(CLOSING if log_dir is not None and closing else ()))
        session = Session(
            home, inspector, [kind() for kind in kinds if images or not kind.shows_data], every(1), step=0
        )
        session.take_snapshot(Moment(0, 0, "last"), {}, Tapped())
        session.complete(0, float("inf") if time_limit is None else time_limit)
        session.close()
        return History.of(read_run(home / RUN_DIRECTORY), run)


def inspector_of(path_or_model: Any, probe: Any) -> ModelInspector:
    """The model with its probe, ready for a snapshot.

    Raises:
        ValueError: If it cannot be loaded, or the probe does not fit.
    """
    given = isinstance(path_or_model, keras.Model)
    saved = SavedModel(path_or_model) if given else load(Path(path_or_model))
    inspector = ModelInspector(parts_of(saved.model), unprobed="there is no probe")
    inspector.origin, inspector.notes = "audit", saved.notes
    if probe is not None:
        if not saved.callable:
            raise ProbeError(f"A probe needs the whole model. {saved.notes[-1]}")
        set_probe(inspector, load_probe(probe, _image_shape(saved.model)) if isinstance(probe, str) else probe)
    if saved.callable:
        inspector.trace()
    return inspector


def _image_shape(model: Any) -> tuple[int | None, ...] | None:
    try:
        (tensor,) = model.inputs
    except (TypeError, ValueError, AttributeError):
        return None
    return tuple(tensor.shape[1:]) if len(tensor.shape) == 4 else None


def saved_files(patterns: Sequence[str]) -> list[Path]:
    """The files that names, shell patterns and directories stand for, each once.

    Raises:
        AuditError: If a pattern or directory has no model.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix in ENDINGS)
        elif path.exists() or not glob.has_magic(pattern):
            files = [path]
        else:
            files = sorted(Path(file) for file in glob.glob(pattern, recursive=True))
        if not files:
            saved = " It is a SavedModel: load it in Python and pass the model." if _is_saved_model(path) else ""
            raise AuditError(f"{pattern} has no {', '.join(ENDINGS)} file.{saved}")
        found |= dict.fromkeys(files)
    return list(found)


def _is_saved_model(path: Path) -> bool:
    return (path / "saved_model.pb").exists()


def audit_files(
    patterns: Sequence[str],
    probe: str | None,
    log_dir: Path | None,
    failed: Callable[[str], None],
    *,
    images: bool = True,
    time_limit: float | None = TIME_LIMIT,
) -> list[tuple[Path, History]]:
    """The audits of several files; ``failed`` is called with the reason why one cannot be audited.

    The log of a single file is in ``log_dir`` itself, those of several in directories with the names of the files.

    Raises:
        AuditError: If a pattern has no model.
    """
    files = saved_files(patterns)
    found: list[tuple[Path, History]] = []
    homes: set[Path] = set()
    for path in files:
        home = log_dir if log_dir is None or len(files) == 1 else log_dir / _free(path.name, log_dir, homes)
        try:
            audit = audited(path, probe, home, images=images, time_limit=time_limit, run=str(path))
            found.append((path, audit))
        except (AuditError, LoadError, ProbeError) as error:
            failed(str(error))
    return found


def _free(name: str, folder: Path, taken: set[Path]) -> str:
    """A name that no other file of this call has."""
    free, number = name, 1
    while folder / free in taken:
        number += 1
        free = f"{name}#{number}"
    taken.add(folder / free)
    return free
