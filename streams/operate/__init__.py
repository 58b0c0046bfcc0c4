"""What people do with a running line: topics, consume, dead letters."""
