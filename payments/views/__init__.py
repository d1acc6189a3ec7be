"""The portal's payment pages."""
