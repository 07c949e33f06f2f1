"""The module that TensorBoard imports when it starts. It imports nothing slow and nothing that may be missing.

TensorBoard does not catch errors when it imports an entry point, so an ImportError here would prevent it from starting.
It catches and logs errors that ``load`` raises.
"""

from __future__ import annotations

import argparse
from typing import Any

from tensorboard.plugins import base_plugin

# Keep all light messages and some of the heavy ones. TensorBoard's loaders keep only 10 or 100 by default.
SAMPLES = {"cnndiag": 100_000, "cnndiag_heavy": 200}


class CNNDiagnosticsLoader(base_plugin.TBLoader):
    """Loads the plugin when TensorBoard needs it."""

    def fix_flags(self, flags: argparse.Namespace) -> None:
        """Keep as many messages as the tab can use, unless the user has set other numbers."""
        samples = getattr(flags, "samples_per_plugin", None)
        if isinstance(samples, dict):
            for name, count in SAMPLES.items():
                samples.setdefault(name, count)

    def load(self, context: base_plugin.TBContext) -> Any:
        """Create the plugin."""
        from tb_cnndiag.plugin.plugin import CNNDiagnosticsPlugin

        return CNNDiagnosticsPlugin(context)
