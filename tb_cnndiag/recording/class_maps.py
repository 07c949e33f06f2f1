"""Adds maps of why classes were predicted to the log of a run that has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.probe_samples import class_labels
from tb_cnndiag.recording.inspection import in_short
from tb_cnndiag.recording.unit_image_log import UnitImageLog
from tb_cnndiag.unit_images.attribution import NoMapError
from tb_cnndiag.unit_images.passes import Inputs, NoPictureError, Passes
from tb_cnndiag.unit_images.sample_maps import sample_maps
from tb_cnndiag.warning import warn

# Seconds after which an audit makes no further map.
AUDIT_SECONDS = 20.0


def write_class_maps(
    log: UnitImageLog, passes: Passes, inspector: ModelInspector, go_on: Callable[[], bool] = lambda: True
) -> None:
    """Write the maps, if the log shows images and has none yet. Says why if the model allows none."""
    if not log.wants_samples:
        return
    try:
        log.write_samples(sample_maps(passes, class_labels(inspector.probes[0].y), go_on))
    except NoMapError as error:
        warn(f"No maps of why a class was predicted: {error}")
    except Exception as error:  # a user's model may raise anything; what has been recorded stays
        warn(f"No maps of why a class was predicted ({in_short(error)}). Everything else is in the log.")


def audit_class_maps(inspector: ModelInspector, log_dir: Path) -> None:
    """Write the maps of an audit of a single model, within ``AUDIT_SECONDS``."""
    if len(inspector.models) != 1 or not inspector.probes:
        return
    end = time.monotonic() + AUDIT_SECONDS
    try:
        passes = Passes(inspector.models[0], Inputs.of(inspector.probes[0].x))
    except NoPictureError:
        return
    except Exception as error:  # as above: an audit gives its findings all the same
        warn(f"No maps of why a class was predicted ({in_short(error)}). Everything else is in the log.")
        return
    log = UnitImageLog(log_dir)
    try:
        write_class_maps(log, passes, inspector, lambda: time.monotonic() < end)
    finally:
        log.close()
