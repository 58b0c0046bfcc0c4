"""Events into `transcripts`: sender, replay, pace."""
