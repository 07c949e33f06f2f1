"""The measures compared with what a user would otherwise take."""
