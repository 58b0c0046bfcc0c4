"""Whom alerts are told, over HTTP: the file that names them, what each kind is sent, and the sending. No Kafka."""
