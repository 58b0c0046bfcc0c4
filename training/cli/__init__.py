"""`edgewise train`."""

from training.cli.main import app

__all__ = ["app"]
