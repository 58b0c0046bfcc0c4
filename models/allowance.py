"""What may be spent on calls: reserved before each try, settled after it."""

from typing import Protocol


class Allowance(Protocol):
    """Money that the tries of all calls share, in whole nano-dollars."""

    def reserve(self, nanodollars: int) -> bool:
        """Sets so much aside for a try; False: there is not so much left, and the try must not be made."""

    def settle(self, reserved: int, spent: int) -> None:
        """Frees what was `reserved` for a try, which has cost `spent`."""


class Unlimited:
    """An allowance without a budget."""

    def reserve(self, nanodollars: int) -> bool:
        """Always."""
        return True

    def settle(self, reserved: int, spent: int) -> None:
        """Nothing is kept."""


class Lease:
    """An allowance that others know of: `granted`, all in all, of which `spent` is spent and `reserved` set aside."""

    def __init__(self, granted: int = 0) -> None:
        self.granted = granted
        self.spent = 0
        self.reserved = 0

    @property
    def left(self) -> int:
        """What may still be reserved. Below 0: a try has cost more than the most that it was thought to cost."""
        return self.granted - self.spent - self.reserved

    def reserve(self, nanodollars: int) -> bool:
        """Sets so much aside; False: there is not so much left."""
        if nanodollars > self.left:
            return False
        self.reserved += nanodollars
        return True

    def settle(self, reserved: int, spent: int) -> None:
        """Frees what was `reserved`, and counts what was `spent` of it."""
        self.reserved -= reserved
        self.spent += spent
