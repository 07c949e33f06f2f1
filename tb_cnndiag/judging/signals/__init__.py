"""Signals: what faults compare with their thresholds. One module per subject; each computes it from a history."""
