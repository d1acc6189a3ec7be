"""Measurements of the whole bank on throwaway services: `python3 run.py bench NAME`. Nothing here runs in a real bank."""
