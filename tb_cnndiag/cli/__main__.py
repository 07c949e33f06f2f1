"""``python -m tb_cnndiag.cli``."""

import sys

from tb_cnndiag.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
