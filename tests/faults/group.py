"""Who is in an agent's consumer group, as the broker sees it."""

import time
from collections.abc import Callable

from confluent_kafka.admin import AdminClient

from streams.config.settings import Settings


class Group:
    """The consumer group of an agent."""

    def __init__(self, settings: Settings, agent: str) -> None:
        self._name = settings.group(agent)
        self._client = f"edgewise-{agent}-"
        self._admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers, "log_level": 0})

    def members(self) -> dict[str, int]:
        """The worker ids of its members, each with how many partitions it has."""
        [described] = self._admin.describe_consumer_groups([self._name], request_timeout=30).values()
        return {
            member.client_id.removeprefix(self._client): len(member.assignment.topic_partitions)
            for member in described.result().members
        }

    def wait_until_shared_out(self, members: int) -> None:
        """Wait until it has so many members, each with partitions: its last rebalance is over then."""
        self.wait_until(lambda found: len(found) == members and all(found.values()))

    def wait_until(self, condition: Callable[[dict[str, int]], bool], timeout_s: float = 60.0) -> None:
        """Wait until the members are as wanted. Raises RuntimeError when they don't come to be."""
        deadline = time.monotonic() + timeout_s
        while not condition(members := self.members()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"after {timeout_s:g} s the members of {self._name} are {members}")
            time.sleep(0.1)
