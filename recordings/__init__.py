"""Files of rows, CSV, JSON or text, as records: one reader for all that reads any. It knows nothing of events."""
