"""What diagnostics may cost, on a clock that the tests move."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.diagnostics.base import Cost, Diagnostic, LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.history import History
from tb_cnndiag.payloads import ColumnInfo
from tb_cnndiag.recording import run_log
from tb_cnndiag.recording.budget import Budget, Expected
from tb_cnndiag.recording.plan import affordable, cost_of_all
from tb_cnndiag.summaries.reader import read_run
from tests.models import compiled, images, plain
from tests.recording.conftest import Clock


def _spend(budget: Budget, clock: Clock, seconds: float, item: str = "work") -> None:
    with budget.charged(), budget.measured(item):
        clock.pass_by(seconds)


def test_training_earns_what_snapshots_spend(clock: Clock) -> None:
    budget = Budget(0.05)
    assert budget.available("first") == float("inf")
    _spend(budget, clock, 3.0)
    budget.begin()  # the first snapshot took three seconds that training had not earned
    _spend(budget, clock, 2.0)
    assert budget.available("regular") < 0
    clock.pass_by(100.0)
    assert budget.available("regular") == pytest.approx(0.05 * 100 - 2)
    # The last snapshot may take what is left of a fifth of the 100 s that training itself took, other than light ones
    # what is left of the share and two hundredths.
    assert budget.limits("last") == pytest.approx({"light": 0.2 * 100 - 5, "heavy": 7 - 5, "costly": 7 - 5})
    _spend(budget, clock, 12.0)
    assert budget.limits("last")["light"] == pytest.approx(0.2 * 100 - 17)
    assert budget.spent_share == pytest.approx(17 / 117)


def test_what_is_compiled_once_counts_but_not_against_the_next_snapshots(clock: Clock) -> None:
    budget = Budget(0.05)
    budget.begin()
    with budget.charged(first=True):
        clock.pass_by(4.0)
    clock.pass_by(100.0)
    assert budget.spent == pytest.approx(4)
    assert budget.available("regular") == pytest.approx(0.05 * 100)
    assert budget.available("last") == pytest.approx(0.2 * 100 - 4)


def test_something_is_kept_for_the_last_snapshot(clock: Clock) -> None:
    budget = Budget(0.05)
    clock.pass_by(100.0)
    # Half of the training is done: the whole of it will earn 10 s, of which the last snapshot takes 4.
    assert budget.available("regular", progress=0.5, reserved=4.0) == pytest.approx(5.0)
    assert budget.available("regular", progress=0.8, reserved=4.0) == pytest.approx(6.25 - 3.125)
    assert budget.available("regular", progress=0.5, reserved=1.0) == pytest.approx(5.0)


def test_a_short_training_may_spend_a_little(clock: Clock) -> None:
    budget = Budget(0.01)
    clock.pass_by(1.0)
    assert budget.available("regular") == 0.5
    assert budget.limits("last") == {"light": 1.5, "heavy": 0.5, "costly": 0.5}


def test_without_a_budget_there_is_no_bound(clock: Clock) -> None:
    budget = Budget(None)
    _spend(budget, clock, 1e6)
    assert budget.available("regular") == budget.available("last") == float("inf")


def test_nested_charges_count_once(clock: Clock) -> None:
    budget = Budget(0.05)
    with budget.charged():
        clock.pass_by(1.0)
        _spend(budget, clock, 2.0)
    assert budget.spent == 3.0
    assert budget.estimate("work") == 2.0


def test_the_first_run_of_what_is_compiled_is_no_measure_of_the_next(clock: Clock) -> None:
    budget = Budget(0.05)
    budget.expect({"probe": Expected(7.0, 2.0)})
    assert budget.estimate("probe") == 7.0
    _spend(budget, clock, 4.0, "probe")
    assert budget.estimate("probe") == 2.0
    _spend(budget, clock, 3.0, "probe")
    assert budget.estimate("probe") == 3.0


def test_two_items_that_one_pass_serves_are_compiled_once(clock: Clock) -> None:
    budget = Budget(0.05)
    budget.expect({"probe": Expected(7.0, 2.0, compiled_by="search"), "search": Expected(8.0, 3.0, "probe")})
    assert budget.estimate("search") == 8.0
    _spend(budget, clock, 4.0, "probe")
    assert budget.estimate("search") == 3.0


def _diagnostic(name: str, cost: str, *needs: str, shares: tuple[str, ...] = ()) -> Diagnostic:
    made = type(name, (LayerDiagnostic,), {"measure": lambda self, snapshot: LayerResult()})
    made.name, made.cost, made.needs, made.shares = name, cost, needs, shares  # type: ignore[attr-defined]
    return made()  # type: ignore[no-any-return]


def _names(plan: Any) -> list[str]:
    return [each.name for each in plan.chosen]


def _all(seconds: float) -> dict[Cost, float]:
    return {"light": seconds, "heavy": seconds, "costly": seconds}


def _parts(seconds: float) -> dict[Cost, float]:
    return {"light": seconds, "heavy": seconds / 2, "costly": seconds / 4}


def test_between_the_ends_of_a_training_much_is_kept_for_light_ones(clock: Clock) -> None:
    budget = Budget(0.05)
    clock.pass_by(100.0)
    assert budget.limits("regular") == pytest.approx(_parts(5.0))
    assert budget.limits("first") == _all(float("inf"))


def test_light_ones_come_first_and_what_they_share_counts_once(clock: Clock) -> None:
    budget = Budget(0.05)
    for item, seconds in {
        "probe": 1.0,
        "a": 0.1,
        "b": 0.1,
        "rank": 0.5,
        "tree": 2.0,
        "cut": 0.1,
        "record": 0.2,
    }.items():
        for _ in range(2):
            _spend(budget, clock, seconds, item)
    due = [
        _diagnostic("rank", "costly", "kernel"),
        _diagnostic("cut", "heavy", "kernel", shares=("tree",)),
        _diagnostic("tree", "heavy", "kernel"),
        _diagnostic("a", "light", "sample_max"),
        _diagnostic("b", "light", "unit_mean"),
        _diagnostic("logs", "light"),
    ]
    assert cost_of_all(due, budget) == pytest.approx(0.2 + 1.0 + 0.2 + 0.5 + 2.0 + 0.1)
    assert _names(affordable(due, budget, _all(0.0))) == ["logs"]
    assert _names(affordable(due, budget, _all(1.45))) == ["a", "b", "logs"]
    plan = affordable(due, budget, _all(2.0))
    assert _names(plan) == ["rank", "a", "b", "logs"]
    assert plan.left_out == pytest.approx({"tree": 2.0, "cut": 2.1})
    assert _names(affordable(due, budget, _all(4.2))) == ["rank", "cut", "tree", "a", "b", "logs"]
    # Between the first and the last snapshot, heavy ones may use half of the time, and costly ones a quarter.
    assert _names(affordable(due, budget, _parts(2.0))) == ["a", "b", "logs"]
    assert _names(affordable(due, budget, _parts(7.0))) == ["cut", "tree", "a", "b", "logs"]
    # The probe was captured, and took its time; nothing else can be captured any more.
    assert _names(affordable(due, budget, _all(0.45), captured={"probe"})) == ["a", "b", "logs"]


def test_in_debt_light_ones_get_what_was_earned_since_the_last_snapshot(clock: Clock) -> None:
    budget = Budget(0.05)
    budget.begin()
    for item, seconds in {"surprise": 100.0, "a": 0.1, "rank": 0.1, "record": 0.2}.items():
        _spend(budget, clock, seconds, item)
    due = [_diagnostic("rank", "costly", "kernel"), _diagnostic("a", "light", "kernel")]
    clock.pass_by(10.0)
    assert budget.available("regular") < -90
    assert _names(affordable(due, budget, budget.limits("regular"))) == ["a"]
    budget.recorded()
    clock.pass_by(5.9)  # earns 0.295 s: too little to measure, judge and write
    assert _names(affordable(due, budget, budget.limits("regular"))) == []
    clock.pass_by(0.2)
    assert _names(affordable(due, budget, budget.limits("regular"))) == ["a"]


def test_the_pass_that_searches_serves_the_plain_pass_too(clock: Clock) -> None:
    budget = Budget(0.05)
    for item, seconds in {"probe": 1.0, "search": 1.5, "a": 0.1, "patches": 0.2}.items():
        _spend(budget, clock, seconds, item)
    due = [_diagnostic("a", "light", "sample_max"), _diagnostic("patches", "costly", "peaks")]
    assert cost_of_all(due, budget) == pytest.approx(1.5 + 0.1 + 0.2)
    assert _names(affordable(due, budget, _all(1.85))) == ["a", "patches"]
    assert affordable(due, budget, _all(1.75)).left_out == pytest.approx({"patches": 0.5 + 0.2})


class _Slow(LayerDiagnostic):
    """Takes so many seconds of a clock at each snapshot."""

    name = "slow"
    title = "Slow"
    description = "Waits."
    needs = ("kernel",)
    columns = (ColumnInfo("waited", "Waited", "s", "Seconds."),)

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds

    def measure_all(self, snapshots: Any) -> Iterator[LayerResult]:  # type: ignore[override]
        self._clock.pass_by(self._seconds)
        return (self.measure(snapshot) for snapshot in snapshots)

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        return LayerResult({"waited": self._seconds})


class _Passing(keras.callbacks.Callback):  # type: ignore[misc]
    """Each training step takes a second of the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._clock.pass_by(1.0)


