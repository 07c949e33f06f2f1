"""Captures and describes: what the models hold at one step, and the run that they belong to."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from tb_cnndiag.capture.backends.base import Fired
from tb_cnndiag.capture.model_inspector import WEIGHT_NAMES, ModelInspector
from tb_cnndiag.capture.model_part import FACT_NAMES
from tb_cnndiag.capture.probe_gradients import NAMES as PROBE_GRADIENTS
from tb_cnndiag.capture.reductions import COSTLY, REDUCTIONS
from tb_cnndiag.diagnostics.base import LayerSnapshot, Snapshot
from tb_cnndiag.payloads import DiagnosticInfo, FloatArray, LayerInfo, RunInfo
from tb_cnndiag.warning import warn

# What has to be done to get the arrays that diagnostics need.
WEIGHTS, PROBE, SEARCH, GRADIENTS, FACTS, ROUTES = "weights", "probe", "search", "gradients", "facts", "routes"
Timed: TypeAlias = Callable[[str], AbstractContextManager[None]]


def sources(needs: Iterable[str]) -> frozenset[str]:
    """What has to be done to get the arrays of these names."""
    names = set(needs)
    found = {WEIGHTS} if names & WEIGHT_NAMES else set()
    found |= {FACTS} if names & FACT_NAMES else set()
    found |= {ROUTES} if ROUTES in names else set()
    found |= {PROBE} if names & (REDUCTIONS.keys() - COSTLY) else set()
    found |= {SEARCH} if names & COSTLY else set()
    return frozenset(found | ({GRADIENTS} if names & PROBE_GRADIENTS else set()))


def passes(wanted: Set[str]) -> Set[str]:
    """What is done for these sources: the pass that searches serves both itself and the plain pass over the probe."""
    return wanted - {PROBE} if SEARCH in wanted else wanted


@dataclass(frozen=True)
class Tapped:
    """What training itself computed since the last snapshot; None where there are no taps.

    ``gradients`` is ``(layers, 3)``: mean norm, finite steps, non-finite steps. ``updates`` is ``(layers,)``: mean
    ‖Δkernel‖ per step. ``fired`` says which units fired.
    """

    gradients: FloatArray | None = None
    updates: FloatArray | None = None
    fired: Fired | None = None


class Inspection:
    """Takes plain arrays out of the inspected models, and describes the run.

    A pass over the probe that fails is reported once and not tried again: weights and taps are still captured.
    """

    def __init__(self, inspector: ModelInspector, diagnostics: Sequence[DiagnosticInfo], needs: Set[str]) -> None:
        """``needs``: names of all arrays that any snapshot will need. One pass over the probe serves them all."""
        self._inspector = inspector
        self._diagnostics = tuple(diagnostics)
        self._reductions = sorted(needs & REDUCTIONS.keys())
        self._started = time.time()
        self._probe_gradients = True
        self.described: RunInfo | None = None

    @property
    def table(self) -> tuple[LayerInfo, ...]:
        """The layer table as it is known now: the first pass over the probe completes it."""
        return self._inspector.table()

    def capture(
        self,
        step: int,
        epoch: int,
        logs: Mapping[str, float],
        tapped: Tapped,
        needs: Set[str],
        timed: Timed = lambda _source: nullcontext(),
    ) -> Snapshot:
        """The models now, with those of the arrays named by ``needs`` that can be had; ``timed`` times each source."""
        wanted = sources(needs)
        probed: dict[str, dict[str, FloatArray]] = {}
        weights: dict[str, dict[str, FloatArray]] = {}
        for source in passes(wanted) & {PROBE, SEARCH}:
            if self._inspector.probes:
                with timed(source):
                    probed = self._probed(costly=source == SEARCH)
        if GRADIENTS in wanted and self._inspector.probes and self._probe_gradients:
            with timed(GRADIENTS):
                self._differentiate(probed)
        if WEIGHTS in wanted:
            with timed(WEIGHTS):
                weights = self._inspector.weights()
        facts: dict[str, dict[str, FloatArray]] = {}
        if FACTS in wanted:
            with timed(FACTS):
                facts = self._inspector.facts()
        routes: dict[str, dict[str, FloatArray]] = {}
        if ROUTES in wanted:
            with timed(ROUTES):
                routes = {path: {ROUTES: found} for path, found in self._inspector.routes(self.table).items()}
        rows = {layer.path: row for row, layer in enumerate(self._inspector.layers)}
        layers = [
            LayerSnapshot(
                info,
                weights.get(info.path, {})
                | facts.get(info.path, {})
                | routes.get(info.path, {})
                | probed.get(info.path, {})
                | _tapped_at(tapped, rows[info.path]),
            )
            for info in self.table
        ]
        return Snapshot(step, epoch, layers, logs)

    def describe(self, table: tuple[LayerInfo, ...], batch_size: int) -> tuple[RunInfo, bool]:
        """The run, and whether it differs from the last description by more than a scheduled learning rate."""
        info = self._inspector.info(table)
        probes = self._inspector.probes
        info = replace(
            info,
            diagnostics=self._diagnostics,
            batch_size=batch_size,
            started=self._started,
            probe=probes[0].description if probes else info.probe,
        )
        if self.described is not None and _unscheduled(info) == _unscheduled(self.described):
            return self.described, False
        self.described = info
        return info, True

    def _probed(self, *, costly: bool) -> dict[str, dict[str, FloatArray]]:
        """Activations over the probe, by layer."""
        try:
            return self._inspector.activations(self._reductions, costly=costly)
        except Exception as error:  # a user's model may raise anything outside training; that must not end it
            self._inspector.drop_probes(f"the pass over the probe failed ({in_short(error)})")
            warn(
                f"The pass over the probe failed ({in_short(error)}). Activations are no longer recorded; weights and "
                "gradients are. Give samples that the model accepts, as in probe=(x_val[:512], y_val[:512])."
            )
            return {}

    def _differentiate(self, found: dict[str, dict[str, FloatArray]]) -> None:
        """Add the gradients of the loss on the probe, by layer."""
        try:
            for path, gradients in self._inspector.gradients().items():
                found.setdefault(path, {}).update(gradients)
        except Exception as error:  # a user's loss may need what only training gives
            self._probe_gradients = False
            warn(
                f"The loss on the probe has no gradient ({in_short(error)}). Gradient noise is not recorded; "
                "everything else is."
            )


def _unscheduled(info: RunInfo) -> RunInfo:
    """The run without its learning rate, which a schedule may change at every step and the training curve holds."""
    try:
        optimizer = json.loads(info.optimizer)
    except ValueError:
        return info
    for config in (optimizer.get("config"), (optimizer.get("config") or {}).get("inner_optimizer", {}).get("config")):
        if isinstance(config, dict):
            config.pop("learning_rate", None)
    return replace(info, optimizer=json.dumps(optimizer))


def _tapped_at(tapped: Tapped, row: int) -> dict[str, FloatArray]:
    data: dict[str, FloatArray] = {}
    if tapped.gradients is not None:
        names = ("gradient_norm", "gradient_steps", "gradient_non_finite_steps")
        data |= {name: np.asarray(tapped.gradients[row, i]) for i, name in enumerate(names)}
    if tapped.updates is not None:
        data["update_norm"] = np.asarray(tapped.updates[row])
    fired = tapped.fired
    if fired is not None and (units := fired.units[row]) is not None:
        data["training_fired"] = units.astype(np.float32)
        data |= {"training_batches": np.asarray(fired.batches), "training_samples": np.asarray(fired.samples)}
    return data


def in_short(error: Exception) -> str:
    """The kind of an error and the first two lines of its message, without Keras' terminal colors."""
    lines = [line.strip() for line in re.sub("\x1b\\[[0-9;]*m", "", str(error)).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:2])[:300]}"
