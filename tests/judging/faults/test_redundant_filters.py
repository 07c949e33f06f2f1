"""``redundant_filters`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.judge import judge
from tb_cnndiag.payloads import Dendrogram
from tests.judging.faults.made import found, history


class TestRedundantFilters:
    def _tree(self, groups: list[int]) -> tuple[str, str, Dendrogram]:
        children = np.array([[0, 1], [2, 8], [3, 9], [4, 10], [5, 11], [6, 12], [7, 13]])
        tree = Dendrogram(children, np.linspace(0.1, 1, 7), np.arange(8), 0.1, np.array(groups))
        return "filter_clusters", "conv2", tree

    def test_twins(self) -> None:
        run = history(
            {
                "filter_similarity.twin_ratio": [[0, 0.5, 0, 0]] * 2,
                "filter_clusters.suggested_width": [[8, 6, 16, 4]] * 2,
            },
            payloads=[self._tree([0, 0, 1, 1, 2, 3, 4, 5])],
        )
        (finding,) = found("redundant_filters", run)
        assert finding.units == ((0, 1), (2, 3))
        assert [(a.parameter, a.current, a.proposed) for a in finding.adjustments] == [("filters", "8", "6")]

    def test_some_twins_are_usual_and_nan_is_ignored(self) -> None:
        nan = float("nan")
        assert not judge(history({"filter_similarity.twin_ratio": [[nan, 0.2, nan, 1.0]] * 3}))
