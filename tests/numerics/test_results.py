"""What is measured cannot be changed afterwards."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tb_cnndiag.numerics.activations import ActivationFacts
from tb_cnndiag.numerics.density import histogram
from tb_cnndiag.numerics.intervals import Interval
from tb_cnndiag.numerics.linkage import Width
from tb_cnndiag.numerics.pixel_intervals import Affine, identity
from tb_cnndiag.numerics.similarity import Twins
from tb_cnndiag.numerics.spectrum import PowerLaw


@pytest.mark.parametrize(
    "result",
    [
        ActivationFacts(),
        Affine(Fraction(1), Fraction(1), Fraction(0)),
        Interval.between(0, 1, 2),
        PowerLaw(2.0, 1.0, 0.1, 9),
        Twins(0.5, 0.0),
        Width(3, 0.1),
        histogram(np.arange(3.0)),
        identity(0, 3),
    ],
    ids=lambda each: type(each).__name__,
)
def test_results_cannot_be_changed(result: Any) -> None:
    for field in dataclasses.fields(result):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(result, field.name, None)
