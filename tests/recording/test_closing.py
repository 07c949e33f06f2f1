"""What is made at the end of a training: images of selected units, and maps of why classes were predicted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag import CNNDiagnostics, audit
from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.payloads import DiagnosticInfo, Graph, Images, SampleMaps, UnitValues
from tb_cnndiag.recording import closing_images
from tb_cnndiag.recording.closing import ClosingDiagnostic, Ended, Made, NotApplicableError
from tb_cnndiag.recording.selected_units import MOST_LAYERS, MOST_NAMED, MOST_UNITS, selected_units
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.unit_images.passes import Inputs, Passes
from tb_cnndiag.warning import DiagnosticsWarning
from tests.recording.conftest import Clock
from tests.unit_images.helpers import labeled, network

EPOCHS = 3


def _history(log_dir: Path) -> History:
    return History.of(read_run(log_dir / "cnndiag"))


def _fit(log_dir: Path, *callbacks: Any, model: Any = None, probe: Any = None, **options: Any) -> History:
    model, (x, y) = model or network(channels=3), probe or labeled()
    model.compile("adam", "sparse_categorical_crossentropy")
    own = CNNDiagnostics(log_dir, probe=(x, y), **options)
    model.fit(x, y, batch_size=12, epochs=EPOCHS, verbose=0, callbacks=[*callbacks, own])
    return _history(log_dir)


def _left_out(history: History) -> dict[str, float]:
    """What the last snapshot leaves out."""
    last = history.last_step
    found = {}
    for name in history.scalar_names("overhead"):
        steps, values = history.scalars("overhead", name)
        if name.startswith("left_out/") and len(steps) and steps[-1] == last:
            found[name.removeprefix("left_out/")] = float(values[-1])
    return found


def test_without_a_bound_medoids_have_images_and_samples_have_maps(tmp_path: Path) -> None:
    history = _fit(tmp_path, budget=None, verbose=0)
    graph = history.latest("unit_clusters")
    assert isinstance(graph, Graph)
    for row, path in enumerate(("first", "second")):
        made, values = (history.at_last_step(name, path) for name in ("synthetic_images", "synthetic_responses"))
        assert isinstance(made, Images)
        assert isinstance(values, UnitValues)
        units = {image.unit for image in made.images}
        assert units >= set(graph.typical[graph.rows == row, 0].tolist())
        assert np.flatnonzero(np.isfinite(values.columns["activation"])).tolist() == sorted(units)
        patches: Any = history.at_last_step("top_patches", path)
        for unit in units:
            best = np.nan_to_num(patches.values[unit, 0])
            if best > 0:
                assert values.columns["ratio"][unit] == pytest.approx(values.columns["activation"][unit] / best)
    maps = history.at_last_step("sample_maps")
    assert isinstance(maps, SampleMaps)
    assert maps.chosen
    assert history.info is not None
    names = [each.name for each in history.info.diagnostics]
    assert {"synthetic_images", "synthetic_responses", "sample_maps"} <= set(names)
    assert len(names) == len(set(names))
    assert not history.info.notes
    assert _left_out(history) == {}
    assert history.snapshots == EPOCHS + 1


def test_a_short_training_leaves_them_out_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half a second, which any training may spend, does not suffice to compile what they need."""
    history = _fit(tmp_path)
    assert set(_left_out(history)) >= {"synthetic_images", "sample_maps"}
    assert history.latest("synthetic_images", "first") is None
    said = capsys.readouterr().out
    assert "the last snapshot leaves out " in said
    assert "synthetic_images, sample_maps (about " in said
    assert "budget=None records everything" in said


