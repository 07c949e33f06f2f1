"""The versions that this package works with, tried out: ``python tests/matrix.py [--only NAME]``.

For each row an environment is made by pip with the pinned versions, then the wheel is installed into it. Checked is:

- *unchanged*: no version that was there is changed by the installation;
- *check*: ``tb-cnndiag check`` tells the findings of the demo's log;
- *serves*: ``tensorboard`` starts and the routes answer over that log;
- *goldens*: each message of the contract decodes, as protobuf tells it in JSON;
- *trains*, with TensorFlow: a short training with the callback finds a layer that is dead.

Prints a table in Markdown, as docs/compatibility.md has it, and exits with 1 when something does not work. The row of a
Python that this machine does not have says so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).parents[1]
SHOWN = ("tensorboard", "protobuf", "numpy", "tensorflow-cpu", "keras")
# TensorBoard up to 2.20 imports pkg_resources.
SETUPTOOLS = "setuptools<82"


@dataclass(frozen=True)
class Row:
    """One environment: a Python and what is installed before this package."""

    name: str
    python: str
    packages: tuple[str, ...]

    @property
    def trains(self) -> bool:
        """Whether TensorFlow is in it."""
        return any(package.startswith("tensorflow") for package in self.packages)


ROWS = (
    Row("oldest, without TensorFlow", "3.10", ("tensorboard==2.16.*", "protobuf==4.*", "numpy==1.26.*", SETUPTOOLS)),
    Row("2.18, protobuf 5", "3.11", ("tensorboard==2.18.*", "protobuf==5.*", "numpy==1.26.*", SETUPTOOLS)),
    Row("2.20, protobuf 6", "3.12", ("tensorboard==2.20.*", "protobuf==6.*", "numpy==2.*", SETUPTOOLS)),
    Row("newest, without TensorFlow", "3.13", ("tensorboard==2.21.*", "protobuf==7.*", "numpy==2.*")),
    Row(
        "oldest",
        "3.10",
        ("tensorflow-cpu==2.16.*", "tensorboard==2.16.*", "keras==3.3.3", "protobuf==4.*", "numpy==1.26.*", SETUPTOOLS),
    ),
    Row(
        "TensorFlow 2.18",
        "3.11",
        ("tensorflow-cpu==2.18.*", "tensorboard==2.18.*", "keras==3.6.*", "protobuf==5.*", "numpy==2.0.*", SETUPTOOLS),
    ),
    Row(
        "TensorFlow 2.20",
        "3.12",
        ("tensorflow-cpu==2.20.*", "tensorboard==2.20.*", "keras==3.11.*", "protobuf==6.*", "numpy==2.*", SETUPTOOLS),
    ),
    Row(
        "newest",
        "3.13",
        ("tensorflow-cpu==2.21.*", "tensorboard==2.21.*", "keras>=3.12", "protobuf==7.*", "numpy==2.*"),
    ),
)

GOLDENS = """
import json, pathlib, sys
from google.protobuf.json_format import MessageToDict
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec import decode
goldens = sorted(pathlib.Path(sys.argv[1]).glob("*.bin"))
assert len(goldens) >= 10
for path in goldens:
    assert decode(path.read_bytes()) is not None
    told = MessageToDict(pb.Measurement.FromString(path.read_bytes()), preserving_proto_field_name=True)
    assert told == json.loads(path.with_suffix(".json").read_text()), path
"""
TRAINING = """
import sys
import keras, numpy as np
from tb_cnndiag import CNNDiagnostics, diagnose
keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((12, 12, 1)),
    keras.layers.Conv2D(8, 3, activation="relu", name="first"),
    keras.layers.Conv2D(8, 3, activation="relu", bias_initializer=keras.initializers.Constant(-50.0), name="dead"),
    keras.layers.Flatten(),
    keras.layers.Dense(4, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
x = np.random.default_rng(1).normal(size=(256, 12, 12, 1)).astype("float32")
model.fit(x, np.arange(256) % 4, epochs=3, verbose=0, callbacks=[CNNDiagnostics(sys.argv[1], verbose=0)])
found = diagnose(sys.argv[1])
assert ("dead_units", "dead") in {(f.fault, f.layer) for f in found}, found
"""


class MatrixError(RuntimeError):
    """Something that was to work did not."""


def run(*command: object, code: int = 0, **options: Any) -> str:
    """Standard output of a command that ends with the code."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CI": "true"}
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment, **options)
    if done.returncode != code:
        raise MatrixError(
            f"{' '.join(words)[:300]}\nended with {done.returncode}\n{(done.stdout + done.stderr)[-1500:]}"
        )
    return done.stdout


