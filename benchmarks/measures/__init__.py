"""The measures beside what a user would otherwise take."""
