"""What answers the cloud's questions: a process, or a service behind HTTP; each is a `models.cloud.CloudBackend`."""
