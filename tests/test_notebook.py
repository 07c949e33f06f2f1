"""The tutorial as a notebook runs from its first cell to its last."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "examples" / "tutorial.ipynb"


def _printed(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.get("outputs", ()))


def test_the_tutorial_goes_from_a_faulty_training_to_a_cured_one(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "clear the outputs before committing"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    faulty, findings, *_, fixed = (_printed(cell) for cell in notebook.cells if _printed(cell))
    assert "All 32 units of conv2 are dead" in findings
    assert "conv2: bias_initializer: Constant → zeros" in findings
    assert "0 errors found" in fixed
    accuracies = [float(text.partition("validation accuracy ")[2].split("%")[0]) for text in (faulty, fixed)]
    assert accuracies[0] == pytest.approx(10, abs=3)
    assert accuracies[1] > 60
    assert (tmp_path / "report.html").stat().st_size > 100_000
