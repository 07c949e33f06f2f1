"""What is made with the model itself after the last snapshot has been judged, as far as the time allows."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.diagnostics.base import Cost, Diagnostic
from tb_cnndiag.history import History
from tb_cnndiag.payloads import DiagnosticInfo
from tb_cnndiag.recording.budget import Budget, Expected
from tb_cnndiag.recording.inspection import GRADIENTS, in_short
from tb_cnndiag.recording.model_passes import inputs_of, passes_of
from tb_cnndiag.recording.plan import affordable
from tb_cnndiag.recording.run_log import RunLog
from tb_cnndiag.summaries.codec import Payload
from tb_cnndiag.unit_images.passes import Inputs, Passes
from tb_cnndiag.unit_images.rules import operations
from tb_cnndiag.warning import warn

# Seconds that compiling a gradient by the image takes, and for each layer and operation of the model: 0.2 to 0.3 s for
# networks of 7 to 9 of them, 3 to 5 s for one of 177, on one of two busy cores.
COMPILING, COMPILING_EACH = 0.1, 0.025
# What is begun must fit with this much to spare: what is cut off is lost.
MARGIN = 1.2


class NotApplicableError(Exception):
    """The model allows no such result; the message says why. Empty: nothing is missing."""


@dataclass(frozen=True)
class Made:
    """Part of a result: payloads by name about a layer (or the model), and how much is done so far."""

    payloads: Mapping[str, Payload]
    done: int
    wanted: int
    layer: str = ""


class Ended:
    """A model whose last snapshot has been judged, with its history, until ``until`` seconds have been spent in all."""

    def __init__(self, inspector: ModelInspector, history: History, spent: Callable[[], float]) -> None:
        self.inspector, self.history = inspector, history
        self.until = float("inf")
        self._spent = spent

    def left(self) -> float:
        """Seconds that are left; infinite if there is no bound."""
        return self.until - self._spent()

    @functools.cached_property
    def passes(self) -> Passes:
        """Passes through the model, with its probe.

        Raises:
            NotApplicableError: If there can be none.
        """
        try:
            return passes_of(self.inspector)
        except ValueError as error:
            raise NotApplicableError(str(error)) from None


def require_picture(ended: Ended) -> Inputs:
    """The inputs of the model; takes no time.

    Raises:
        NotApplicableError: If no picture enters the model.
    """
    try:
        return inputs_of(ended.inspector)
    except ValueError as error:
        raise NotApplicableError(str(error)) from None


class ClosingDiagnostic(Diagnostic):
    """Made with the model itself, from what the last snapshot found, part by part for as long as there is time.

    Attributes:
        noun: What it makes, in the plural.
        described: What it writes; the first one gives it its name.
    """

    cost: ClassVar[Cost] = "closing"
    needs = ("model",)
    noun: ClassVar[str]
    described: ClassVar[tuple[DiagnosticInfo, ...]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        first = cls.described[0]
        cls.name, cls.title, cls.description = first.name, first.title, first.description

    @abstractmethod
    def check(self, ended: Ended) -> None:
        """Take no time.

        Raises:
            NotApplicableError: If the model allows no such result.
        """

    @abstractmethod
    def expected(self, compiling: float, sample: float) -> float:
        """Seconds that the first part takes.

        Args:
            compiling: Seconds that compiling a gradient by the image takes.
            sample: Seconds that the gradient of a sample takes.
        """

    @abstractmethod
    def make(self, ended: Ended) -> Iterator[Made]:
        """The parts, the most important first, as long as there is time.

        Raises:
            NotApplicableError: If the model allows no such result.
        """


class Closing:
    """Runs the closing diagnostics of one training. One that fails is reported, and the others go on."""

    def __init__(self, budget: Budget, inspector: ModelInspector, log: RunLog) -> None:
        self._budget, self._inspector, self._log = budget, inspector, log
        self._described: tuple[DiagnosticInfo, ...] = ()
        self.left_out: dict[str, tuple[str, float]] = {}
        """By diagnostic: what the time did not allow, in words, and the seconds that it would have taken."""
        self._whole: set[str] = set()

    def run(self, due: Sequence[ClosingDiagnostic], seconds: float) -> None:
        """Make what these seconds allow, the cheapest first, each for its share of the time, and write it.

        What an earlier call has made whole is not made again.
        """
        budget = self._budget
        due = [each for each in due if each.name not in self._whole]
        end = budget.spent + seconds
        ended = Ended(self._inspector, self._log.history, lambda: budget.spent)
        applicable = self._applicable(due, ended)
        if not applicable:
            return
        sample = budget.estimate(GRADIENTS) / sum(len(probe) for probe in self._inspector.probes)
        compiling = COMPILING + COMPILING_EACH * sum(len(operations(model)) for model in self._inspector.models)
        costs = {each.name: each.expected(compiling, sample) for each in applicable}
        budget.expect({name: Expected(cost, cost) for name, cost in costs.items()})
        chosen = affordable(applicable, budget, {"closing": seconds}).chosen
        self.left_out = {each.name: (each.name, costs[each.name]) for each in applicable if each not in chosen}
        # Described at once: each description of a run takes as much as all of its layers.
        self._described = tuple(info for each in applicable if each in chosen for info in each.described)
        following = sorted((each for each in applicable if each in chosen), key=lambda each: costs[each.name])
        while following:
            each, *following = following
            later = sum(costs[other.name] for other in following)
            shared = (end - budget.spent) / (len(following) + 1)
            ended.until = min(budget.spent + max(shared, costs[each.name]), end - later)
            self._try(each, ended)
        self._whole |= {each.name for each in applicable} - set(self.left_out)
        self._log.leave_out({name: cost for name, (_, cost) in self.left_out.items()}, budget.spent)

    def _applicable(self, due: Sequence[ClosingDiagnostic], ended: Ended) -> list[ClosingDiagnostic]:
        """Those that the model allows; the log says once why not. Why there is no probe, it says anyway."""
        if not self._inspector.probes:
            return []
        applicable: list[ClosingDiagnostic] = []
        reasons: dict[str, list[str]] = {}
        for each in due:
            try:
                each.check(ended)
                applicable.append(each)
            except NotApplicableError as error:
                if str(error):
                    reasons.setdefault(str(error), []).append(each.noun)
        self._log.add({}, notes=[f"No {', no '.join(nouns)}: {reason}" for reason, nouns in reasons.items()])
        return applicable

    def _make(self, diagnostic: ClosingDiagnostic, ended: Ended) -> None:
        budget, before, part = self._budget, self._budget.spent, None
        with budget.measured(diagnostic.name):
            for part in diagnostic.make(ended):
                self._log.add(part.payloads, layer=part.layer, described=self._described)
        if part is None:
            self.left_out[diagnostic.name] = diagnostic.name, budget.estimate(diagnostic.name)
        elif part.done < part.wanted:
            rest = part.wanted - part.done
            text = f"{rest} of {part.wanted} {diagnostic.noun}"
            self.left_out[diagnostic.name] = text, (budget.spent - before) * rest / part.done

    def _try(self, diagnostic: ClosingDiagnostic, ended: Ended) -> None:
        """Make a result. If that fails, the log says why; nothing is raised."""
        try:
            self._make(diagnostic, ended)
        except NotApplicableError as error:
            self._log.add({}, notes=[f"No {diagnostic.noun}: {error}"])
        except Exception as error:  # a user's model may raise anything; what has been recorded stays
            self._log.add({}, notes=[f"No {diagnostic.noun}, or not all: making them failed ({in_short(error)})."])
            warn(f"Making {diagnostic.noun} failed ({in_short(error)}). Everything else is in the log.")