def _history(log_dir: Path) -> History:
    return History.of(read_run(log_dir / "cnndiag"))


@pytest.mark.parametrize(("budget", "steps"), [(0.05, [0, 16, 28, 48]), (None, list(range(0, 49, 4)))])
def test_a_snapshot_leaves_out_what_it_cannot_afford_and_says_so(
    budget: float | None, steps: list[int], tmp_path: Path, rng: np.random.Generator, clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Twelve epochs of four seconds earn 2.4 s: two snapshots of 0.7 s, and as much is kept for the last one."""
    x, y = images(rng)
    callback = CNNDiagnostics(
        tmp_path, budget=budget, diagnostics=["training_curve", "weight_health", _Slow(clock, 0.7)]
    )
    compiled(plain()).fit(x, y, batch_size=16, epochs=12, verbose=0, callbacks=[_Passing(clock), callback])
    history = _history(tmp_path)
    assert history.series("slow", "waited").steps.tolist() == steps
    assert history.series("weight_health", "rms").steps.tolist() == list(range(0, 49, 4))
    left_out, seconds = history.scalars("overhead", "left_out/slow")
    assert left_out.tolist() == [step for step in range(4, 49, 4) if step not in steps]
    assert (seconds == pytest.approx(0.7)) if budget else not len(seconds)
    spent = re.search(r"CNN diagnostics: (\d\.\d) s \((.*) % of the time(, budget 5 %)?\)", capsys.readouterr().out)
    assert spent
    assert float(spent[1]) == pytest.approx(0.7 * len(steps), abs=0.06)
    assert bool(spent[3]) == bool(budget)


def test_the_last_snapshot_names_what_it_leaves_out(
    tmp_path: Path, rng: np.random.Generator, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = images(rng)
    callback = CNNDiagnostics(tmp_path, diagnostics=["training_curve", _Slow(clock, 50.0)])
    compiled(plain()).fit(x, y, batch_size=16, epochs=3, verbose=0, callbacks=[_Passing(clock), callback])
    assert _history(tmp_path).series("slow", "waited").steps.tolist() == [0]
    assert "the last snapshot leaves out slow (about 50.0 s). complete() of the callback" in capsys.readouterr().out
    callback.complete()
    history = _history(tmp_path)
    assert history.series("slow", "waited").steps.tolist() == [0, 12]
    assert history.snapshots == 4
    steps, _ = history.scalars("overhead", "left_out/slow")
    assert steps.tolist() == [4, 8]
    assert "the last snapshot is complete (50.0 s more)" in capsys.readouterr().out


def test_very_short_epochs_get_a_snapshot_when_they_have_earned_one(
    tmp_path: Path, rng: np.random.Generator, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Judging takes 1 s, an epoch 4 s: at 5 %, an epoch earns 0.2 s, so every fifth one gets a snapshot.

    Loss and metrics are kept of all, each at its step, as Keras reported them.
    """

    class Passing(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            clock.pass_by(4.0)

    judge = run_log.verdict

    def slowly(*arguments: Any, **options: Any) -> Any:
        clock.pass_by(1.0)
        return judge(*arguments, **options)

    monkeypatch.setattr(run_log, "verdict", slowly)
    x, y = images(rng, 32)
    callback = CNNDiagnostics(tmp_path, probe=(x, y), diagnostics=["training_curve"], on_finding=lambda _: None)
    reported = compiled(plain()).fit(x, y, epochs=23, verbose=0, callbacks=[Passing(), callback]).history["loss"]
    history = History.of(read_run(tmp_path / "cnndiag"))
    judged, _ = history.scalars("overhead", "seconds")
    assert judged.tolist() == [0, 6, 11, 16, 21, 23]  # the first snapshot is taken when four seconds have passed
    steps, losses = history.scalars("training_curve", "loss")
    assert steps.tolist() == list(range(1, 24))
    assert losses == pytest.approx(reported)
    assert [history.epochs[int(step)] for step in steps] == list(range(1, 24))
    assert history.snapshots == 6
    assert "18 snapshots left out but for loss and metrics" in capsys.readouterr().out


def test_what_was_captured_is_measured_even_if_capturing_took_too_long(
    tmp_path: Path, rng: np.random.Generator, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    activations = ModelInspector.activations

    def slow(inspector: ModelInspector, reductions: Any, *, costly: bool) -> Any:
        clock.pass_by(10.0)
        return activations(inspector, reductions, costly=costly)

    monkeypatch.setattr(ModelInspector, "activations", slow)
    x, y = images(rng)
    callback = CNNDiagnostics(tmp_path, diagnostics=["dead_units", "kernel_rank", _Slow(clock, 3.0)], verbose=0)
    passing = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: clock.pass_by(0.1))
    compiled(plain()).fit(x, y, batch_size=16, epochs=1, verbose=0, callbacks=[passing, callback])
    history = _history(tmp_path)
    assert history.series("dead_units", "dead_ratio").steps.tolist() == [4]
    assert history.series("kernel_rank", "entropy_rank").steps[-1] == 4
    assert history.series("slow", "waited").steps.tolist() == [0]  # a quarter of what capturing took is less


@pytest.mark.parametrize("budget", [0, -0.1, 1.5, "5 %"])
def test_a_budget_that_is_no_share_is_refused(budget: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(f"budget is {budget!r}; allowed: a share of the training's time")):
        CNNDiagnostics(tmp_path, budget=budget)


def test_logs_of_an_epoch_that_ends_with_a_snapshot_are_written(tmp_path: Path, rng: np.random.Generator) -> None:
    """``update_freq`` divides the steps of an epoch: its last step has a snapshot before Keras reports ``val_loss``."""
    x, y = images(rng)
    model = compiled(plain())
    model.fit(
        x, y, validation_data=(x, y), batch_size=16, epochs=3, verbose=0,
        callbacks=[CNNDiagnostics(tmp_path, update_freq=2, verbose=0)],
    )  # fmt: skip
    history = _history(tmp_path)
    assert history.scalars("training_curve", "val_loss")[0].tolist() == [4, 8, 12]
    assert history.scalars("training_curve", "loss")[0].tolist() == [2, 4, 6, 8, 10, 12]


def test_frozen_kernels_are_measured_once(tmp_path: Path, rng: np.random.Generator) -> None:
    counted: list[str] = []

    class Counted(LayerDiagnostic):
        name = "counted"
        title = "Counted"
        description = "Counts."
        needs = ("kernel",)
        columns = (ColumnInfo("norm", "Norm", "norm", "Norm."),)

        def measure(self, snapshot: LayerSnapshot) -> LayerResult:
            counted.append(snapshot.layer.path)
            return LayerResult({"norm": float(np.linalg.norm(snapshot.data["kernel"]))})

    model = plain()
    model.get_layer("conv_a").trainable = False

    def change(epoch: int, logs: Any) -> None:
        if epoch == 1:
            frozen = model.get_layer("conv_a")
            frozen.kernel.assign(2 * frozen.kernel)

    x, y = images(rng)
    compiled(model).fit(
        x, y, batch_size=16, epochs=4, verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_begin=change),
            CNNDiagnostics(tmp_path, diagnostics=[Counted()], verbose=0),
        ],
    )  # fmt: skip
    assert counted.count("conv_a") == 2  # before and after it was changed
    assert counted.count("conv_b") == 5
    norms = _history(tmp_path).series("counted", "norm").values[:, 0]
    np.testing.assert_allclose(norms / norms[0], [1, 1, 2, 2, 2])
