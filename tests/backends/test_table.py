"""The table of docs/backends.md has no empty cell, a reason for each "no", and names tests that exist."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "backends.md"


def test_the_table_is_complete() -> None:
    _, section, *_ = PAGE.read_text(encoding="utf-8").split("\n## ")
    rows = [line.strip("|").split("|") for line in section.splitlines() if line[:2] == "| "]
    header, *rows = [[cell.strip() for cell in row] for row in rows]
    assert header == ["Feature", "TensorFlow", "JAX", "torch", "Test"]
    rows = [row for row in rows if set(row[0]) != {"-"}]
    assert len(rows) > 10
    for row in rows:
        assert len(row) == len(header), row
        assert all(row), row
        for cell in row[1:4]:
            assert not cell.startswith("no") or ":" in cell, f"{row[0]}: {cell!r} gives no reason"
        module, _, name = row[4].strip("`").partition("::")
        assert f"def {name}(" in (HERE / module).read_text(encoding="utf-8"), row[4]
