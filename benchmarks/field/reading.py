"""What one run of a program shows: its outcome, and what its log says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.field.child import OUTCOME
from tb_cnndiag.history import History
from tb_cnndiag.payloads import RunInfo
from tb_cnndiag.summaries.reader import find_runs, read_run


@dataclass(frozen=True)
class Seen:
    """What a log says of the models of one program, over all its trainings.

    Attributes:
        switched_off: Reasons why recording ended early.
        matrices: Trainable matrices there, by Keras' own list.
        unnamed: Those that are neither a row of the layer table nor named in a note.
        named: Those that only a note names.
        without_probe: Trainings, or parts of one, whose activations were not recorded.
        silent: Those of them about which no note says so.
        notes: All notes.
        bytes: Size of the log.
    """

    switched_off: tuple[str, ...]
    matrices: int
    unnamed: tuple[str, ...]
    named: tuple[str, ...]
    without_probe: tuple[str, ...]
    silent: tuple[str, ...]
    notes: tuple[str, ...]
    bytes: int


def outcome(home: Path) -> dict[str, Any] | None:
    """What the child wrote; None if it wrote nothing."""
    file = home / OUTCOME
    return json.loads(file.read_text()) if file.exists() else None


def seen(home: Path, result: dict[str, Any]) -> Seen:
    """Read the logs of one run with the callback."""
    infos = dict(_infos(home / "log"))
    trainings = {training["log"]: training for training in result["trainings"] if training["log"]}
    off, unnamed, named, blind, silent, notes, matrices = [], [], [], [], [], [], 0
    for log, training in trainings.items():
        info = infos.get(log)
        if info is None:
            off.append("no log")
            continue
        notes += [note for note in info.notes if note not in notes]
        if info.switched_off:
            off.append(info.switched_off.reason)
        matrices += len(training["matrices"])
        missing, noted = uncovered(training["matrices"], info)
        unnamed += missing
        named += noted
        for part in training["parts"]:
            rows = [row for row in info.layers if not part or row.path.startswith(f"{part}/")]
            if not (info.probe.samples and any(row.seen_at for row in rows)):
                blind.append(part or "the model")
                if not any("ctivations" in note or "probe" in note for note in info.notes):
                    silent.append(part or "the model")
    size = sum(file.stat().st_size for file in (home / "log").rglob("*") if file.is_file())
    return Seen(
        tuple(off), matrices, tuple(unnamed), tuple(named), tuple(blind), tuple(silent), tuple(notes), size
    )  # fmt: skip


def uncovered(matrices: list[Any], info: RunInfo) -> tuple[list[str], list[str]]:
    """Paths of matrices without a trainable row of their shape: those that no note names, and the others."""
    shapes = [tuple(row.kernel_shape) for row in info.layers if row.trainable]
    missing, noted = [], []
    for path, shape in matrices:
        if any(path in note for note in info.notes):  # first: another matrix may have its shape
            noted.append(path)
        elif tuple(shape) in shapes:
            shapes.remove(tuple(shape))
        elif any(any(owner in note for owner in [*path.split("/")[:-1], path]) for note in info.notes):
            noted.append(path)
        else:
            missing.append(f"{path} {tuple(shape)}")
    return missing, noted


def _infos(log: Path) -> Iterator[tuple[str, RunInfo]]:
    if not log.exists():
        return
    for run, place in find_runs(log).items():
        info = History.of(read_run(place)).info
        if info is not None:
            yield run.split("/")[0], info
