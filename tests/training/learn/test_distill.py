"""Students learn from their teachers' answers."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


from tests.training.tiny_networks import build, examples, tokenizer
from training.data.corpus import Corpus
from training.learn import distill, loop


def test_a_student_starts_as_every_second_layer_of_its_teacher() -> None:
    teacher = build(100)
    student = distill.keep_layers(teacher, (0, 2, 4))
    assert len(student.encoder.encoder.layer) == 3
    for layer, source in zip(student.encoder.encoder.layer, (0, 2, 4), strict=True):
        for mine, theirs in zip(layer.parameters(), teacher.encoder.encoder.layer[source].parameters(), strict=True):
            assert torch.equal(mine, theirs)
            assert mine is not theirs


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_weights_between_two_networks_lie_at_their_share_of_the_way(share: float) -> None:
    first, last = build(100), build(100)
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.add_(1)
    mixed = distill.between(first, last, share)
    for lowest, found in zip(first.parameters(), mixed.parameters(), strict=True):
        assert torch.allclose(found, lowest + share, atol=1e-6)
    assert torch.allclose(last.head.weight, first.head.weight + 1)  # as it was


def test_an_ensemble_is_the_mean_of_log_probabilities() -> None:
    first, second = torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 3.0]])
    taught = distill.ensemble([first, second + 100])  # a logit's level says nothing
    assert torch.allclose(taught, (first.log_softmax(-1) + second.log_softmax(-1)) / 2, atol=1e-5)


def test_what_has_no_label_gets_its_teachers_opinion() -> None:
    made = examples(6)
    data = Corpus("d", made[:1], [], [], [], "g", made[1:3], [], ["gate ticket", "when"], [])
    rows = distill.other_rows(tokenizer(), data, torch.tensor([[4.0, 5, 6], [7, 8, 9]]), torch.zeros(2, 3))
    assert [row.teacher for row in rows] == [[4, 5, 6], [7, 8, 9]] + [[0, 0, 0]] * 2
    assert rows[0].target == made[1].target
    assert rows[-1].target == pytest.approx([1 / 3] * 3)


def test_a_student_is_drawn_to_its_teacher() -> None:
    labelled = loop.Row(ids=[2, 3], target=(0.0, 0.0, 1.0))
    logits = torch.tensor([[2.0, 0.0, -1.0]])
    alike = loop.loss_of(logits, [replace(labelled, teacher=(2.0, 0.0, -1.0))])
    unlike = loop.loss_of(logits, [replace(labelled, teacher=(-1.0, 0.0, 2.0))])
    alone = loop.loss_of(logits, [labelled])
    # Agreeing with the teacher leaves only the label's part of the loss.
    assert alike.item() == pytest.approx((1 - loop.TEACHER_WEIGHT) * alone.item(), rel=1e-5)
    assert unlike > alike


def test_rows_with_and_without_a_teacher_share_a_batch_and_count_by_their_weight() -> None:
    taught = loop.Row(ids=[2, 3], target=(0.0, 0.0, 1.0), teacher=(-1.0, 0.0, 2.0))
    alone = loop.Row(ids=[2, 3], target=(1.0, 0.0, 0.0), weight=0.25)
    logits = torch.tensor([[0.3, 0.0, -1.0], [0.5, 1.0, -1.0]])
    each = [loop.loss_of(logits[at : at + 1], [row]) for at, row in enumerate((taught, alone))]
    assert loop.loss_of(logits, [taught, alone]).item() == pytest.approx(((each[0] + each[1]) / 2).item(), rel=1e-5)
    whole = loop.loss_of(logits[1:], [replace(alone, weight=1.0)])
    assert each[1].item() == pytest.approx(whole.item() / 4, rel=1e-5)
