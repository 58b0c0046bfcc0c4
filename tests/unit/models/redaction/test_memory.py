from models.redaction.kinds import SHAPE, Finding, Kind
from models.redaction.memory import Memory


def found(kind: Kind, value: str, sureness: int = 3) -> Finding:
    return Finding(0, 1, kind, value, sureness)


def test_numbers_count_up_for_each_kind() -> None:
    memory = Memory()
    labels = [
        memory.label(each) for each in (found("PIN", "1"), found("PIN", "2"), found("ZIP", "3"), found("PIN", "1"))
    ]
    assert [str(label) for label in labels] == ["[PIN_1]", "[PIN_2]", "[ZIP_1]", "[PIN_1]"]


def test_a_number_that_nothing_tells_of_has_the_kind_that_it_had() -> None:
    memory = Memory()
    memory.label(found("CARD", "4111111111111111"))
    assert str(memory.label(found("REFERENCE", "4111111111111111", SHAPE))) == "[CARD_1]"
    assert str(memory.label(found("REFERENCE", "1111", SHAPE))) == "[CARD_1]"
    assert str(memory.label(found("PIN", "1111"))) == "[PIN_1]"
    assert str(memory.label(found("REFERENCE", "111", SHAPE))) == "[REFERENCE_1]"


def test_a_part_of_a_name_is_the_name() -> None:
    memory = Memory()
    memory.label(found("NAME", "jane doe"))
    assert str(memory.label(found("NAME", "doe"))) == "[NAME_1]"
    assert str(memory.label(found("NAME", "john doe"))) == "[NAME_2]"
    assert memory.names == {"jane", "john", "doe"}


def test_a_pending_number_grows_unless_it_is_repeated() -> None:
    memory = Memory()
    first = found("ACCOUNT", "4512")
    memory.label(first)
    memory.begin(first)
    assert str(memory.extend("339")) == "[ACCOUNT_1]"
    assert str(memory.extend("777")) == "[ACCOUNT_1]"
    memory.end()
    assert memory.extend("9") is None
    assert str(memory.label(found("ACCOUNT", "4512339777"))) == "[ACCOUNT_1]"


def test_nothing_of_it_shows() -> None:
    memory = Memory()
    memory.label(found("PIN", "4821"))
    assert "4821" not in repr(memory)
