"""One network with the same weights and data gives the same measures on each backend."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.backends.numbers import NETWORKS, REFERENCE, measured

# Relative and absolute tolerance. Sums are made in another order on each backend, in float32.
RELATIVE, ABSOLUTE = 1e-3, 1e-5


@pytest.mark.parametrize("network", NETWORKS)
def test_all_columns_are_those_of_the_reference(network: str, tmp_path: Path) -> None:
    expected = json.loads(REFERENCE.read_text())[network]
    found = measured(network, tmp_path)
    assert sorted(found) == sorted(expected)
    different = {}
    for name, values in expected.items():
        wanted = np.array([np.nan if value is None else value for value in values])
        if not np.allclose(found[name], wanted, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True):
            different[name] = (found[name], values)
    assert not different
