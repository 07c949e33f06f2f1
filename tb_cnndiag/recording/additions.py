"""Adds results to the last snapshot of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tb_cnndiag.history import History
from tb_cnndiag.payloads import DiagnosticInfo
from tb_cnndiag.summaries.codec import Measurement, Payload
from tb_cnndiag.summaries.names import RUN_INFO


def additions(
    history: History,
    payloads: Mapping[str, Payload],
    *,
    layer: str = "",
    described: Sequence[DiagnosticInfo] = (),
    notes: Sequence[str] = (),
) -> list[Measurement]:
    """The messages that add payloads about a layer, or about the model, to the last snapshot. They join the history.

    The description of the run comes first, if ``described`` or ``notes`` add to it.
    """
    step, index, info = max(history.last_step, 0), max(history.snapshots - 1, 0), history.info
    table, epoch = info.table if info else "", history.epochs.get(step, 0)
    messages = [
        Measurement(name, step, index, payload, layer=layer, epoch=epoch, table=table)
        for name, payload in payloads.items()
    ]
    if info is not None:
        described_run = replace(info.describing(described), notes=tuple(dict.fromkeys((*info.notes, *notes))))
        if described_run != info:
            messages.insert(0, Measurement(RUN_INFO, step, index, described_run, table=table))
    for message in messages:
        history.add(message)
    return messages