def interpreter(version: str) -> Path | None:
    """A Python of this version: on the path, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = shutil.which(f"python{version}")
    for path in [*([Path(found)] if found else []), *sorted(pyenv.glob(f"{version}.*/bin/python"))]:
        told = subprocess.run(
            [path, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
        )
        if told.returncode == 0 and told.stdout.startswith(f"{version}."):
            return path
    return None


def versions(python: Path) -> dict[str, str]:
    listed = json.loads(run(python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"))
    return {package["name"].lower().replace("_", "-"): package["version"] for package in listed}


def serves(python: Path, log: Path, home: Path) -> None:
    """TensorBoard over the demo's log: runs, a measurement, the frontend, its own tab."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [python, "-m", "tensorboard.main", "--logdir", log, "--port", str(port)]
    output = (home / "tensorboard.log").open("wb")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(command, stdout=output, stderr=output, cwd=home, env=environment)
    try:
        url = f"http://127.0.0.1:{port}/data"
        runs = _runs(f"{url}/plugin/cnndiag/runs", home / "tensorboard.log")
        asked = urlencode({"run": runs[0]["id"], "tag": "cnndiag/dead_units"})
        for path in (f"measurements?{asked}", "static/index.js"):
            with urllib.request.urlopen(f"{url}/plugin/cnndiag/{path}", timeout=30) as answer:
                if len(answer.read()) < 100:
                    raise MatrixError(f"{path} is all but empty")
        with urllib.request.urlopen(f"{url}/plugins_listing", timeout=30) as answer:
            listing = json.load(answer)
        if not (listing["cnndiag"]["enabled"] and listing["scalars"]["enabled"]):
            raise MatrixError("a tab is missing")
    finally:
        process.terminate()
        process.wait()
        output.close()


def _runs(url: str, log: Path) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                runs = json.load(answer)["runs"]
            if [run["run"] for run in runs] == ["faulty", "healthy"]:
                return list(runs)
        except OSError:
            pass
        time.sleep(0.5)
    raise MatrixError(f"the runs did not come: {log.read_text(errors='replace')[-1500:]}")


def tried(row: Row, python: Path, wheel: Path, log: Path, home: Path) -> tuple[dict[str, str], dict[str, str]]:
    """(what was installed, outcome by check) of one row."""
    run(python, "-m", "venv", home / "env")
    inside = home / "env" / "bin" / "python"
    pip = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    outcome: dict[str, str] = {}
    try:
        run(*pip, *row.packages)
        before = versions(inside)
        run(*pip, wheel)
    except MatrixError as error:
        return {}, {"unchanged": f"cannot be installed: {error}"}
    after = versions(inside)
    changed = [name for name, version in before.items() if after.get(name) != version]
    outcome["unchanged"] = f"changed: {', '.join(changed)}" if changed else "✓"

    def check() -> None:
        told = run(home / "env" / "bin" / "tb-cnndiag", "check", log, code=1, cwd=home)
        if "conv2: all 32 units never fire" not in told:
            raise MatrixError(told)

    checks = {
        "check": check,
        "serves": lambda: serves(inside, log, home),
        "goldens": lambda: run(inside, "-c", GOLDENS, ROOT / "summaries" / "golden", cwd=home),
    }
    if row.trains:
        checks["trains"] = lambda: run(inside, "-W", "error::UserWarning:tb_cnndiag", "-c", TRAINING, "log", cwd=home)
    for name, act in checks.items():
        try:
            act()
            outcome[name] = "✓"
        except (MatrixError, OSError, KeyError) as error:
            outcome[name] = f"failed: {error}"
    return after, outcome


def artifacts(home: Path) -> tuple[Path, Path]:
    """(wheel, log of the demo), both made anew."""
    skip = shutil.ignore_patterns(".git", ".venv", "node_modules", "__pycache__", "build", "*.egg-info", ".*_cache")
    shutil.copytree(ROOT, home / "tree", ignore=skip)
    run(
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--skip-dependency-check",
        "--wheel",
        "--outdir",
        home / "dist",
        home / "tree",
    )
    (wheel,) = (home / "dist").glob("*.whl")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tb_cnndiag.cli", "demo", str(home / "log"), "--no-serve"]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return wheel, home / "log"


def table(results: list[tuple[Row, dict[str, str], dict[str, str]]]) -> Iterator[str]:
    """The results in Markdown."""
    checks = ("unchanged", "check", "serves", "goldens", "trains")
    yield f"| Python | {' | '.join(SHOWN)} | {' | '.join(checks)} |"
    yield "| --- " * (1 + len(SHOWN) + len(checks)) + "|"
    for row, installed, outcome in results:
        told = [outcome.get(name, "–").partition(":")[0] for name in checks]
        yield f"| {row.python} | {' | '.join(installed.get(name, '–') for name in SHOWN)} | {' | '.join(told)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description="Try out the versions that this package works with.")
    parser.add_argument("--only", action="append", metavar="NAME", help=f"of: {', '.join(row.name for row in ROWS)}")
    options = parser.parse_args()
    rows = [row for row in ROWS if not options.only or row.name in options.only]
    results, failed = [], False
    with tempfile.TemporaryDirectory() as name:
        wheel, log = artifacts(Path(name))
        for number, row in enumerate(rows):
            python = interpreter(row.python)
            home = Path(name, str(number))
            home.mkdir()
            found = tried(row, python, wheel, log, home) if python else ({}, {"unchanged": "no such Python here"})
            results.append((row, *found))
            for what, told in found[1].items():
                print(f"{row.name}: {what}: {told}", flush=True)
                failed |= told != "✓" and python is not None
            shutil.rmtree(home)
    print("\n" + "\n".join(table(results)))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
