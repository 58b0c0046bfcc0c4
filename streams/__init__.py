"""The stream processor: settings, delivery, the agents, ingest, replay, the command line."""
