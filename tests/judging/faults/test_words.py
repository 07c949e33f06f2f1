"""Each fault has a file, words and a known place among the others."""

from __future__ import annotations

import importlib
import pkgutil

import tb_cnndiag.judging.faults
from tb_cnndiag.judging.faults import BUILTIN, Fault


def test_every_fault_file_is_registered_and_has_its_words() -> None:
    kinds = set()
    for module in pkgutil.iter_modules(tb_cnndiag.judging.faults.__path__):
        for value in vars(importlib.import_module(f"tb_cnndiag.judging.faults.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Fault) and value is not Fault:
                kinds.add(value)
                assert value.id == module.name
    assert kinds == set(BUILTIN)
    for kind in BUILTIN:
        assert all(getattr(kind, words) for words in ("title", "what", "why", "advice", "source", "diagnostic"))
        assert set(kind.follows) <= {k.id for k in BUILTIN}
