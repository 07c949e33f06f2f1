"""``vanishing_gradient`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

from typing import Any

from tests.judging.faults.made import found, history


class TestVanishingGradient:
    FADING: Any = [[1e-7, 1e-5, 1e-3, 1e-1]] * 3
    STILL: Any = [[1e-8, 1e-6, 1e-4, 1e-3]] * 3

    def test_gradients_that_vanish(self) -> None:
        run = history({"gradient_flow.relative_gradient": self.FADING, "update_ratio.update_ratio": self.STILL})
        (finding,) = found("vanishing_gradient", run)
        assert (finding.layer, finding.severity) == ("conv1", "error")
        assert finding.message.startswith("The relative gradient of conv1 is")
        assert "that of head: it vanishes on the way back from" in finding.message

    def test_layers_that_learn_are_healthy(self) -> None:
        moving = [[1e-3] * 4] * 3
        run = history({"gradient_flow.relative_gradient": self.FADING, "update_ratio.update_ratio": moving})
        assert not found("vanishing_gradient", run)

    def test_a_large_gradient_of_the_output_alone_is_another_fault(self) -> None:
        flat = [[1e-5, 1e-5, 1e-5, 1e2]] * 3
        assert not found("vanishing_gradient", history({"gradient_flow.relative_gradient": flat}))

    def test_no_gradient_at_all_is_a_frozen_layer(self) -> None:
        cut = {"gradient_flow.relative_gradient": [[0, 0.1, 0.1, 0.1]] * 3}
        cut |= {"gradient_flow.gradient_norm": [[0, 1, 1, 1]] * 3, "gradient_flow.non_finite_ratio": [[0] * 4] * 3}
        assert not found("vanishing_gradient", history(cut))
        assert found("frozen_layer", history(cut))

    def test_small_gradients_of_all_layers_are_convergence(self) -> None:
        run = history({"gradient_flow.relative_gradient": [[1e-9] * 4] * 3, "update_ratio.update_ratio": self.STILL})
        assert not found("vanishing_gradient", run)
