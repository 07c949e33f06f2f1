"""The command ``tb-cnndiag``."""

from tb_cnndiag.cli.commands import main

__all__ = ["main"]
