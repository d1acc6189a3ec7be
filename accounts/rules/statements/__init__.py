"""Statements as files: pure writers that take a heading and lines and give bytes, line by line where the format allows."""
