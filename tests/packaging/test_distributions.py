"""The wheel and the sdist, in fresh environments: they carry the frontend and change nothing that is installed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import matrix

pytestmark = pytest.mark.packaging
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True, scope="session")
def _alone() -> Iterator[None]:
    """What a path of the developer's adds would be found in the new environments too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONPATH", raising=False)
        yield


def _run(*command: object, **options: object) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return str(done.stdout)


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(wheel, sdist) of a copy of the tree, made as a release is: the wheel from the sdist."""
    copy = tmp_path_factory.mktemp("source") / "tree"
    skip = shutil.ignore_patterns(
        ".git", ".venv*", "node_modules", "__pycache__", "logs", "build", "*.egg-info", ".*_cache", ".hypothesis"
    )
    shutil.copytree(ROOT, copy, ignore=skip)
    target = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", target, copy)
    (sdist,) = target.glob("*.tar.gz")
    shutil.unpack_archive(sdist, target / "unpacked")
    (unpacked,) = (target / "unpacked").iterdir()
    # Without npm in reach: what the sdist carries must be enough.
    environment = {**os.environ, "npm_config_registry": "http://127.0.0.1:9"}
    _run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", target, unpacked, env=environment)
    (wheel,) = target.glob("*.whl")
    return wheel, sdist


def test_both_carry_the_frontend_and_the_contract(distributions: tuple[Path, Path]) -> None:
    wheel, sdist = distributions
    names = zipfile.ZipFile(wheel).namelist()
    assert {"tb_cnndiag/plugin/static/index.js", "tb_cnndiag/py.typed", "tb_cnndiag/summaries/cnndiag_pb2.py"} <= set(
        names
    )
    assert not [name for name in names if name.startswith(("tests/", "frontend/", "benchmarks/"))]
    with tarfile.open(sdist) as archive:
        inside = archive.getnames()
    for name in ("tb_cnndiag/plugin/static/index.js", "summaries/cnndiag.proto", "LICENSE", "tests/conftest.py"):
        assert any(path.endswith(f"/{name}") for path in inside), name
    assert not [path for path in inside if "node_modules" in path]
    _run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)


def test_the_wheel_works_in_an_environment_without_tensorflow(
    distributions: tuple[Path, Path], demo_logdir: Path, tmp_path: Path
) -> None:
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    _run(python, "-m", "pip", "install", "--quiet", "tensorboard>=2.16", "numpy", "scipy")
    before = {p["name"]: p["version"] for p in json.loads(_run(python, "-m", "pip", "list", "--format", "json"))}
    _run(python, "-m", "pip", "install", "--quiet", distributions[0])
    after = {p["name"]: p["version"] for p in json.loads(_run(python, "-m", "pip", "list", "--format", "json"))}
    assert "tensorflow" not in after
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"tb-cnndiag", "google-crc32c", "Jinja2", "threadpoolctl"}

    checked = subprocess.run(
        [home / "bin" / "tb-cnndiag", "check", demo_logdir], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert checked.returncode == 1, checked.stderr
    assert "All 32 units of conv2 are dead" in checked.stdout
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [python, "-m", "tensorboard.main", "--logdir", demo_logdir, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    try:
        url = f"http://127.0.0.1:{port}/data/plugin/cnndiag"
        runs = _when_ready(f"{url}/runs")
        assert [run["run"] for run in json.loads(runs)["runs"]] == ["faulty", "healthy"]
        assert b"render" in urllib.request.urlopen(f"{url}/static/index.js", timeout=30).read()
    finally:
        server.terminate()
        server.wait()


def test_the_oldest_versions(distributions: tuple[Path, Path], demo_logdir: Path, tmp_path: Path) -> None:
    """One end of ``make matrix``; the test above is the other. Those with TensorFlow take minutes."""
    oldest = matrix.ENVIRONMENTS[0]
    python = matrix.interpreter(oldest.python)
    if python is None:
        pytest.skip(f"there is no Python {oldest.python} here")
    installed, outcome = matrix.run_checks(oldest, python, distributions[0], demo_logdir, tmp_path)
    assert set(outcome.values()) == {"✓"}, outcome
    assert installed["tensorboard"].startswith("2.16")


def _when_ready(url: str) -> bytes:
    deadline = time.monotonic() + 90
    while True:
        try:
            data = urllib.request.urlopen(url, timeout=30).read()
            if b"healthy" in data or time.monotonic() > deadline:
                return bytes(data)
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)
