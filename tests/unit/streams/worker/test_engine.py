"""What an agent claims is committed before its batch is begun; what is astray holds nothing else back."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from streams.agents.agent import Agent, KafkaRecord, Output
from streams.config.settings import Settings
from streams.worker.batch import Batch
from streams.worker.delivery import Delivery
from streams.worker.engine import Engine
from streams.worker.member import Member

CLAIM, RESULT = Output("budget", b"k", b"claim"), Output("sentiment", b"k", b"result")
RECORD = KafkaRecord("cloud-inference", 2, 7, 0, b"k", b"v")


class Claiming(Agent):
    """Claims before each batch, where it has something to claim."""

    name, source, chunk_records = "claiming", "cloud-inference", 10

    def __init__(self, claims: Sequence[Output], made: list[Any]) -> None:
        self.claims = claims
        self.made = made

    async def prepare(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        assert list(records) == [RECORD]
        return self.claims

    async def process(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        return [RESULT] * len(records)

    def committed(self) -> None:
        self.made.append("committed")


class Gathering(Claiming):
    """Claims nothing, and waits for ever for more, where there is little."""

    gather_s = 3600

    async def prepare(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        return ()


def transactions(tmp_path: Path, claims: Sequence[Output], *, fails: bool = False) -> tuple[bool, list[Any]]:
    """Whether a batch was committed, and the transactions: what each published, which positions it committed.

    Among them is when the agent was told of one that it is committed.
    """
    made: list[Any] = []

    async def deliver(outputs: Sequence[Output], ends: Mapping[int, int], token: bytes) -> bool:
        made.append((list(outputs), dict(ends), token))
        return not fails

    async def scenario() -> bool:
        delivery = SimpleNamespace(agent=Claiming(claims, made), settings=Settings(), deliver=deliver)
        member = SimpleNamespace(renew=lambda _: None, is_done=lambda _: None)
        engine = Engine(cast(Member, member), cast(Delivery, delivery), tmp_path)
        return await engine._do(Batch([RECORD], b"token", {}))

    return asyncio.run(scenario()), made


def test_a_claim_is_a_transaction_of_its_own_before_that_of_the_batch(tmp_path: Path) -> None:
    done, made = transactions(tmp_path, [CLAIM])
    assert done
    assert made == [([CLAIM], {}, b""), "committed", ([RESULT], {2: 8}, b"token"), "committed"]


def test_without_a_claim_there_is_one_transaction(tmp_path: Path) -> None:
    done, made = transactions(tmp_path, [])
    assert done
    assert made == [([RESULT], {2: 8}, b"token"), "committed"]


def test_a_batch_whose_claim_was_aborted_is_not_begun(tmp_path: Path) -> None:
    done, made = transactions(tmp_path, [CLAIM], fails=True)
    assert not done
    assert made == [([CLAIM], {}, b"")]


def test_of_an_aborted_batch_the_agent_is_told_nothing(tmp_path: Path) -> None:
    done, made = transactions(tmp_path, [], fails=True)
    assert not done
    assert made == [([RESULT], {2: 8}, b"token")]


def test_while_it_is_found_out_where_to_go_on_the_rest_goes_on(tmp_path: Path) -> None:
    """Seen to fail with the answer waited for: a transaction that a killed worker left open stopped all partitions."""
    asked, fetched = [], []

    async def scenario() -> None:
        known = asyncio.Event()

        async def set_back() -> None:
            asked.append(1)
            await known.wait()
            if len(asked) > 1:
                raise ValueError("a refusal")

        def fetch(*_: object) -> None:
            fetched.append(1)

        member = SimpleNamespace(astray={0}, joined=True, set_back=set_back, fetch=fetch)
        delivery = SimpleNamespace(agent=Claiming([], []), settings=Settings(), share=1)
        engine = Engine(cast(Member, member), cast(Delivery, delivery), tmp_path)
        stop, crashed = asyncio.Event(), asyncio.create_task(asyncio.sleep(0))
        for _ in range(3):
            await engine._turn(stop, crashed)
        assert (len(asked), len(fetched)) == (1, 3), "it is asked once"
        known.set()
        await asyncio.sleep(0)
        await engine._turn(stop, crashed)
        await asyncio.sleep(0)
        with pytest.raises(ValueError, match="a refusal"):
            await engine._turn(stop, crashed)
        assert len(asked) == 2, "it is still astray, and asked for again"

    asyncio.run(scenario())


@pytest.mark.parametrize(("share", "most"), [(1, 40), (0.5, 20), (0.1, 4), (0.001, 1)])
def test_after_a_transaction_that_took_too_long_batches_are_smaller(tmp_path: Path, share: float, most: int) -> None:
    """And such a batch, when it is full, waits for no more to gather. Seen to fail with either as in quiet times."""
    asked = []

    async def deliver(*_: object) -> bool:
        return True

    async def scenario() -> None:
        stop = asyncio.Event()

        def fetch(records: int, _wait_s: float) -> Batch:
            asked.append(records)
            if len(asked) == 2:
                stop.set()
            return Batch([RECORD] * records, b"token", {})

        agent = Gathering([], [])
        nothing = {"newly_held": dict, "renew": lambda _: None, "is_done": lambda _: None, "stay": lambda _: None}
        member = SimpleNamespace(astray=set(), joined=True, fetch=fetch, **nothing)
        delivery = SimpleNamespace(agent=agent, settings=Settings(), share=share, deliver=deliver)
        engine = Engine(cast(Member, member), cast(Delivery, delivery), tmp_path)
        async with asyncio.timeout(60):
            await engine.run(stop)

    asyncio.run(scenario())
    assert asked == [most] * 2
