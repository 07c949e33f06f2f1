"""Trains the cases of the corpus and scores the judgment of their logs."""
