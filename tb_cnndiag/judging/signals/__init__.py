"""Signals: what conditions compare with their thresholds. One module per subject; each is computed from a history."""
