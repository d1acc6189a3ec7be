"""What the trail says, in words. Pure Python."""
