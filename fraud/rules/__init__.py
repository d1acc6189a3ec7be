"""Pure Python: what is known about a payment, what follows from it, and the conditions that judge it."""