def test_what_was_left_out_can_be_added_after_the_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The log is then the one of a training without a bound, and the model is as it was."""
    everything = _fit(tmp_path / "everything", budget=None, verbose=0)
    model, (x, y) = network(channels=3), labeled()
    model.compile("adam", "sparse_categorical_crossentropy")
    own = CNNDiagnostics(tmp_path / "short", probe=(x, y))
    model.fit(x, y, batch_size=12, epochs=EPOCHS, verbose=0, callbacks=[own])
    before, iterations = model.get_weights(), int(model.optimizer.iterations)
    assert _left_out(_history(tmp_path / "short"))
    own.complete()
    assert all(np.array_equal(one, other) for one, other in zip(before, model.get_weights(), strict=True))
    assert int(model.optimizer.iterations) == iterations
    history = _history(tmp_path / "short")
    assert _left_out(history) == {}
    assert history.snapshots == EPOCHS + 1
    assert history.info is not None
    assert everything.info is not None
    names = {each.name for each in everything.info.diagnostics}
    assert {each.name for each in history.info.diagnostics} == names
    for path in ("first", "second"):
        made, wanted = (each.at_last_step("synthetic_images", path) for each in (history, everything))
        assert isinstance(made, Images)
        assert isinstance(wanted, Images)
        assert {image.unit for image in made.images} == {image.unit for image in wanted.images}
    assert isinstance(history.at_last_step("sample_maps"), SampleMaps)
    capsys.readouterr()
    size = sum(file.stat().st_size for file in (tmp_path / "short").rglob("*tfevents*"))
    own.complete()
    assert sum(file.stat().st_size for file in (tmp_path / "short").rglob("*tfevents*")) == size
    assert capsys.readouterr().out == ""


def test_only_the_end_of_a_training_can_be_completed(tmp_path: Path) -> None:
    model, (x, y) = network(channels=3), labeled()
    model.compile("adam", "sparse_categorical_crossentropy")
    own = CNNDiagnostics(tmp_path, probe=(x, y), verbose=0)
    with pytest.raises(ValueError, match="No such training exists"):
        own.complete()
    model.fit(x, y, batch_size=12, epochs=EPOCHS, verbose=0, callbacks=[own])
    weights = model.get_weights()
    model.fit(x, y, batch_size=12, epochs=1, verbose=0)
    with pytest.raises(ValueError, match="have changed since"):
        own.complete()
    assert _left_out(_history(tmp_path))
    model.set_weights(weights)
    own.complete()
    assert not _left_out(_history(tmp_path))


def test_the_end_of_a_loop_can_be_completed(tmp_path: Path) -> None:
    model, (x, y) = network(channels=3), labeled()
    model.compile("adam", "sparse_categorical_crossentropy")
    own = CNNDiagnostics(tmp_path, probe={"net": (x, y)}, verbose=0)
    with own.watch(net=model) as watched:
        for _ in range(EPOCHS):
            watched.step({"loss": float(model.train_on_batch(x, y))})
        with pytest.raises(ValueError, match="No such training exists"):
            own.complete()
    assert _left_out(_history(tmp_path))
    own.complete()
    assert not _left_out(_history(tmp_path))


def test_images_are_made_only_if_they_are_wanted(tmp_path: Path) -> None:
    some = _fit(tmp_path / "some", budget=None, verbose=0, diagnostics=["dead_units", "synthetic_images"])
    assert some.latest("synthetic_images", "first") is not None
    assert some.latest("sample_maps") is None
    private = _fit(tmp_path / "private", budget=None, verbose=0, images=False)
    assert private.latest("synthetic_images", "first") is not None
    assert private.latest("sample_maps") is None


@pytest.fixture
def slow(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[[float, float], list[float]]:
    """Make each layer and each map take so many seconds; returns the times at which a layer or the maps ended."""

    def set_to(layer: float, sample: float) -> list[float]:
        ends: list[float] = []
        make, explain = closing_images.synthetic, closing_images.sample_maps

        def synthetic(passes: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
            clock.pass_by(layer)
            yield from make(passes, *arguments, **options)
            ends.append(clock.now)

        def sample_maps(passes: Any, labels: Any, go_on: Callable[[], bool]) -> SampleMaps:
            def slowly() -> bool:
                allowed = go_on()
                clock.pass_by(sample * allowed)
                return allowed

            made = explain(passes, labels, slowly)
            ends.append(clock.now)
            return made

        monkeypatch.setattr(closing_images, "synthetic", synthetic)
        monkeypatch.setattr(closing_images, "sample_maps", sample_maps)
        return ends

    return set_to


class _Passing(keras.callbacks.Callback):  # type: ignore[misc]
    """Each epoch takes so many seconds of the clock, between its steps: a pass over the probe seems to take none."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._clock.pass_by(self._seconds)


