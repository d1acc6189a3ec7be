"""What is learnt from decisions: models as plain arrays, how they are fitted, and how well they do."""
