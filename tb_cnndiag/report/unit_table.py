"""What each unit looks for as a table: its class, its strongest image, and the part of it that the unit sees."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tb_cnndiag.history import History
from tb_cnndiag.logs import Steps, histories
from tb_cnndiag.payloads import ClassResponses, LayerInfo, Patches

KINDS = frozenset({"run_info", "patches", "class_responses"})
# Stands for a class, image or pixel that does not exist or is not known.
NONE = -1


class UnitRow(NamedTuple):
    """One unit of one layer at the last snapshot that has measured it.

    ``cls`` is the class with the largest mean response, ``eta_squared`` the share of the variance of the response that
    the class explains, 0..1. ``value`` is the largest response, on ``image`` of the probe, in the box from the pixel
    (``x0``, ``y0``) to the pixel (``x1``, ``y1``), both included. −1 or NaN: not known, or the unit is silent.
    """

    run: str
    layer: str
    unit: int
    cls: int
    eta_squared: float
    value: float
    image: int
    x0: int
    y0: int
    x1: int
    y1: int


def unit_rows(
    log_dir: str | os.PathLike[str], runs: Sequence[str] = (), steps: Steps = (None, None)
) -> Iterator[UnitRow]:
    """Every unit of every layer that has patches or responses of classes, run by run.

    Raises:
        FileNotFoundError, NotADirectoryError: If the logdir does not exist or is not a directory.
        NoDataError: If it holds no diagnostics, or none of the selected runs.
    """
    for history in histories(log_dir, runs, steps, KINDS):
        for layer in history.layers:
            yield from _rows(history, layer)


def _rows(history: History, layer: LayerInfo) -> Iterator[UnitRow]:
    patches = history.latest("top_patches", layer.path)
    classes = history.latest("class_selectivity", layer.path)
    top = patches if isinstance(patches, Patches) and patches.images.shape[1] else None
    answers = classes if isinstance(classes, ClassResponses) and classes.classes.shape[1] else None
    units = max(len(top.images) if top else 0, len(answers.classes) if answers else 0)
    for unit in range(units):
        cls, eta_squared = NONE, math.nan
        if answers and unit < len(answers.classes) and math.isfinite(answers.explained[unit]):
            cls, eta_squared = int(answers.classes[unit, 0]), float(answers.explained[unit])
        image, value, box = NONE, math.nan, (NONE,) * 4
        if top and unit < len(top.images) and top.images[unit, 0] >= 0:
            image, value = int(top.images[unit, 0]), float(top.values[unit, 0])
            box = _box(layer, int(top.positions[unit, 0]))
        yield UnitRow(history.run, layer.path, unit, cls, eta_squared, value, image, *box)


def _box(layer: LayerInfo, position: int) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of what a position of the layer's output sees; −1 if it is not known or not in a plane."""
    field = layer.receptive_field
    if field is None or len(field.axes) != 2:
        return (NONE,) * 4
    channels_first = layer.unit_axis == 1 and len(layer.output_shape) > 2
    spatial = layer.output_shape[1:] if channels_first else layer.output_shape[:-1]
    row, column = divmod(position, spatial[1] if len(spatial) > 1 else 1)
    vertical, horizontal = field.axes
    if any(axis.low and at >= len(axis.low) for axis, at in ((vertical, row), (horizontal, column))):
        return (NONE,) * 4
    (y0, y1), (x0, x1) = vertical.box(row), horizontal.box(column)
    return x0, y0, x1, y1