@pytest.mark.parametrize("seconds", [32.0, 120.0, 400.0])
def test_the_time_that_is_left_is_kept(
    tmp_path: Path, clock: Clock, slow: Callable[..., list[float]], seconds: float,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Two layers of 1 s, and 11 images with 4 maps of 0.25 s each, in 5 % of the time of all epochs but one."""
    ends = slow(1.0, 0.25)
    history = _fit(tmp_path, _Passing(clock, seconds))
    assert ends
    assert clock.now - EPOCHS * seconds <= 0.05 * (EPOCHS - 1) * seconds
    left_out, said = _left_out(history), capsys.readouterr().out
    maps = history.at_last_step("sample_maps")
    assert isinstance(maps, SampleMaps)
    layers = [path for path in ("first", "second") if history.at_last_step("synthetic_images", path)]
    if seconds == 400:
        assert left_out == {}
        assert len(layers) == 2
        assert "leaves out" not in said
        return
    assert layers == (["first"] if seconds == 32 else ["first", "second"])
    assert ("synthetic_images" in left_out) == (seconds == 32)
    if seconds == 32:
        assert left_out["synthetic_images"] == pytest.approx(1.0 * 6 / 4)
        assert "the last snapshot leaves out 6 of 10 synthetic images" in said
    whole = sum(len(one.maps) == 4 for one in maps.chosen)
    assert ("sample_maps" in left_out) == (whole < 11) == (f"{11 - whole} of 11 images with maps" in said)


def test_each_has_its_share_of_the_time(tmp_path: Path, clock: Clock, slow: Callable[..., list[float]]) -> None:
    """Maps that never end take no time from the images, which come first or keep what they are expected to take."""
    slow(1.0, 1.0)
    history = _fit(tmp_path, _Passing(clock, 60.0), verbose=0)
    assert history.at_last_step("synthetic_images", "second") is not None
    maps = history.at_last_step("sample_maps")
    assert isinstance(maps, SampleMaps)
    assert 0 < len(maps.chosen) < 11


class _Broken(ClosingDiagnostic):
    noun = "broken things"
    described = (DiagnosticInfo("broken", "Broken", "Raises."),)

    def check(self, ended: Ended) -> None:
        return

    def expected(self, compiling: float, sample: float) -> float:
        return 0.0

    def make(self, ended: Ended) -> Iterator[Made]:
        raise RuntimeError("broken on purpose")


def test_a_failure_is_recorded_and_the_others_go_on(tmp_path: Path) -> None:
    with pytest.warns(DiagnosticsWarning, match="Making broken things failed") as caught:
        history = _fit(tmp_path, budget=None, verbose=0, diagnostics=[_Broken(), "dead_units", "sample_maps"])
    assert len([each for each in caught if issubclass(each.category, DiagnosticsWarning)]) == 1
    assert history.info is not None
    assert [note for note in history.info.notes if "RuntimeError: broken on purpose" in note]
    assert history.info.switched_off is None
    assert history.latest("sample_maps") is not None
    assert len(history.series("dead_units", "dead_ratio")) == EPOCHS + 1


def test_a_model_without_pictures_says_so_once(tmp_path: Path, rng: np.random.Generator) -> None:
    model = keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(3)])
    probe = rng.normal(size=(24, 5)).astype(np.float32), rng.integers(0, 3, 24)
    for budget in (None, 0.05):
        history = _fit(tmp_path / str(budget), model=model, probe=probe, budget=budget, verbose=0)
        assert history.info is not None
        (note,) = history.info.notes
        nouns = "densities of units, no synthetic images, no images with maps of why their class was predicted"
        assert note.startswith(f"No {nouns}: No input of")
        assert not {"synthetic_images", "sample_maps"} & set(_left_out(history))


def test_a_number_is_no_class(tmp_path: Path, rng: np.random.Generator) -> None:
    model = keras.Sequential(
        [keras.layers.Input((12, 12, 1)), keras.layers.Flatten(), keras.layers.Dense(4), keras.layers.Dense(1)]
    )
    model.compile("adam", "mse")
    x, y = rng.normal(size=(24, 12, 12, 1)).astype(np.float32), rng.normal(size=24)
    own = CNNDiagnostics(tmp_path, probe=(x, y), budget=None, verbose=0)
    model.fit(x, y, epochs=1, verbose=0, callbacks=[own])
    info = _history(tmp_path).info
    assert info is not None
    assert [note.partition(":")[0] for note in info.notes] == [
        "No synthetic images",
        "No images with maps of why their class was predicted",
    ]
    assert "the model has no convolution" in info.notes[0]
    assert "a number, not a class" in info.notes[1]


def test_an_interrupted_loop_ends_at_once(tmp_path: Path) -> None:
    model, (x, y) = network(channels=3), labeled()
    model.compile("adam", "sparse_categorical_crossentropy")

    def loop(name: str, *, fails: bool) -> History:
        own = CNNDiagnostics(tmp_path / name, probe={"net": (x, y)}, budget=None, verbose=0)
        with own.watch(net=model) as watched:
            model.train_on_batch(x, y)
            watched.step({"loss": 1.0})
            if fails:
                raise KeyboardInterrupt
        return _history(tmp_path / name)

    assert loop("whole", fails=False).latest("synthetic_images", "net/first") is not None
    with pytest.raises(KeyboardInterrupt):
        loop("interrupted", fails=True)
    assert _history(tmp_path / "interrupted").snapshots == 2
    assert _history(tmp_path / "interrupted").latest("synthetic_images", "net/first") is None


def test_an_audit_makes_them_within_its_time_limit(
    tmp_path: Path, clock: Clock, slow: Callable[..., list[float]]
) -> None:
    slow(3.0, 1.0)
    model, probe = network(channels=3), labeled()
    audit(model, probe, tmp_path / "whole", time_limit=None)
    assert _history(tmp_path / "whole").latest("synthetic_images", "second") is not None
    began = clock.now
    audit(model, probe, tmp_path / "limited", time_limit=8.0)
    assert clock.now - began <= 8.0
    history = _history(tmp_path / "limited")
    assert history.latest("synthetic_images", "first") is not None
    assert history.info is not None
    (note,) = history.info.notes
    assert note.startswith("The time limit of 8 s leaves out ")
    assert "--time-limit" in note


def test_findings_come_first_then_the_largest_clusters(rng: np.random.Generator) -> None:
    layers = Passes(network(channels=3), Inputs.of(labeled()[0])).layers[:2]
    history = History()
    assert selected_units(layers, history) == [(layers[0], [0, 1, 2, 3]), (layers[1], list(range(6)))]
    findings = [
        Finding(".", "redundant_filters", "second", "warning", 0, 0, "", units=((4, 5), (1, 2))),
        Finding(".", "dead_units", "second", "error", 0, 0, "", units=(3, 4, 99)),
    ]
    history.findings = tuple(findings)
    ((layer, units), (other, _)) = selected_units(layers, history)
    assert (layer.path, other.path) == ("second", "first")
    assert units == [4, 3, 5, 1]
    assert len(units) <= MOST_NAMED <= MOST_UNITS
    assert len(selected_units(layers * 9, history)) == MOST_LAYERS


def test_a_diagnostic_that_does_not_apply_raises_nothing(tmp_path: Path) -> None:
    class Unfit(_Broken):
        def make(self, ended: Ended) -> Iterator[Made]:
            raise NotApplicableError("the model is of another kind.")

    history = _fit(tmp_path, budget=None, verbose=0, diagnostics=[Unfit(), "dead_units"])
    assert history.info is not None
    assert history.info.notes == ("No broken things: the model is of another kind.",)
