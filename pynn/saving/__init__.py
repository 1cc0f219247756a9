"""Reading and writing models' numbers."""
