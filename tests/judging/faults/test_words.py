"""Each fault has a file of its own, all texts, and causes that exist."""

from __future__ import annotations

import importlib
import pkgutil

import tb_cnndiag.judging.faults
from tb_cnndiag.judging.faults import BUILTIN, Fault
from tb_cnndiag.judging.faults.before_training import OF_PREFLIGHT


def test_every_fault_file_is_registered_and_has_its_texts() -> None:
    kinds, modules = set(), set()
    for module in pkgutil.iter_modules(tb_cnndiag.judging.faults.__path__):
        if module.name == "before_training":  # the faults of preflight share a module
            continue
        modules.add(module.name)
        for value in vars(importlib.import_module(f"tb_cnndiag.judging.faults.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Fault) and value is not Fault:
                kinds.add(value)
                assert value.id == module.name
    assert kinds == set(BUILTIN)
    assert modules == {kind.id for kind in kinds} | {"base"}
    for kind in (*BUILTIN, *OF_PREFLIGHT):
        assert all(getattr(kind, words) for words in ("title", "what", "why", "advice", "source", "diagnostic"))
        assert set(kind.follows) <= {k.id for k in BUILTIN}


def test_descriptions_of_thresholds_are_sentences() -> None:
    for kind in BUILTIN:
        for name, limit in kind.limits.items():
            assert limit.description[:1].isupper(), (kind.id, name)
            assert limit.description.endswith("."), (kind.id, name)
