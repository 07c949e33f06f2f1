"""docs/faults.md says what the classes say; ``python -m tests.judging.faults.test_docs`` writes it anew."""

from __future__ import annotations

from pathlib import Path

from tb_cnndiag.judging.faults import BUILTIN, Fault

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"
INTRODUCTION = """# Faults

What is judged, from the log alone, in the order in which one fault can cause another. `tb-cnndiag explain FAULT` prints
a page of this, `tb-cnndiag list` all limits. A finding is an `error` when the run is wasted, a `warning` when something
costs accuracy, time or memory, and an `info` when it may well be meant. This page is made from the code by
`python -m tests.judging.faults.test_docs`, its pictures by `python -m docs.fault_pictures` from trainings with one known fault.
"""


def page() -> str:
    """The page as it should be."""
    contents = "\n".join(f"- [{fault.title}](#{fault.title.lower().replace(' ', '-')})" for fault in BUILTIN)
    return "\n".join([INTRODUCTION, contents, *map(_section, BUILTIN)])


def _section(fault: type[Fault]) -> str:
    titles = {other.id: other.title.lower() for other in BUILTIN}
    causes = ", ".join(dict.fromkeys(titles[name] for name in fault.follows if name != fault.id))
    limits = fault.limits.items()
    lines = [
        f"\n## {fault.title}\n",
        f"`{fault.id}`, seen in *{fault.diagnostic}*.\n",
        f"![{fault.title} as the report shows it](images/faults/{fault.id}.webp)\n",
        f"{fault.what} {fault.why}\n",
        f"**What to do.** {fault.advice}\n",
        *([f"**It can follow from** {causes}.\n"] if causes else []),
        "| limit | default | unit | what it limits |",
        "|---|---|---|---|",
        *(f"| `{name}` | {limit.value:g} | {limit.unit} | {_escaped(limit.description)} |" for name, limit in limits),
        f"\nSource: {fault.source}\n",
    ]
    return "\n".join(lines)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


def test_the_page_is_in_step() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.judging.faults.test_docs`"


def test_each_fault_has_a_small_picture() -> None:
    pictures = PAGE.parent / "images" / "faults"
    assert {path.stem for path in pictures.iterdir()} == {fault.id for fault in BUILTIN}
    for path in pictures.iterdir():
        assert path.read_bytes()[8:12] == b"WEBP"
        assert path.stat().st_size <= 25_000, path


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
