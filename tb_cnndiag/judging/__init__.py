"""From the history of a run to findings. Reads decoded messages only."""
