"""A chain of backends: what the first does not answer, the next is asked."""

import asyncio
from collections.abc import Collection, Sequence

from models.cloud import Answer, CloudBackend, Failure, Question
from models.languages import has_language, primary, reads


class ChainBackend:
    """Asks the first backend, and each of the others for what all before it failed on, where it reads the language.

    `languages` are what each backend reads, first subtags or `*`; what goes to the first, the edge has decided.

    One deadline is for all. A backend may take its even share of what is left, so that one that hangs leaves time for
    the next. An answer costs what the failures before it cost, too.
    """

    def __init__(
        self, backends: Sequence[CloudBackend], ids: Sequence[str], languages: Sequence[Collection[str]]
    ) -> None:
        self.id = ">".join(ids)
        self._backends = backends
        self._languages = languages

    @property
    def batch(self) -> int:
        """The most questions that the first backend wants at once."""
        return self._backends[0].batch

    def most_nanodollars(self, texts: int, size_bytes: int, deadline_s: float) -> int:
        """The most that one try of each of `texts` questions can cost, at each of the backends."""
        return sum(backend.most_nanodollars(texts, size_bytes, deadline_s) for backend in self._backends)

    async def answer(self, questions: Sequence[Question], deadline_s: float) -> list[Answer | Failure]:
        """An answer or a failure for each of `questions`, in their order; see `CloudBackend.answer`."""
        clock_s = asyncio.get_running_loop().time
        deadline = clock_s() + deadline_s
        answers: list[Answer | Failure] = [Failure("cloud_error", "not asked")] * len(questions)
        open_ones = list(range(len(questions)))
        for number, backend in enumerate(self._backends):
            left_s = deadline - clock_s()
            if not open_ones or left_s <= 0:
                break
            if number:
                asked = [index for index in open_ones if _is_read(questions[index], self._languages[number])]
            else:
                asked = open_ones
            if not asked:
                continue
            share_s = left_s / (len(self._backends) - number)
            given = await backend.answer([questions[index] for index in asked], share_s)
            for index, answer in zip(asked, given, strict=True):
                answers[index] = answer if number == 0 else _with_cost_of(answers[index], answer)
            open_ones = [index for index in open_ones if isinstance(answers[index], Failure)]
        return answers

    async def close(self) -> None:
        """Closes them all."""
        for backend in self._backends:
            await backend.close()


def _is_read(question: Question, languages: Collection[str]) -> bool:
    language = primary(question.language)
    return language is None or reads(languages, language) or not has_language(question.text)


def _with_cost_of(before: Answer | Failure, answer: Answer | Failure) -> Answer | Failure:
    spent = before.spent.plus(answer.spent)
    if isinstance(answer, Failure) and isinstance(before, Failure):
        return Failure(answer.reason, f"{before.detail}; {answer.detail}", spent)
    return answer._replace(spent=spent)
