"""docs/faults.md is generated from the fault classes: ``python -m tests.judging.faults.test_docs``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tb_cnndiag.judging.causes import CAUSES
from tb_cnndiag.judging.faults import BUILTIN, Fault
from tb_cnndiag.judging.thresholds import SHARED, Limit

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"
INTRODUCTION = """# Faults

The faults that are judged, from the log alone, in the order in which one fault can cause another. `tb-cnndiag explain
FAULT` prints one section of this page, `tb-cnndiag list` all limits. A finding is an `error` if the run is wasted, a
`warning` if it costs accuracy, time or memory, and an `info` if it may be intended.

- **Prior loss**: the loss of the best constant prediction. For a cross-entropy it is the entropy of the class counts of
  the probe: ln K for K balanced classes. For a squared or absolute error it is the variance or the mean absolute
  deviation of the targets. Where it is unknown, losses are relative to the first loss.
- **Update-to-weight ratio**: ‖Δw‖/‖w‖ of one training step.
- **Gradient-to-weight ratio**, or relative gradient: ‖g‖/‖w‖.
- **Gain**: RMS output of a layer, relative to its RMS input; for independent inputs, RMS weight × √fan-in. The ideal
  gain keeps the scale of signals: √2 before ReLU and similar activations, 1 before other activations.
- **Predicted class share**: the share of samples predicted as the most frequently predicted class.
- **Number of epochs**: the first and the last included. Of a long epoch, 1,000 steps count as one; where no epoch has
  ended, 25 steps do. `snapshots` and `looks`, the former names of `epochs`, still work.
- **Origin** of a threshold: a publication, or *calibrated* on the trainings of `benchmarks/corpus`;
  `python -m benchmarks.calibrate` prints how many healthy ones cross it.

This page is generated from the code by `python -m tests.judging.faults.test_docs`, its pictures by
`python -m docs.fault_pictures` from trainings with one known fault.
"""

SHARED_WORDS = (
    "Ideas that several faults have in common, each with one threshold: `--limit shared.stuck=0.9` changes it in all "
    "of them,\n`--limit bad_init.stuck=0.9` in one. A fault may have another name for it, which its evidence shows."
)


def page() -> str:
    """The expected page."""
    contents = "\n".join(f"- [{fault.title}](#{fault.title.lower().replace(' ', '-')})" for fault in BUILTIN)
    return "\n".join([INTRODUCTION, contents, _shared(), *map(_section, BUILTIN)])


def _shared() -> str:
    return "\n".join(["\n## Shared thresholds\n", f"{SHARED_WORDS}\n", *_table(SHARED)]) + "\n"


def _table(limits: Mapping[str, Limit]) -> list[str]:
    return [
        "| limit | default | unit | meaning | origin |",
        "|---|---|---|---|---|",
        *(
            f"| `{name}` | {limit.value:g} | {limit.unit} | {_escaped(limit.description)} | {_escaped(limit.origin)} |"
            for name, limit in limits.items()
        ),
    ]


def _shared_of(fault: type[Fault]) -> list[str]:
    named = [
        f"`{limit.concept}`" + (f" (here `{name}`)" if name != limit.concept else "")
        for name, limit in fault.limits.items()
        if limit.concept
    ]
    return [f"\n[Shared thresholds](#shared-thresholds): {', '.join(named)}."] if named else []


def _section(fault: type[Fault]) -> str:
    titles = {other.id: other.title.lower() for other in BUILTIN}
    known = (cause.cause for cause in CAUSES.get(fault.id, ()) if cause.cause != fault.id)
    causes = ", ".join(dict.fromkeys(titles[name] for name in known if name in titles))
    own = {name: limit for name, limit in fault.limits.items() if not limit.concept}
    lines = [
        f"\n## {fault.title}\n",
        f"`{fault.id}`, shown in *{fault.diagnostic}*.\n",
        f"![{fault.title} in the report](images/faults/{fault.id}.webp)\n",
        f"{fault.what} {fault.why}\n",
        f"**What to do.** {fault.advice}\n",
        *([f"**Possible causes.** {causes[:1].upper()}{causes[1:]}.\n"] if causes else []),
        *(_table(own) if own else []),
        *_shared_of(fault),
        f"\nSource: {fault.source}\n",
    ]
    return "\n".join(lines)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.judging.faults.test_docs`"


def test_each_fault_has_a_small_picture() -> None:
    pictures = PAGE.parent / "images" / "faults"
    assert {path.stem for path in pictures.iterdir()} == {fault.id for fault in BUILTIN}
    for path in pictures.iterdir():
        assert path.read_bytes()[8:12] == b"WEBP"
        assert path.stat().st_size <= 25_000, path


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
