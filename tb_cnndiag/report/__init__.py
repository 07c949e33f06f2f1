"""Findings → text and files."""
