"""What a run's configuration says."""
