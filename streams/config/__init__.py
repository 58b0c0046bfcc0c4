"""The settings: what there is to set, how it is read, and the words about it."""
