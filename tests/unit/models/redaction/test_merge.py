from models.redaction import KINDS
from models.redaction.kinds import SHAPE, SURE, TAGGED, Finding
from models.redaction.merge import PRIORITY, merge


def test_every_kind_has_a_priority() -> None:
    assert sorted(PRIORITY) == sorted(KINDS)


def test_findings_apart_stay_in_the_order_of_the_text() -> None:
    one, other = Finding(8, 9, "PIN", "b"), Finding(0, 3, "NAME", "a")
    assert merge([one, other]) == [other, one]


def test_neighbours_are_not_merged() -> None:
    assert len(merge([Finding(0, 3, "NAME", "a"), Finding(3, 5, "NAME", "b")])) == 2


def test_what_overlaps_becomes_one_that_covers_all_of_it() -> None:
    assert merge([Finding(0, 4, "NAME", "a"), Finding(2, 9, "ADDRESS", "b"), Finding(8, 12, "ZIP", "c")]) == [
        Finding(0, 12, "ADDRESS", "b")
    ]


def test_what_lies_within_another_does_not_shorten_it() -> None:
    assert merge([Finding(0, 9, "ADDRESS", "a"), Finding(2, 4, "ZIP", "b")]) == [Finding(0, 9, "ADDRESS", "a")]


def test_the_surest_tells_the_kind_then_the_longest_then_the_priority() -> None:
    shape, tagged, sure = (
        Finding(0, 9, "REFERENCE", "x", SHAPE),
        Finding(1, 9, "PHONE", "x", TAGGED),
        Finding(2, 9, "PIN", "x", SURE),
    )
    assert merge([shape, tagged])[0].kind == "PHONE"
    assert merge([shape, tagged, sure])[0].kind == "PIN"
    assert merge([Finding(0, 5, "ZIP", "x"), Finding(0, 9, "ADDRESS", "y")])[0].kind == "ADDRESS"
    assert merge([Finding(0, 5, "REFERENCE", "x"), Finding(0, 5, "CARD", "y")])[0].kind == "CARD"
