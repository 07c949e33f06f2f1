"""Tests the package with different versions of its dependencies: ``python tests/matrix.py [--only NAME]``.

For each row, pip creates an environment with the pinned versions, then installs the wheel into it. The checks are:

- *unchanged*: installing the wheel does not change any installed version;
- *check*: ``tb-cnndiag check`` reports the findings of the demo's log;
- *serves*: ``tensorboard`` starts and serves the routes for that log;
- *goldens*: each golden message of the contract can be decoded, and protobuf gives the same JSON;
- *trains*, with TensorFlow or JAX: a short training with the callback finds a dead layer.

The script prints the Markdown table of docs/compatibility.md. The exit code is 1 if a check fails. A row whose Python
version is not installed is reported as such.
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
SHOWN = ("tensorboard", "protobuf", "numpy", "tensorflow-cpu", "jax", "keras")
# TensorBoard 2.20 and earlier import pkg_resources.
SETUPTOOLS = "setuptools<82"


@dataclass(frozen=True)
class Row:
    """One environment: a Python version and the packages installed before this package."""

    name: str
    python: str
    packages: tuple[str, ...]

    @property
    def trains(self) -> bool:
        """Whether it includes a backend of Keras."""
        return any(package.startswith("tensorflow") for package in self.packages) or self.backend == "jax"

    @property
    def backend(self) -> str:
        """The backend that it trains on."""
        return "jax" if any(package.startswith("jax") for package in self.packages) else "tensorflow"


ENVIRONMENTS = (
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
    Row("oldest JAX", "3.11", ("jax==0.4.35", "jaxlib==0.4.35", "keras==3.15.*", "tensorboard==2.21.*")),
    Row("newest JAX", "3.12", ("jax", "keras>=3.12", "tensorboard==2.21.*")),
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
    plain = MessageToDict(pb.Measurement.FromString(path.read_bytes()), preserving_proto_field_name=True)
    assert plain == json.loads(path.with_suffix(".json").read_text()), path
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
model.fit(x, np.arange(256) % 4, epochs=3, verbose=0, callbacks=[CNNDiagnostics(sys.argv[1], budget=None, verbose=0)])
findings = diagnose(sys.argv[1])
assert ("dead_units", "dead") in {(f.fault, f.layer) for f in findings}, findings
"""


class MatrixError(RuntimeError):
    """A check that failed."""


def run(*command: object, code: int = 0, backend: str = "tensorflow", **options: Any) -> str:
    """Standard output of a command.

    Raises:
        MatrixError: If the exit code is not ``code``.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CI": "true", "KERAS_BACKEND": backend}
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment, **options)
    if done.returncode != code:
        raise MatrixError(
            f"{' '.join(words)[:300]}\nexit code {done.returncode}\n{(done.stdout + done.stderr)[-1500:]}"
        )
    return done.stdout


def interpreter(version: str) -> Path | None:
    """A Python of this version, from the path or from pyenv; None if it is not installed."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = shutil.which(f"python{version}")
    for path in [*([Path(found)] if found else []), *sorted(pyenv.glob(f"{version}.*/bin/python"))]:
        done = subprocess.run(
            [path, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
        )
        if done.returncode == 0 and done.stdout.startswith(f"{version}."):
            return path
    return None


def versions(python: Path) -> dict[str, str]:
    listed = json.loads(run(python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"))
    return {package["name"].lower().replace("_", "-"): package["version"] for package in listed}


def serves(python: Path, log: Path, home: Path) -> None:
    """Check that TensorBoard serves the demo's log: runs, a measurement, the frontend and the tabs."""
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
        query = urlencode({"run": runs[0]["id"], "tag": "cnndiag/dead_units"})
        for path in (f"measurements?{query}", "static/index.js"):
            with urllib.request.urlopen(f"{url}/plugin/cnndiag/{path}", timeout=30) as response:
                if len(response.read()) < 100:
                    raise MatrixError(f"{path} is almost empty")
        with urllib.request.urlopen(f"{url}/plugins_listing", timeout=30) as response:
            listing = json.load(response)
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
            with urllib.request.urlopen(url, timeout=30) as response:
                runs = json.load(response)["runs"]
            if [run["run"] for run in runs] == ["faulty", "healthy"]:
                return list(runs)
        except OSError:
            pass
        time.sleep(0.5)
    raise MatrixError(f"the runs did not appear: {log.read_text(errors='replace')[-1500:]}")


def run_checks(row: Row, python: Path, wheel: Path, log: Path, home: Path) -> tuple[dict[str, str], dict[str, str]]:
    """(installed versions, outcome by check) of one row."""
    run(python, "-m", "venv", home / "env")
    env_python = home / "env" / "bin" / "python"
    pip = [env_python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    outcome: dict[str, str] = {}
    try:
        run(*pip, *row.packages)
        before = versions(env_python)
        run(*pip, wheel)
    except MatrixError as error:
        return {}, {"unchanged": f"cannot be installed: {error}"}
    after = versions(env_python)
    changed = [name for name, version in before.items() if after.get(name) != version]
    outcome["unchanged"] = f"changed: {', '.join(changed)}" if changed else "✓"

    def check() -> None:
        output = run(home / "env" / "bin" / "tb-cnndiag", "check", log, code=1, cwd=home)
        if "All 32 units of conv2 are dead" not in output:
            raise MatrixError(output)

    checks = {
        "check": check,
        "serves": lambda: serves(env_python, log, home),
        "goldens": lambda: run(env_python, "-c", GOLDENS, ROOT / "summaries" / "golden", cwd=home),
    }
    if row.trains:
        checks["trains"] = lambda: run(
            env_python, "-W", "error::UserWarning:tb_cnndiag", "-c", TRAINING, "log", cwd=home, backend=row.backend
        )
    for name, check_one in checks.items():
        try:
            check_one()
            outcome[name] = "✓"
        except (MatrixError, OSError, KeyError) as error:
            outcome[name] = f"failed: {error}"
    return after, outcome


def artifacts(home: Path) -> tuple[Path, Path]:
    """(wheel, log of the demo), both newly built."""
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
        outcomes = [outcome.get(name, "–").partition(":")[0] for name in checks]
        yield f"| {row.python} | {' | '.join(installed.get(name, '–') for name in SHOWN)} | {' | '.join(outcomes)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description="Test the package with different versions of its dependencies.")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help=f"test only this row (repeatable): {', '.join(row.name for row in ENVIRONMENTS)}",
    )
    options = parser.parse_args()
    rows = [row for row in ENVIRONMENTS if not options.only or row.name in options.only]
    results, failed = [], False
    with tempfile.TemporaryDirectory() as name:
        wheel, log = artifacts(Path(name))
        for number, row in enumerate(rows):
            python = interpreter(row.python)
            home = Path(name, str(number))
            home.mkdir()
            if python:
                installed, outcome = run_checks(row, python, wheel, log, home)
            else:
                installed, outcome = {}, {"unchanged": f"Python {row.python} is not installed"}
            results.append((row, installed, outcome))
            for check, result in outcome.items():
                print(f"{row.name}: {check}: {result}", flush=True)
                failed |= result != "✓" and python is not None
            shutil.rmtree(home)
    print("\n" + "\n".join(table(results)))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
