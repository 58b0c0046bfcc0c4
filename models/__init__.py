"""What a worker runs: the classifier, cloud backends, the router, pricing."""
