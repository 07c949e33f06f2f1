"""One recorded run: from the inspected models, through the diagnostics, into the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.diagnostics.base import Cost, Diagnostic, Snapshot
from tb_cnndiag.keras_backend import has_tensorflow
from tb_cnndiag.payloads import SwitchedOff
from tb_cnndiag.recording.budget import Budget, Occasion
from tb_cnndiag.recording.closing import Closing, ClosingDiagnostic
from tb_cnndiag.recording.inspection import Inspection, Tapped, sources
from tb_cnndiag.recording.measurer import Measurer
from tb_cnndiag.recording.plan import RECORD, Plan, affordable, cost_of_all
from tb_cnndiag.recording.run_log import Judgment, RunLog
from tb_cnndiag.recording.schedule import COSTLY, Schedule
from tb_cnndiag.recording.skipped import SkippedSnapshots
from tb_cnndiag.wording import percent, plural

ALL_COSTS: frozenset[Cost] = frozenset({"light", "heavy", "costly"})
# What the first snapshot leaves to later ones: it would keep a new user waiting.
WITHOUT_COSTLY: frozenset[Cost] = frozenset({"light", "heavy"})

# Least time for measuring, relative to that of capturing what is measured.
MEASURING = 0.25


@dataclass(frozen=True)
class Moment:
    """When a snapshot is taken.

    Attributes:
        step: Steps since the weights were initialized.
        epoch: Epochs, the present one included.
        occasion: The first snapshot of a training, its last one, or one between them.
        progress: Share of the training that is done, 0..1; 0 if unknown.
    """

    step: int
    epoch: int
    occasion: Occasion = "regular"
    progress: float = 0.0


class Session:
    """Takes the snapshots of one training, each as complete as the budget allows."""

    def __init__(
        self,
        log_dir: Path,
        inspector: ModelInspector,
        diagnostics: Sequence[Diagnostic],
        schedule: Schedule,
        *,
        step: int,
        budget: Budget | None = None,
    ) -> None:
        self.budget = budget or Budget(None)
        self._inspection = Inspection(
            inspector,
            [diagnostic.info() for diagnostic in diagnostics if not isinstance(diagnostic, ClosingDiagnostic)],
            {name for diagnostic in diagnostics for name in diagnostic.needs},
        )
        self._measurer = Measurer(diagnostics)
        self._schedule = schedule
        self._log = RunLog(log_dir, self._inspection.table, step)
        self._closing = Closing(self.budget, inspector, self._log)
        self._closed_step = -1
        self._done: frozenset[str] = frozenset()
        self._logged: Mapping[str, float] = {}
        self._left_out: list[Diagnostic] = []
        self._skipped = SkippedSnapshots()

    @property
    def bytes_written(self) -> int:
        """Size of the log so far."""
        return self._log.bytes_written

    def skips(self, moment: Moment, logs: Mapping[str, float]) -> bool:
        """Whether training has not even earned what judging and writing this snapshot would take.

        Neither in all, nor since the last one: of very short epochs, only some are recorded. The next one that is
        brings their ``logs`` with it.
        """
        budget = self.budget
        earned = max(budget.earned_lately, budget.available(moment.occasion, progress=moment.progress))
        if moment.occasion != "regular" or budget.estimate(RECORD) <= earned:
            return False
        self._skipped.add(moment.step, moment.epoch, logs)
        return True

    def take_snapshot(
        self,
        moment: Moment,
        logs: Mapping[str, float],
        tapped: Tapped,
        *,
        batch_size: int = 0,
        costs: Set[Cost] | None = None,
    ) -> Judgment | None:
        """Inspect the models now, measure, judge and write; None when there is nothing to do.

        Diagnostics of the given ``costs`` are due, or those that the schedule names. The last snapshot of a training
        has all of them. A snapshot at the step of the one before gets what that left out, and numbers that Keras
        reports only now.
        """
        last = moment.occasion == "last"
        supplements = self._log.last_step == moment.step
        done = self._done if supplements else frozenset()
        due = self._due(moment, costs, done, news=dict(logs) != dict(self._logged))
        if self._log.log_dir is None or not due:
            return self._log.end() if last else None
        with self.budget.charged():
            reserved = cost_of_all(self._measurer.due(WITHOUT_COSTLY), self.budget)
            limits = self.budget.limits(moment.occasion, progress=moment.progress, reserved=reserved)
            needs = affordable(due, self.budget, limits).needs
            before = self.budget.spent
            snapshot = self._inspection.capture(moment.step, moment.epoch, logs, tapped, needs, self.budget.measured)
            # Now it is known what capturing has taken: if it was more than expected, it must not have been in vain.
            captured = self.budget.spent
            ends = {
                cost: max(before + limit, captured + MEASURING * (captured - before)) for cost, limit in limits.items()
            }
            left = {cost: end - captured for cost, end in ends.items()}
            plan = affordable(due, self.budget, left, captured=sources(needs))
            self._left_out = [each for each in due if each.name in plan.left_out]
            if not plan.chosen:
                return self._log.end() if last else None
            index = self._log.snapshots - 1 if done else self._log.snapshots
            judgment = self._record(snapshot, plan, index, batch_size, ends, ended=last)
        self._done = done | ({each.name for each in due} - {each.name for each in self._left_out})
        self._logged = dict(logs)
        self.budget.recorded()
        return judgment

    @property
    def incomplete(self) -> bool:
        """Whether the last snapshot leaves something out."""
        return bool(self._left_out or self._closing.left_out)

    def lift_budget(self) -> None:
        """Let the last snapshot have what the budget left out of it: at any cost, when it is taken once more."""
        self.budget.share = None
        self._closed_step = -1

    def complete(self, step: int, time_limit: float = float("inf")) -> None:
        """Run the closing diagnostics, once, if the last snapshot is of this step, in what is left of the budget.

        If a ``time_limit``, in seconds, leaves something out, a note in the log says so.
        """
        due = [each for each in self._measurer.due({"closing"}) if isinstance(each, ClosingDiagnostic)]
        if not due or self._log.log_dir is None or self._log.last_step != step or self._closed_step == step:
            return
        self._closed_step = step
        with self.budget.charged():
            self._closing.run(due, min(time_limit, self.budget.available("regular")))
        if time_limit < float("inf") and (left_out := self._closing.left_out.values()):
            names, seconds = ", ".join(what for what, _ in left_out), sum(seconds for _, seconds in left_out)
            note = f"The time limit of {time_limit:g} s leaves out {names} (about {seconds:.1f} s): see --time-limit."
            self._log.add({}, notes=[note])

    def switch_off(self, step: int, reason: str) -> None:
        """Write that recording stops here, and why, and close the log."""
        info, _ = self._inspection.describe(self._inspection.table, 0)
        self._log.switch_off(info, SwitchedOff(step, reason))
        self._log.close()

    def close(self) -> None:
        """Close the log; its description is written once more if it has changed since the last snapshot."""
        known = self._inspection.described
        if known is not None:
            info, changed = self._inspection.describe(known.layers, known.batch_size)
            if changed:
                self._log.describe(info)
        self._log.close()

    def summary(self) -> str:
        """What the diagnostics cost and left out at the end; empty when nothing could be written."""
        if self._log.log_dir is None:
            return ""
        budget = self.budget
        bound = "" if budget.share is None else f", budget {percent(budget.share)}"
        text = (
            f"CNN diagnostics: {budget.spent:.1f} s ({percent(budget.spent_share)} of the time{bound}), "
            f"{self._log.bytes_written / 1e6:.2f} MB in {self._log.log_dir}"
        )
        if self._skipped.count:
            skipped = plural(self._skipped.count, "snapshot")
            text += f"; {skipped} left out but for loss and metrics, for the steps between them are too short"
        closing = self._closing.left_out.values()
        left_out = [*sorted(each.name for each in self._left_out), *(what for what, _ in closing)]
        if not left_out:
            return text
        names = ", ".join(left_out)
        seconds = cost_of_all(self._left_out, budget) * bool(self._left_out) + sum(seconds for _, seconds in closing)
        return (
            f"{text}\nCNN diagnostics: the last snapshot leaves out {names} (about {seconds:.1f} s). complete() "
            "of the callback adds it now; budget=None records everything in the training, at any cost."
        )

    def _due(self, moment: Moment, costs: Set[Cost] | None, done: frozenset[str], *, news: bool) -> list[Diagnostic]:
        if costs is None:
            costs = ALL_COSTS if moment.occasion == "last" else self._scheduled(moment)
        due = self._measurer.due(costs)
        if not done:
            return due
        # Nothing is measured twice at one step; but an epoch may end, with logs of its own, where a snapshot was taken.
        return [each for each in due if each.name not in done or (news and each.name == "training_curve")]

    def _scheduled(self, moment: Moment) -> Set[Cost]:
        """Costs of the diagnostics that the schedule names for the next snapshot."""
        index = self._log.snapshots
        if not self._schedule(index):
            return frozenset({"light"})
        bounded_first = moment.occasion == "first" and self.budget.share is not None
        return ALL_COSTS if COSTLY(index) and not bounded_first else WITHOUT_COSTLY

    def _record(
        self,
        snapshot: Snapshot,
        plan: Plan,
        index: int,
        batch_size: int,
        ends: Mapping[Cost, float],
        *,
        ended: bool,
    ) -> Judgment:
        """Measure until so many seconds have been spent in all, by the cost of a diagnostic; judge and write."""
        info, changed = self._inspection.describe(tuple(layer.layer for layer in snapshot.layers), batch_size)
        measurements, skipped = self._measurer.measure(
            snapshot, index, info.table, plan.chosen, self.budget.measured, lambda cost: self.budget.spent > ends[cost]
        )
        self._left_out += skipped
        curve = [each for each in plan.chosen if each.name == "training_curve"]
        for earlier in self._skipped.take(before=snapshot.step):
            points, _ = self._measurer.measure(earlier, index, info.table, curve)
            self._log.add_unjudged(earlier.step, points, _reported(earlier))
        scalars = self._measurer.scalars(measurements, snapshot) | _reported(snapshot)
        with self.budget.measured(RECORD):
            return self._log.record(
                snapshot,
                index,
                measurements,
                scalars,
                info,
                changed=changed,
                ended=ended,
                seconds=self.budget.spent,
                left_out={**plan.left_out, **{each.name: self.budget.estimate(each.name) for each in skipped}},
            )


def _reported(snapshot: Snapshot) -> dict[str, float]:
    """Loss and metrics as scalars by tag, where there is no ``keras.callbacks.TensorBoard``, which writes them."""
    return {} if has_tensorflow() else {f"epoch_{name}": value for name, value in snapshot.logs.items()}
