"""Conditions against a step-by-step evaluation, on random series that are known at different steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from tb_cnndiag.judging.conditions import Above, Below, Condition, Falls, Flat, Is, Known, Persists, Some
from tb_cnndiag.judging.signals.base import Signal, Signals, Track
from tests.judging.faults.made import history

NAN = math.nan
LIMITS = {"half": 0.5, "low": 0.3, "epochs": 3.0, "two": 2.0, "share": 0.1}
PERIOD = 10
Truth = Mapping[int, bool | None]
"""Yes, no or unknown, by step."""
SIGNALS = Signals(history({}, scalars={"loss": [1.0] * 10}))


def random_series(rng: np.random.Generator) -> tuple[Signal, dict[int, float]]:
    """A signal of the model, known at some of ten snapshots."""
    steps = sorted(rng.choice(10, int(rng.integers(1, 8)), replace=False).tolist())
    values = {PERIOD * step: NAN if rng.random() < 0.2 else float(rng.choice([0.1, 0.3, 0.5, 0.9])) for step in steps}
    track = Track.of_model(np.array(list(values)), list(values.values()))
    return Signal("made", "ratio", lambda _: track), values


def compared(values: Mapping[int, float], holds: Callable[[float], bool]) -> Truth:
    """What is true of the latest known value."""
    found: dict[int, bool | None] = {}
    latest = NAN
    for step, value in values.items():
        latest = latest if math.isnan(value) else value
        found[step] = None if math.isnan(latest) else holds(latest)
    return found


def at(truth: Truth, step: int) -> bool | None:
    """The latest answer; unknown before the first."""
    before = [each for each in truth if each <= step]
    return truth[before[-1]] if before else None


def joined(parts: list[Truth], join: Callable[[list[bool | None]], bool | None]) -> Truth:
    """An answer at all steps of any part."""
    steps = sorted({step for part in parts for step in part})
    return {step: join([at(part, step) for part in parts]) for step in steps}


def all_of(answers: list[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True


def any_of(answers: list[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


def negated(truth: Truth) -> Truth:
    return {step: None if answer is None else not answer for step, answer in truth.items()}


def known(truth: Truth) -> Truth:
    return {step: at(truth, step) is True for step in sorted({0, *truth})}


def persisted(truth: Truth, epochs: float, *, complete: bool) -> Truth:
    """A yes lasts from the first one after the last no. It is enough if that lasts for so many epochs, ends included.

    In a run that is shorter, from the first answer on, a yes without any no is enough too, unless it must be complete.
    """
    span, found = (epochs - 1) * PERIOD, dict(truth)
    answered = [step for step, answer in truth.items() if answer is not None]
    for step, answer in truth.items():
        if answer:
            noes = [each for each in truth if each <= step and truth[each] is False]
            began = min(each for each in truth if truth[each] and each <= step and (not noes or each > noes[-1]))
            short = not noes and step - answered[0] < span
            found[step] = True if step - began >= span else (None if complete else True) if short else False
    return found


def check(condition: Condition, expected: Truth) -> None:
    """The same answer at each step, and in the end that of the last step at which it is known."""
    answer = condition.answer(SIGNALS, LIMITS)
    found = {
        int(step): True if yes else False if no else None
        for step, yes, no in zip(answer.steps, answer.yes[:, 0], answer.no[:, 0], strict=True)
    }
    assert found == dict(expected)
    last = [each for each in expected.values() if each is not None]
    assert answer.outcome(0).found == (last[-1] if last else None)


@pytest.mark.parametrize("seed", range(40))
def test_joined_conditions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    (first, a), (second, b), (third, c) = (random_series(rng) for _ in range(3))
    one, two, three = Above(first, "half"), Below(second, "half"), Above(third, "half", strict=True)
    x, y, z = compared(a, lambda v: v >= 0.5), compared(b, lambda v: v < 0.5), compared(c, lambda v: v > 0.5)
    for condition, expected in ((one, x), (two, y), (three, z), (Some(first, "some"), compared(a, lambda v: v > 0))):
        check(condition, expected)
        check(~condition, negated(expected))
        check(Known(condition), known(expected))
    check(one & two & three, joined([x, y, z], all_of))
    check(one | two | three, joined([x, y, z], any_of))
    check((one & two) | ~three, joined([joined([x, y], all_of), negated(z)], any_of))
    check(one.unless(two), joined([x, negated(y)], all_of))
    check(one.except_where(two), joined([x, negated(known(y))], all_of))
    check(one & Known(two), joined([x, known(y)], all_of))


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_persistence(seed: int, complete: bool) -> None:
    rng = np.random.default_rng(seed)
    (first, a), (second, b) = random_series(rng), random_series(rng)
    one, two = Above(first, "half"), Above(second, "low")
    x, y = compared(a, lambda v: v >= 0.5), compared(b, lambda v: v >= 0.3)
    check(one.for_epochs(complete=complete), persisted(x, 3, complete=complete))
    check(one.for_epochs("two", complete=complete), persisted(x, 2, complete=complete))
    both, either = joined([x, y], all_of), joined([x, y], any_of)
    check((one & two).for_epochs(complete=complete), persisted(both, 3, complete=complete))
    check((one | two).for_epochs(complete=complete), persisted(either, 3, complete=complete))
    lasting = persisted(x, 3, complete=complete)
    check(one.for_epochs(complete=complete) & two, joined([lasting, y], all_of))
    check(one.for_epochs(complete=complete) | two, joined([lasting, y], any_of))
    check(one.for_epochs(complete=complete).unless(two), joined([lasting, negated(y)], all_of))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_mean_changes_per_epoch(seed: int, full: bool) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 10))
    values = (1.5 ** rng.normal(size=count)).cumprod().tolist()
    signal = Signal("made", "ratio", lambda _: Track.of_model(np.arange(count) * PERIOD, values))
    epochs = 3 if full else 2
    change = [(1 - v / values[i - epochs]) / epochs if i >= epochs else NAN for i, v in enumerate(values)]
    steps = [PERIOD * i for i in range(count)]
    flat = {step: None if math.isnan(each) else abs(each) < 0.1 for step, each in zip(steps, change, strict=True)}
    falls = {step: None if math.isnan(each) else each >= 0.1 for step, each in zip(steps, change, strict=True)}
    check(Flat(signal, "share", full=full), flat)
    check(Falls(signal, "share", full=full), falls)
    outcome = Flat(signal, "share", full=full).answer(SIGNALS, LIMITS).outcome(0)
    if outcome.found:
        assert outcome.evidence["share"].value == pytest.approx(change[-1])
    if count <= epochs:
        assert outcome.reasons == (f"the run is shorter than {4 if full else 3} epochs",)


def test_since_when_and_for_how_long() -> None:
    """A part that was found first began first; all of several began with the last of them."""
    early = Signal("early", "ratio", lambda _: Track.of_model(np.array([0, 10, 20, 30, 40]), [0, 1, 1, 1, 1]))
    late = Signal("late", "ratio", lambda _: Track.of_model(np.array([0, 10, 20, 30, 40]), [0, 0, 0, 1, 1]))
    a, b = Above(early, "half"), Above(late, "half")

    def began(condition: Condition) -> tuple[int, int, bool]:
        outcome = condition.answer(SIGNALS, LIMITS).outcome(0)
        return outcome.first_step, outcome.last_step, outcome.enough

    assert began(a) == (10, 40, True)
    assert began(a & b) == began(b & a) == (30, 40, True)
    assert began(a | b) == (10, 40, True)
    assert began(a.for_epochs() & b) == (30, 40, True)
    assert began(a.for_epochs() | b) == (10, 40, True)
    assert began(b | a.for_epochs()) == (30, 40, True)  # the first alternative that is true
    assert began(Known(a.for_epochs())) == (10, 40, True)
    whole = Signal("whole", "ratio", lambda _: Track.of_model(np.array([0, 10]), [1, 1]))
    short = Above(whole, "half").for_epochs()
    assert began(short) == (0, 10, False)
    assert began(short & a)[2] is False
    assert began(short | a)[2] is False
    assert began(a | short)[2] is True


@pytest.mark.parametrize("join", [lambda a, b: a & b, lambda a, b: a | b])
def test_reasons_of_what_is_unknown(join: Callable[[Condition, Condition], Condition]) -> None:
    nothing = Signal("nothing", "ratio", lambda _: Track.unknown("no probe"))
    unmeasured = Signal("unmeasured", "ratio", lambda _: Track.of_model(np.array([0, 10]), [NAN, NAN]))
    condition = join(join(Above(nothing, "half"), Below(unmeasured, "half")), Is(lambda signals: "not logged"))
    outcome = condition.answer(SIGNALS, LIMITS).outcome(0)
    assert (outcome.found, outcome.reasons) == (None, ("no probe", "unmeasured was not measured", "not logged"))
    assert (~condition).answer(SIGNALS, LIMITS).outcome(0).reasons == outcome.reasons
    lasting = Persists(Above(unmeasured, "half"), "epochs").answer(SIGNALS, LIMITS).outcome(0)
    assert lasting.reasons == ("unmeasured was not measured", "the run is shorter than 3 epochs")
    assert Persists(Above(nothing, "half"), "epochs").answer(SIGNALS, LIMITS).outcome(0).reasons == ("no probe",)


def test_names_of_thresholds() -> None:
    signal, _ = random_series(np.random.default_rng(0))
    parts: dict[Condition, set[str]] = {
        Above(signal, "half"): {"half"},
        Below(signal, "low"): {"low"},
        Some(signal, "some"): set(),
        Flat(signal, "share"): {"share", "epochs"},
        Falls(signal, "share", "two"): {"share", "two"},
        Is(lambda signals: True): set(),
        Above(signal, "half").for_epochs("two"): {"half", "two"},
    }
    for condition, names in parts.items():
        assert condition.names() == names
        assert (~condition).names() == Known(condition).names() == names
        assert (
            (condition & Below(signal, "low")).names() == (condition | Below(signal, "low")).names() == names | {"low"}
        )


def test_layers_of_one_part_are_joined_with_one_number_of_the_model() -> None:
    """Where a condition compares both, each layer has its own evidence, and that of the model."""
    rows = Signal("rows", "share", lambda _: Track(np.array([0, 10]), np.array([[0.9, 0.1, NAN], [0.7, 0.8, NAN]])))
    model = Signal("model", "ratio", lambda _: Track.of_model(np.array([0, 10]), [0.1, 0.2]))
    answer = (Above(rows, "half") & Below(model, "low")).answer(SIGNALS, LIMITS)
    for row, value in ((0, 0.7), (1, 0.8)):
        outcome = answer.outcome(row)
        assert (outcome.found, outcome.first_step) == (True, 0 if row == 0 else 10)
        shown = {name: (each.value, each.limit, each.unit) for name, each in outcome.evidence.items()}
        assert shown == {"half": (value, 0.5, "share"), "low": (0.2, 0.3, "ratio")}
    assert answer.outcome(2).found is None
