"""Generates the Python and TypeScript code of the contract from cnndiag.proto.

``python summaries/generate.py`` writes the code. With ``--check`` it fails if the committed code is stale.

protoc 25 (grpcio-tools 1.62.3) generates the Python code: code from newer compilers does not run with older protobuf
runtimes, and this project must support protobuf 3.20 and later. The compiler runs in a separate environment, because
grpcio-tools pins a protobuf version that TensorFlow may not accept.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILER = ("grpcio-tools==1.62.3", "setuptools<81")
PACKAGE = "tb_cnndiag/summaries"
TYPESCRIPT = "frontend/src/summaries"
OUTPUTS = (f"{PACKAGE}/cnndiag_pb2.py", f"{PACKAGE}/cnndiag_pb2.pyi", f"{TYPESCRIPT}/cnndiag_pb.ts")
PLUGIN = ROOT / "frontend/node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es"


def compiler_python() -> Path:
    """Python of an environment with the pinned compiler, created on first use in ``.venv/protoc``."""
    home = ROOT / ".venv" / "protoc"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        installed = subprocess.run([python, "-m", "pip", "install", "--quiet", *COMPILER], check=False)
        if installed.returncode:
            sys.exit(
                f"{COMPILER[0]} could not be installed on Python {sys.version.split()[0]}: it has wheels for "
                "Python 3.10 to 3.12. Run this script with one of these versions."
            )
        (home / "ready").touch()
    return python


def generate(target: Path) -> None:
    """Write all outputs below ``target``."""
    if not PLUGIN.exists():
        sys.exit("frontend/node_modules is missing: run `make frontend` first.")
    (target / TYPESCRIPT).mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            compiler_python(),
            "-m",
            "grpc_tools.protoc",
            f"--proto_path={PACKAGE}={ROOT / 'summaries'}",
            f"--python_out={target}",
            f"--pyi_out={target}",
            f"{PACKAGE}/cnndiag.proto",
        ],
        check=True,
    )
    subprocess.run(
        [
            compiler_python(),
            "-m",
            "grpc_tools.protoc",
            f"--proto_path={ROOT / 'summaries'}",
            f"--plugin=protoc-gen-es={PLUGIN}",
            f"--es_out={target / TYPESCRIPT}",
            "--es_opt=target=ts",
            "cnndiag.proto",
        ],
        check=True,
    )


def main() -> None:
    """Generate the code or, with ``--check``, compare it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail if the committed files are stale")
    if not parser.parse_args().check:
        generate(ROOT)
        return
    with tempfile.TemporaryDirectory() as fresh:
        generate(Path(fresh))
        stale = [name for name in OUTPUTS if (Path(fresh) / name).read_bytes() != (ROOT / name).read_bytes()]
    if stale:
        sys.exit(f"Stale: {', '.join(stale)}. Run `python summaries/generate.py` and commit.")


if __name__ == "__main__":
    main()
