"""The REST API of payments."""
