"""What answers the cloud's questions: a local process, or a service behind HTTP. Each is a `models.cloud.CloudBackend`."""
