"""The texts of a run: read, split, counted."""
