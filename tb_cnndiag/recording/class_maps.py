"""Adds maps of why classes were predicted to the log of a run that has ended."""

from __future__ import annotations

from collections.abc import Callable

from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.probe_samples import class_labels
from tb_cnndiag.recording.inspection import in_short
from tb_cnndiag.recording.unit_image_log import UnitImageLog
from tb_cnndiag.unit_images.attribution import NoMapError
from tb_cnndiag.unit_images.passes import Passes
from tb_cnndiag.unit_images.sample_maps import sample_maps
from tb_cnndiag.warning import warn


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
