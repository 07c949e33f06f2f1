"""Names on disk and in TensorBoard: directories, tags and plugin names."""

from __future__ import annotations

RUN_DIRECTORY = "cnndiag"
PLUGIN_NAME = "cnndiag"
# Heavy kinds (matrix, tree, density, images) have a separate plugin name, so a loader can keep fewer of them.
HEAVY_PLUGIN_NAME = "cnndiag_heavy"
PREFIX = "cnndiag/"
RUN_INFO = "run_info"
FINDINGS = "findings"
OVERHEAD = "overhead"
# Numbers of OVERHEAD whose names begin so: a diagnostic that the budget left out, and the seconds it would have taken.
LEFT_OUT = "left_out/"


def tag_of(diagnostic: str, layer: str = "") -> str:
    """Tag of a diagnostic's messages, for all layers or for one layer."""
    return f"{PREFIX}{diagnostic}/{layer}" if layer else f"{PREFIX}{diagnostic}"


def split_tag(tag: str) -> tuple[str, str] | None:
    """(diagnostic, layer path) of a tag of this plugin; None for any other tag. The path is empty for all layers."""
    if not tag.startswith(PREFIX):
        return None
    diagnostic, _, layer = tag[len(PREFIX) :].partition("/")
    return diagnostic, layer


def run_name(run: str) -> str:
    """Name of a run as findings use it: the directory that contains ``cnndiag/``; ``.`` for the logdir itself."""
    parent, _, last = run.rpartition("/")
    return (parent or ".") if last == RUN_DIRECTORY else run


def run_id(name: str) -> str:
    """Name that TensorBoard uses for a run, from the name that findings use."""
    return RUN_DIRECTORY if name == "." else f"{name}/{RUN_DIRECTORY}"
