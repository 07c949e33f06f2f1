"""Programs as their authors published them, trained without and with the callback: ``python -m benchmarks.field``."""
