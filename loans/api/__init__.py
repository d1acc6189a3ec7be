"""The loans API: products and quotes for everybody, applications and loans for customers."""
