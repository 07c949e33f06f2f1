"""Property tests use the same examples in every run and have no deadline, so a busy machine does not fail them."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
