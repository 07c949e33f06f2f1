"""A warning shows the user's line, never one of ours."""

from __future__ import annotations

import inspect
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.warning import DiagnosticsWarning, warn
from tests.models import compiled, images, plain


def test_a_finding_is_shown_at_the_line_that_calls_fit(tmp_path: Path, rng: np.random.Generator) -> None:
    model = plain()
    model.get_layer("conv_a").bias.assign(np.full(6, -50.0))
    x, y = images(rng)
    callback = CNNDiagnostics(tmp_path, probe=x)
    compiled(model)
    frame = inspect.currentframe()
    assert frame is not None
    with pytest.warns(DiagnosticsWarning) as caught:
        model.fit(x, y, epochs=3, verbose=0, callbacks=[callback])
    line = frame.f_lineno - 1
    found = [each for each in caught if issubclass(each.category, DiagnosticsWarning)]
    assert found
    assert {(each.filename, each.lineno) for each in found} == {(__file__, line)}
    for each in found:
        shown = warnings.formatwarning(each.message, each.category, each.filename, each.lineno)
        assert shown.count("arning: ") == 1
        assert "model.fit(" in shown


def test_without_a_users_line_none_is_shown() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread = threading.Thread(target=warn, args=["from a thread"])
        thread.start()
        thread.join()
    assert [(each.filename, each.lineno) for each in caught] == [("tb_cnndiag", 0)]
