"""Events into `transcripts`: sender, replay, pace, the HTTP door."""
