"""The REST API of the fraud engine, for outside gateways and for this bank alike."""
