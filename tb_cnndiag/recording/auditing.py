"""Judges a saved model without training it: ``tb_cnndiag.audit``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import keras

from tb_cnndiag.capture.model_inspector import ModelInspector, parts_of
from tb_cnndiag.diagnostics import available
from tb_cnndiag.finding import Finding
from tb_cnndiag.judging.coverage import Verdict
from tb_cnndiag.recording.inspection import Tapped, in_short
from tb_cnndiag.recording.schedule import every
from tb_cnndiag.recording.session import Moment, Session
from tb_cnndiag.recording.training import set_probe


class AuditError(ValueError):
    """The model cannot be audited; the message says why and what to do."""


def audit(
    path_or_model: str | os.PathLike[str] | Any,
    probe: Any = None,
    log_dir: str | os.PathLike[str] | None = None,
    *,
    images: bool = True,
) -> list[Finding]:
    """Run every diagnostic that the weights, and the probe if one is given, allow, and judge the results.

    Args:
        path_or_model: A ``.keras`` or ``.h5`` file, or a built Keras model.
        probe: Samples whose activations are recorded: ``x`` or ``(x, y)``.
        log_dir: Write the snapshot here, for TensorBoard; None writes no log.
        images: False keeps pictures of your data, probe images and feature maps, out of that log.

    Raises:
        AuditError: If Keras cannot load the file, the model has nothing to inspect, the probe does not fit it, or
            ``log_dir`` already holds a log.
    """
    return list(audit_verdict(path_or_model, probe, log_dir, images=images).findings)


def audit_verdict(
    path_or_model: str | os.PathLike[str] | Any,
    probe: Any = None,
    log_dir: str | os.PathLike[str] | None = None,
    *,
    images: bool = True,
) -> Verdict:
    """The findings of :func:`audit`, and how the judgment of each fault ended."""
    model = path_or_model if isinstance(path_or_model, keras.Model) else _loaded(Path(path_or_model))
    try:
        inspector = ModelInspector(parts_of(model))
        if probe is not None:
            set_probe(inspector, probe)
    except ValueError as error:
        raise AuditError(str(error)) from None
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch if log_dir is None else log_dir)
        if (home / "cnndiag").exists():
            raise AuditError(f"{home} already holds a log. Give another directory.")
        diagnostics = [kind() for kind in available() if images or not kind.shows_data]
        session = Session(home, inspector, diagnostics, every(1), step=0)
        judgment = session.take_snapshot(Moment(0, 0, "last"), {}, Tapped())
        session.close()
    return judgment.verdict if judgment else Verdict()


def _loaded(path: Path) -> Any:
    if not path.is_file():
        raise AuditError(f"{path} does not exist. Give a model saved by model.save(): a .keras or .h5 file.")
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras passes on any error of its parts
        raise AuditError(
            f"Keras {keras.__version__} cannot load {path}. If the model has layers of its own, name the module that "
            "registers them (--import my_package.layers), or load the model in Python with custom_objects and pass it: "
            f"tb_cnndiag.audit(model). Keras says: {in_short(error)}"
        ) from None
