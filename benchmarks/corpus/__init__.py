"""The benchmark corpus: small trainings with a known fault, or none."""
