"""What is wrong with a vendor's object."""

from schemas.errors import UsageError


class FormatError(UsageError):
    """An object that is not what its format says: the message names the place, such as `Transcript[3].Content`.

    What stands there is never repeated: it may be a customer's words.
    """

    def __init__(self, what: str, path: str = "") -> None:
        super().__init__(f"{path}: {what}" if path else what)
        self.path = path
