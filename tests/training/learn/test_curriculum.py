"""What a student reads, and how much of it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from schemas.errors import UsageError
from tests.training.tiny_networks import build, examples, tokenizer
from training.config.config import Config, Schedule, Student, Teacher
from training.data.corpus import Corpus, Example
from training.learn import bases, curriculum, distill, finetune, loop, network
from training.learn.run import Run

SCHEDULE = Schedule(epochs=1, rate=0.001)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_student_reads_a_share_of_what_it_knows_and_all_the_rest_and_keeps_a_share_of_the_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, share: float
) -> None:
    read: list[loop.Row] = []
    asked: dict[str, int] = {}

    def fit(model: Any, rows: list[loop.Row], *_: object, **__: object) -> Any:
        read.extend(rows)
        with torch.no_grad():
            model.head.bias += 1
        return model

    def logits(_: object, split: str, texts: list[str]) -> Any:
        asked[split] = len(texts)
        return torch.zeros(len(texts), 3)

    monkeypatch.setattr(loop, "fit", fit)
    monkeypatch.setattr(curriculum, "teacher_logits", logits)
    monkeypatch.setattr(curriculum, "first_of", lambda *_: (build(100), tokenizer()))
    monkeypatch.setattr(curriculum, "extra_rows", lambda *_: [loop.Row(ids=[2, 3], target=(1.0, 0.0, 0.0))] * 5)
    made = examples(24)
    data = Corpus("d", made[:8], [], made[:2], [], "g", made[8:18], [], [each.text for each in made[18:]], [])
    student = Student(transfer=SCHEDULE, domain=SCHEDULE, remembered=share, unlabelled=share, changed=share)
    run: Any = SimpleNamespace(config=Config(data=Path(), cloud=student))
    model, _ = curriculum._transfer(run, data, "cloud", 1, lambda _: None, tmp_path / "kept")
    assert model.head.bias.tolist() == pytest.approx([share] * 3)  # it was 0
    assert asked == {"domain_train": 8, "general_train": 10 * share, "unlabelled": 6 * share}
    assert len(read) == 8 * distill.DOMAIN_COPIES * share + 5 + (10 + 6) * share


def test_a_student_of_no_domain_schedule_is_what_it_learned_from_all_sets_together(tmp_path: Path) -> None:
    run = Run(tmp_path, Config(data=Path(), cloud=Student(transfer=SCHEDULE)), 1, "digest")
    made, pieces = build(100), tokenizer()
    run.once("cloud-transfer-1", lambda *_: (made, pieces))
    data = Corpus("d", examples(8), [], [], [], "", [], [], [], [], extra_train=examples(4))
    found, _ = curriculum._specialise(run, data, "cloud", "cloud-transfer-1", 1, lambda _: None, tmp_path / "kept")
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(found.parameters(), made.parameters(), strict=True))


def test_a_student_that_the_run_s_cloud_teaches_begins_from_its_layers_and_has_its_logits(tmp_path: Path) -> None:
    config = Config(data=Path(), students=("cloud", "small"), small=Student(transfer=SCHEDULE, taught_by="cloud"))
    run, pieces = Run(tmp_path, config, 1, "digest"), tokenizer()
    made = build(pieces.get_vocab_size())
    run.once("cloud-1", lambda *_: (made, pieces))
    first, _ = curriculum.first_of(run, "small", 1)
    ours, theirs = (model.encoder.encoder.layer[at] for model, at in ((first, 1), (made, 2)))
    assert torch.equal(ours.output.dense.weight, theirs.output.dense.weight)
    extra = [replace(each, role="agent") for each in examples(6)]
    data = Corpus("d", [], [], [], [], "", [], [], [], [], extra_train=extra)
    rows = curriculum.extra_rows(run, "small", data, pieces)
    read = network.encode(pieces, [example.as_read for example in extra])
    assert [list(row.ids) for row in rows] == read
    assert read != network.encode(pieces, [example.text for example in extra])
    # Where the teacher is wrong the label alone teaches.
    answers = network.predict(made, read)
    right = [answer.argmax().item() == example.label for answer, example in zip(answers, extra, strict=True)]
    assert {True, False} == set(right)
    assert [row.teacher is not None for row in rows] == right
    given = torch.tensor([row.teacher for row in rows if row.teacher is not None])
    assert torch.allclose(given, answers[torch.tensor(right)], atol=1e-5)


@pytest.mark.parametrize("large", [False, True])
def test_the_domains_teachers_teach_together_and_the_general_one_the_general_texts(
    monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    names = ["general", "teacher-1", "teacher-2", "large-general", "large-1"]
    given = {name: torch.randn(4, 3, generator=torch.Generator().manual_seed(at)) for at, name in enumerate(names)}
    monkeypatch.setattr(curriculum, "answers", lambda _, name, *__: given[name])
    config = Config(data=Path(), seeds=2, large=Teacher(folder=Path()) if large else None)
    run: Any = SimpleNamespace(config=config)
    for split, teach in (
        ("domain_train", ["large-1"] if large else ["teacher-1", "teacher-2"]),
        ("general_train", ["large-general"] if large else ["general"]),
    ):
        mean = torch.stack([given[name].log_softmax(-1) for name in teach]).mean(0)
        assert torch.allclose(curriculum.teacher_logits(run, split, ["a"] * 4), mean)


@pytest.mark.parametrize(("share", "extra"), [(1.0, 10), (0.4, 4), (0.0, 0)])
def test_a_teacher_on_a_larger_base_reads_a_share_of_the_extra_texts_beside_the_domains(
    monkeypatch: pytest.MonkeyPatch, share: float, extra: int
) -> None:
    read: dict[int, list[Example]] = {}
    large = Teacher(folder=Path(), extra=share)
    run: Any = SimpleNamespace(config=Config(data=Path(), large=large), once=lambda _, make: make(None, None))
    run.model = lambda *_: (None, None)
    monkeypatch.setattr(bases, "load", lambda *_: (SimpleNamespace(bert=None), None))
    monkeypatch.setattr(bases, "load_mpnet", lambda *_: (None, None))
    monkeypatch.setattr(finetune, "with_head", lambda *_: None)
    monkeypatch.setattr(
        finetune, "finetune", lambda _, __, texts, ___, schedule, *____: read.setdefault(id(schedule), texts)
    )
    made = examples(30)
    data = Corpus("d", made[:6], [], [], [], "g", made[6:20], [], [], [], extra_train=made[20:])
    curriculum.train_teachers(run, data)
    assert read[id(large.general)] == made[6:20]
    texts = read[id(large.domain)]
    assert texts[: len(texts) - extra] == made[:6] * (distill.DOMAIN_COPIES if extra else 1)
    assert len({each.id for each in texts[len(texts) - extra :]} & {each.id for each in made[20:]}) == extra


@pytest.mark.parametrize("asked", [["cloud"], ["cloud-3", "cloud-2", "cloud-1"]])
def test_what_students_begin_from_does_not_depend_on_which_of_them_is_asked_for_first(
    tmp_path: Path, asked: list[str]
) -> None:
    made: dict[str, int] = {}
    config = Config(data=Path(), seed=5, seeds=3, cloud=Student(transfer=SCHEDULE, transfers=2))
    run: Any = SimpleNamespace(
        config=config, folder=tmp_path, once=lambda name, make: made.setdefault(name, make.args[-1])
    )
    curriculum.train_students(run, None, asked)  # type: ignore[arg-type]
    assert made == {"cloud-transfer-1": 5, "cloud-1": 5, "cloud-transfer-2": 6, "cloud-2": 6, "cloud-3": 7}


@pytest.mark.parametrize("name", ["foo", "general", "tiny-3", "tiny-", "cloud2", "cloud-1-1"])
def test_a_student_that_there_is_not_is_refused_before_any_is_trained(tmp_path: Path, name: str) -> None:
    run: Any = SimpleNamespace(config=Config(data=Path(), seeds=2), folder=tmp_path)
    with pytest.raises(UsageError, match=f"there is no student '{name}': give cloud, small, tiny, or .* from 1 to 2"):
        curriculum.train_students(run, None, ["tiny", name])  # type: ignore[arg-type]
