"""The contract of every diagnostic: a name, a description for the user, and only the columns that it declares."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import tb_cnndiag.diagnostics
from tb_cnndiag.diagnostics import BUILTIN as ALWAYS
from tb_cnndiag.diagnostics import OF_AUDITS, LayerDiagnostic
from tests.diagnostics.helpers import filters, layer_snapshot

FOLDER = Path(tb_cnndiag.diagnostics.__file__).parent
BUILTIN = (*ALWAYS, *OF_AUDITS)
SAMPLES, UNITS = 40, 24
NOT_DIAGNOSTICS = {"__init__", "base", "filter_tree"}

by_name = pytest.mark.parametrize("diagnostic", BUILTIN, ids=lambda diagnostic: diagnostic.name)


@pytest.fixture
def full_snapshot(rng):
    """An output layer for which all data was captured."""
    per_sample = np.abs(rng.normal(size=(SAMPLES, UNITS))).astype(np.float32)
    per_unit = np.abs(rng.normal(size=UNITS)).astype(np.float32)
    return layer_snapshot(
        "relu",
        is_output=True,
        kernel_shape=(3, 3, 3, UNITS),
        kernel=filters(UNITS),
        activation_sample=per_sample.ravel(),
        **dict.fromkeys(("sample_max", "sample_mean", "output"), per_sample),
        **dict.fromkeys(("bias", "norm_scale", "unit_mean", "unit_mean_abs", "unit_saturated"), per_unit),
        **dict.fromkeys(("batch_mean_shift", "batch_variance_ratio"), per_unit),
        **dict.fromkeys(("input_mean", "input_std", "input_min", "input_max"), per_unit[:3]),
        feature_map=per_sample[:2, :, None, None],
        pictured_units=np.zeros(1),
        input_picture=per_sample[:2, :, None, None],
        input_constant=np.zeros(SAMPLES),
        labels=np.arange(SAMPLES) % 4,
        peaks=rng.uniform(size=(UNITS, 9, 3)),
        searched=SAMPLES,
        image=rng.uniform(size=(3, 8, 6, 3)),
        **dict.fromkeys(("output_diversity", "input_diversity"), 0.5),
        samples=SAMPLES,
        positions=1,
        **dict.fromkeys(("gradient_norm", "gradient_rms", "update_norm"), 0.1),
        chunk_gradient_norms=np.array([1.0, 2.0]),
        mean_gradient_norm=1.2,
        gradient_zero_share=0.1,
        gradient_steps=5,
        gradient_non_finite_steps=0,
        called=1.0,
    )


@by_name
def test_the_name_is_the_file_name(diagnostic):
    assert diagnostic.__module__.endswith("." + diagnostic.name)


def test_every_file_is_registered():
    assert {path.stem for path in FOLDER.glob("*.py")} - NOT_DIAGNOSTICS == {d.name for d in BUILTIN}


@by_name
def test_the_description_has_two_sentences(diagnostic):
    assert len(re.findall(r"\.(?: |$)", diagnostic.description)) == 2
    assert all(column.title and column.description.endswith(".") and column.unit for column in diagnostic.columns)


@pytest.mark.parametrize("diagnostic", [d for d in BUILTIN if issubclass(d, LayerDiagnostic)], ids=lambda d: d.name)
def test_only_declared_columns_are_measured_and_the_data_is_not_changed(diagnostic, full_snapshot):
    assert set(diagnostic.needs) <= full_snapshot.data.keys()
    before = {name: values.copy() for name, values in full_snapshot.data.items()}
    result = diagnostic().measure(full_snapshot)
    assert result.values.keys() <= {column.name for column in diagnostic.columns}
    assert (result.payload is not None) == bool(diagnostic.layer_kind)
    for name, values in full_snapshot.data.items():
        np.testing.assert_array_equal(values, before[name])
