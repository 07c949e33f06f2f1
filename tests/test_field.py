"""The benchmark of published programs: its edits, its stand-ins, its halves and its cases, without any checkout."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks.field.arrays import LOADERS, imdb
from benchmarks.field.case import FieldCase
from benchmarks.field.program import AbsentError, EditError, Program, Source, numbers, programs
from benchmarks.field.reading import uncovered
from benchmarks.field.rounds import ROUNDS
from benchmarks.field.symptoms import settled
from benchmarks.field.table import traces
from benchmarks.field.trainings import Trainings
from tb_cnndiag.history import History
from tb_cnndiag.summaries.reader import read_run
from tests.models import compiled, images, plain

HALVES = {"dl-mnist": "open", "tf-beginner": "set-aside", "gd-gpt": "open", "kh-bert": "set-aside"}


@pytest.fixture
def notebook(tmp_path: Path) -> Program:
    cells = ["a = 1", "!pip install x\n%matplotlib inline\nb = 2\nc = b % 2", "raise SystemExit"]
    content = {"cells": [{"cell_type": "code", "source": [cell]} for cell in cells]}
    checkout = tmp_path / "book"
    checkout.mkdir()
    (checkout / "chapter.ipynb").write_text(json.dumps(content))
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "."]):
        subprocess.run(["git", *words], cwd=checkout, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, check=True, capture_output=True, text=True)
    source = Source("book", "https://example.org/book", head.stdout.strip(), "MIT")
    return Program("p", source, "chapter.ipynb", "1,0", (("b = 2", "b = 3"),), "x = 0", "d = 4")


def test_a_program_is_its_cells_after_the_edits(notebook: Program, tmp_path: Path) -> None:
    assert notebook.text(tmp_path) == "x = 0\nb = 3\nc = b % 2\na = 1\nd = 4"
    assert numbers("1-3,7") == [1, 2, 3, 7]
    with pytest.raises(EditError, match="nothing matches 'b = 9'"):
        replace(notebook, edits=(("b = 9", ""),)).text(tmp_path)


def test_a_checkout_that_is_not_there_is_absent(notebook: Program, tmp_path: Path) -> None:
    with pytest.raises(AbsentError, match="no checkout book"):
        notebook.text(tmp_path / "elsewhere")
    with pytest.raises(AbsentError):
        replace(notebook, path="other.ipynb").text(tmp_path)


def test_halves_and_cases_are_what_was_fixed() -> None:
    names = [program.id for program in programs()]
    assert len(set(names)) == len(names) >= 40
    assert {name: half for name, half in ((p.id, p.half) for p in programs()) if name in HALVES} == HALVES
    halves = {program.id: program.half for program in programs()}
    assert all(halves.get(case.program.id, "set-aside") == "set-aside" for case in ROUNDS["fifth"]())
    for cases in ROUNDS.values():
        assert sum(case.fault is None for case in cases()) >= 24
        assert sum(case.fault is not None for case in cases()) >= 24
        assert 3 * sum(bool(case.update_freq) for case in cases()) >= len(cases())


def test_no_two_rounds_have_a_program_or_the_name_of_a_case_in_common() -> None:
    names = [case.name for cases in ROUNDS.values() for case in cases()]
    assert len(set(names)) == len(names)
    fifth, sixth = ({case.program.id for case in cases()} for cases in ROUNDS.values())
    assert not fifth & sixth


@pytest.mark.parametrize("cases", ROUNDS.values(), ids=ROUNDS)
def test_programs_of_our_own_are_edited_as_meant(cases: Callable[[], Sequence[FieldCase]], tmp_path: Path) -> None:
    for case in cases():
        if case.program.source is None:
            compile(case.program.text(tmp_path), case.name, "exec")


@pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader.__name__)
def test_stand_ins_have_the_shapes_of_the_originals(loader: object) -> None:
    original = {"mnist": (28, 28), "fashion_mnist": (28, 28), "cifar10": (32, 32, 3), "cifar100": (32, 32, 3)}
    (x, y), (xv, yv) = loader(200, 60)  # type: ignore[operator]
    assert len(x) == len(y) >= 200
    assert len(xv) == len(yv) >= 60
    if loader.__name__ in original:  # type: ignore[attr-defined]
        assert x.shape[1:] == original[loader.__name__]  # type: ignore[attr-defined]
        assert (x.dtype, y.dtype) == (np.uint8, np.uint8)
    if loader is imdb:
        assert max(map(max, x)) < 10000


def test_the_callback_is_added_and_changes_nothing(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng)
    results = []
    original = keras.Model.fit
    try:
        for log in (None, tmp_path):
            keras.Model.fit = original
            keras.utils.set_random_seed(1)
            trainings = Trainings(log, epochs=2)
            trainings.install()
            model = compiled(plain())
            model.fit(x, y, epochs=7, verbose=0)
            results.append(trainings)
    finally:
        keras.Model.fit = original
    bare, watched = (
        {"trainings": [{"weights": t.weights(), "history": t.history} for t in each.all]} for each in results
    )
    assert traces(bare) == traces(watched)
    assert len(results[1].all[0].history["loss"]) == 2
    info = History.of(read_run(tmp_path / "0" / "cnndiag")).info
    assert info is not None
    assert uncovered(results[1].all[0].matrices(), info) == ([], [])
    assert uncovered([("model/other/kernel", (2, 3, 4))], info)[0] == ["model/other/kernel (2, 3, 4)"]


def test_a_loss_that_still_falls_has_not_settled() -> None:
    assert settled({"loss": [1.0, 0.3, 0.2, 0.15, 0.14, 0.13, 0.125, 0.12]})
    assert not settled({"loss": [1.0, 0.9, 0.8, 0.7]})
    assert not settled({"loss": [1.0, 0.1]})
