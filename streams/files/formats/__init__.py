"""Vendors' formats: pure functions from what a vendor sends to turns of conversations. No Kafka, no files.

`registry` is the table of formats; a format is a file of its own, whose docstring says which of the vendor's fields
becomes which of ours. `mapping` reads what no file here knows, by a description that the user writes.
"""
