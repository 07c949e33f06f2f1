"""The measures compared with what a user would otherwise take: error, time and memory, with their targets.

Run ``python -m benchmarks.measures [density] [trees] [model] [--large]``; without names it runs all three, in about
ten minutes. It needs scikit-learn and KDEpy, and Keras for ``model``. Times are medians of interleaved runs in one
process: read ratios, not milliseconds. Nothing here is a test; a target that is missed is printed as MISS.
"""

from __future__ import annotations

import argparse
import warnings

from benchmarks.measures.density import density_tables
from benchmarks.measures.model import model_table
from benchmarks.measures.trees import tree_tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", choices=["density", "trees", "model", []], help="default: all")
    parser.add_argument("--large", action="store_true", help="densities at n = 1e7 too")
    arguments = parser.parse_args()
    wanted = arguments.tables or ["density", "trees", "model"]
    warnings.filterwarnings("ignore", module="KDEpy")
    if "density" in wanted:
        density_tables(arguments.large)
    if "trees" in wanted:
        tree_tables()
    if "model" in wanted:
        model_table()


if __name__ == "__main__":
    main()
