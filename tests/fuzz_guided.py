"""Coverage-guided fuzzing (atheris) of messages, of event files, and of judging their content.

Run ``make fuzz SECONDS=60``, or ``python -m tests.fuzz_guided message|file|judgment [libFuzzer options]``. If an input
raises an undocumented error, the run fails and saves the input. ``test_fuzz.py`` has all other fuzz tests.
"""

from __future__ import annotations

import io
import itertools
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tb_cnndiag"]):
    from tb_cnndiag.history import History, HistoryError
    from tb_cnndiag.judging.judge import judge
    from tb_cnndiag.summaries.codec import CodecError, Measurement, decode
    from tb_cnndiag.summaries.records import frame, read_records

GOLDEN = Path(__file__).parents[1] / "summaries" / "golden"
# An input for judging is a sequence of messages. The length of each message, in two bytes, comes before it.
LENGTH = 2


def message(data: bytes) -> None:
    """Decode or reject one message."""
    _decoded(data)


def file(data: bytes) -> None:
    """Read one event file, or report its damage."""
    for _ in read_records(io.BytesIO(data), len(data)):
        pass


def judgment(data: bytes) -> None:
    """Judge a log of several messages, unless it is too large."""
    history, stream = History(), io.BytesIO(data)
    while size := int.from_bytes(stream.read(LENGTH), "little"):
        measurement = _decoded(stream.read(size))
        if measurement is not None:
            history.add(measurement)
    try:
        judge(history)
    except HistoryError:
        return


def _decoded(data: bytes) -> Measurement | None:
    try:
        return decode(data)
    except CodecError:
        return None


TARGETS: dict[str, Callable[[bytes], None]] = {"message": message, "file": file, "judgment": judgment}


def main() -> None:
    """Fuzz one target, starting from the golden files."""
    name, *options = sys.argv[1:]
    # An error in a rule only causes a warning, so that other rules still run. Here the warning is an error.
    warnings.filterwarnings("ignore")
    warnings.filterwarnings("error", "The fault .* could not be judged")
    goldens = [path.read_bytes() for path in sorted(GOLDEN.glob("*.bin"))]
    with tempfile.TemporaryDirectory() as corpus:
        for number, example in enumerate(_seeds(name, goldens)):
            Path(corpus, str(number)).write_bytes(example)
        atheris.Setup([sys.argv[0], "-rss_limit_mb=2048", "-timeout=10", *options, corpus], TARGETS[name])
        atheris.Fuzz()


def _seeds(name: str, goldens: list[bytes]) -> list[bytes]:
    if name == "message":
        return goldens
    if name == "file":
        return [frame(example) for example in goldens] + [b"".join(map(frame, goldens))]
    pairs = itertools.permutations([len(g).to_bytes(LENGTH, "little") + g for g in goldens], 2)
    return [b"".join(pair) for pair in pairs]


if __name__ == "__main__":
    main()
