"""Records one training: when to take a snapshot, what it holds, and where it is written."""
