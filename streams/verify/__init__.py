"""The proof that nothing was lost: reads a line's topics, keeps a ledger, gives a verdict."""
