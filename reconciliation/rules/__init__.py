"""Pure rules: reading outside statements, and finding what belongs together."""
