"""Conditions that several faults have in common, by what they mean; their thresholds are shared, too."""

from __future__ import annotations

from tb_cnndiag.judging.conditions import Above, Below
from tb_cnndiag.judging.signals.loss import FINITE_RELATIVE_LOSS, FIRST_RELATIVE_LOSS, LAST_RELATIVE_LOSS, RELATIVE_LOSS

NOTHING_LEARNED = Above(RELATIVE_LOSS, "stuck")
"""The loss is not below that of the best constant prediction. NaN counts."""

NOTHING_LEARNED_WHILE_FINITE = Above(FINITE_RELATIVE_LOSS, "stuck")
"""The same; unknown if the loss was ever not finite."""

UNHARMED = Below(RELATIVE_LOSS, "harmless_loss")
"""The loss is so low that nothing has done harm."""

ENDS_HIGH = Above(LAST_RELATIVE_LOSS, "harmless_loss")
"""The last loss is so high that something may have done harm."""

HIGH_FIRST_LOSS = Above(FIRST_RELATIVE_LOSS, "first_loss")
"""The first loss is so high that what was too large initially did harm."""
