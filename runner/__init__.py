"""What run.py does: environment, embedded services, supervision. Standard library only, Python 3.11 or later."""
