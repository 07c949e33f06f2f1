"""Statistics of the probe's targets, checked against numbers calculated by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_cnndiag.capture.probe_samples import targets
from tb_cnndiag.payloads import Targets


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.array([0, 0, 3, 1]), Targets((), 0, 3, True, 1.5, 1.0)),
        (np.array([[1.0, 10], [3, 10]]), Targets((2,), 1, 10, True, 0.5, 0.5)),
        (np.array([[0.5, 0.5], [0.25, 0.75]]), Targets((2,), 0.25, 0.75, False, 0.015625, 0.125, distribution=True)),
        (np.array([[1, 1, 0], [0, 1, 0]]), Targets((3,), 0, 1, True, 1 / 12, 1 / 6)),
        ({"a": np.zeros(3), "b": np.zeros(3)}, None),
        (np.array([1.0, np.nan]), None),
        (np.array(["cat", "dog"]), None),
        (None, None),
    ],
)
def test_range_and_variation_of_targets(y: Any, expected: Targets | None) -> None:
    assert targets(y) == expected
