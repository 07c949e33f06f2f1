"""From findings to text and files: the formats of a check, the page, comparisons and tables."""
