"""What TensorBoard imports at start: nothing heavy, and nothing that can fail for others.

TensorBoard imports the target of an entry point unguarded, so that an ImportError here would keep it from starting;
what ``load`` raises is only logged.
"""

from __future__ import annotations

import argparse
from typing import Any

from tensorboard.plugins import base_plugin

# Keep all of the light messages and some of the heavy ones, whatever a loader's default is (10 or 100).
SAMPLES = {"cnndiag": 100_000, "cnndiag_heavy": 200}


class CNNDiagnosticsLoader(base_plugin.TBLoader):
    """Loads the plugin when TensorBoard asks for it."""

    def fix_flags(self, flags: argparse.Namespace) -> None:
        """Keep as many messages as the tab can use, unless the user said otherwise."""
        samples = getattr(flags, "samples_per_plugin", None)
        if isinstance(samples, dict):
            for name, count in SAMPLES.items():
                samples.setdefault(name, count)

    def load(self, context: base_plugin.TBContext) -> Any:
        """The plugin."""
        from tb_cnndiag.plugin.plugin import CNNDiagnosticsPlugin

        return CNNDiagnosticsPlugin(context)
