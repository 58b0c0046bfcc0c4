"""The page, the pictures and the cards of a run."""
