"""The accounts API."""
