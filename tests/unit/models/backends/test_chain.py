"""A chain: what one backend does not answer, the next is asked; the bill has all of them."""

import asyncio
from collections.abc import Sequence

from models.backends.chain import ChainBackend
from models.cloud import Answer, Failure, Question
from models.spending import Spending, Tokens


class Backend:
    """Answers what it knows."""

    batch = 7

    def __init__(self, knows: str, *, cost_usd: float = 0.001, tokens: int = 10) -> None:
        self.knows, self.cost = knows, Spending(cost_usd, Tokens(tokens, 1, 2), 1, "measured")
        self.asked: list[str] = []
        self.deadlines_s: list[float] = []
        self.is_closed = False

    def most_nanodollars(self, texts: int, size_bytes: int, deadline_s: float) -> int:
        return int(1e9 * self.cost.cost_usd) * texts

    async def answer(self, questions: Sequence[Question], deadline_s: float) -> list[Answer | Failure]:
        self.asked += [question.text for question in questions]
        self.deadlines_s.append(deadline_s)
        return [
            Answer((0.1, 0.2, 0.7), f"{self.knows}@1", self.cost)
            if question.text in self.knows
            else Failure("cloud_error", f"not {self.knows}", self.cost)
            for question in questions
        ]

    async def close(self) -> None:
        self.is_closed = True


def ask(texts: Sequence[str], *backends: Backend, language: str | None = None) -> list[Answer | Failure]:
    chain = ChainBackend(backends, [backend.knows for backend in backends], [{"*"}, *[{"en"}] * len(backends)])
    assert chain.batch == 7

    async def asked() -> list[Answer | Failure]:
        answers = await chain.answer([Question(text, language) for text in texts], 6.0)
        await chain.close()
        return answers

    answers = asyncio.run(asked())
    assert all(backend.is_closed for backend in backends)
    return answers


def test_the_next_is_asked_for_what_is_left_alone() -> None:
    first, second, third = Backend("ac"), Backend("b", tokens=0), Backend("z")
    a, b, c, d = ask("abcd", first, second, third)
    assert (first.asked, second.asked, third.asked) == (["a", "b", "c", "d"], ["b", "d"], ["d"])
    assert a == Answer((0.1, 0.2, 0.7), "ac@1", Spending(0.001, Tokens(10, 1, 2), 1, "measured"))
    assert b == Answer((0.1, 0.2, 0.7), "b@1", Spending(0.002, Tokens(10, 2, 4), 2, "measured"))
    assert c == a
    assert d == Failure("cloud_error", "not ac; not b; not z", Spending(0.003, Tokens(20, 3, 6), 3, "measured"))


def test_a_backend_that_was_not_reached_does_not_make_a_counted_cost_a_guess() -> None:
    unreached, second = Backend("x"), Backend("b")
    unreached.cost = Spending()
    (answer,) = ask("b", unreached, second)
    assert isinstance(answer, Answer)
    assert answer.spent == second.cost


def test_who_has_all_answers_leaves_the_next_in_peace() -> None:
    second = Backend("b")
    ask("a", Backend("a"), second)
    assert not second.asked


def test_the_next_is_not_asked_in_a_language_that_it_does_not_read() -> None:
    first, second = Backend("x"), Backend("Danke")
    assert ask(["Danke"], first, second, language="de") == [Failure("cloud_error", "not x", first.cost)]
    assert not second.asked
    for language, text in (("en-GB", "Danke"), ("und", "Danke"), (None, "Danke"), ("de", "D")):
        ask([text], first, second, language=language)
    assert second.asked == ["Danke", "Danke", "Danke", "D"]


def test_each_may_take_its_share_of_what_is_left() -> None:
    backends = Backend("x"), Backend("y"), Backend("z")
    ask("a", *backends)
    (first,), (second,), (third,) = (backend.deadlines_s for backend in backends)
    assert 1.0 < first <= 2.0
    assert second <= 3.0
    assert third <= 6.0
    assert second > first
    assert third > second
