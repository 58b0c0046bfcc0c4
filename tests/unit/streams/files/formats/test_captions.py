import pytest

from streams.files.formats.error import FormatError
from tests.vendor_objects import reading, said, turns, vendor_object

TIME = "00:00:01.000 --> 00:00:02.000\n"


def test_webvtt_reads_names_before_a_colon_as_zoom_writes_them() -> None:
    found = turns("webvtt", vendor_object("webvtt"), base_ms=1_767_606_914_000)
    assert said(found) == [("agent", "Thank you for <calling>"), ("customer", "my parcel is lost")]
    assert [turn.event_id for turn in found] == ["given/1", "given/2"]
    assert [turn.occurred_at for turn in found] == [1_767_606_915_000, 1_767_606_919_000]
    assert found[0].attributes == {"speaker": "Agent Ann", "duration_ms": "3000"}
    assert (found[0].language, found[0].channel) == ("en", "voice")


def test_webvtt_voice_tags_split_a_cue_and_the_role_map_knows_names() -> None:
    text = f"WEBVTT\n\n{TIME}<v.loud Ann Lee>Hello.</v> <v Bo>Hi,\nI wait.</v>\n"
    found = turns("webvtt", text, roles={"ann lee": "agent", "bo": "customer"})
    assert said(found) == [("agent", "Hello."), ("customer", "Hi, I wait.")]


def test_webvtt_joins_the_cues_of_one_utterance_of_teams() -> None:
    cues = [
        f"e4ab3ae3/8-{part}\n00:00:0{part}.000 --> 00:00:0{part + 1}.000\n<v Ann>{text}</v>"
        for part, text in enumerate(["My parcel", "is late"])
    ]
    [turn] = turns("webvtt", "WEBVTT\n\n" + "\n\n".join(cues))
    assert (turn.text, turn.event_id, turn.attributes["duration_ms"]) == (
        "My parcel is late",
        "given/e4ab3ae3/8",
        "2000",
    )


def test_a_colon_in_a_sentence_names_nobody() -> None:
    text = f"WEBVTT\n\n{TIME}One thing: it broke\n\n{TIME}and nobody calls\n\n{TIME}me back\n"
    assert [turn.text for turn in turns("webvtt", text)] == ["One thing: it broke", "and nobody calls", "me back"]


def test_a_name_that_occurs_twice_or_in_half_of_the_cues_speaks() -> None:
    twice = "".join(f"{TIME}{line}\n\n" for line in ["Bo: a", "b", "c", "d", "Bo: e"])
    assert [turn.attributes.get("speaker") for turn in turns("webvtt", f"WEBVTT\n\n{twice}")] == [
        "Bo",
        *3 * [None],
        "Bo",
    ]
    half = "".join(f"{TIME}{line}\n\n" for line in ["Bo: a", "Di: b", "c", "d"])
    assert [turn.text for turn in turns("webvtt", f"WEBVTT\n\n{half}")] == ["a", "b", "c", "d"]


def test_two_names_in_one_cue_are_two_turns() -> None:
    found = turns("webvtt", f"WEBVTT\n\n{TIME}Agent: Hello\nCustomer: Hi\nthere\n")
    assert said(found) == [("agent", "Hello"), ("customer", "Hi there")]
    assert len({turn.event_id for turn in found}) == 2


def test_webvtt_tags_times_styles_and_a_byte_order_mark_are_no_words() -> None:
    text = (
        "\ufeffWEBVTT - title\r\rSTYLE\r::cue { color: red }\r\rREGION\rid:x\r\r"
        "01:02:03.500 --> 01:02:04.000 align:start\rThat's <01:02:03.700><c.colorE5E5E5>amore</c> <b>now</b>\r"
    )
    [turn] = turns("webvtt", text, base_ms=0)
    assert (turn.text, turn.occurred_at) == ("That's amore now", 3_723_500)


def test_webvtt_counts_blank_cues_and_blocks_without_a_time() -> None:
    found = reading("webvtt", f"WEBVTT\n\n{TIME}\n\nlost words\n\n1\n{TIME}ok\n")
    assert [turn.text for turn in found.turns] == ["ok"]
    assert found.left_out == {"blank": 1, "untimed": 1}


def test_webvtt_whose_first_cue_follows_the_header_at_once() -> None:
    assert [turn.text for turn in turns("webvtt", f"WEBVTT\n{TIME}first\n")] == ["first"]


def test_srt_reads_commas_tags_and_blank_captions() -> None:
    found = reading("srt", vendor_object("srt"))
    [turn] = found.turns
    assert (turn.text, turn.event_id, turn.attributes["offset_ms"]) == ("Good morning", "given/1", "500")
    assert (turn.channel, turn.attributes["duration_ms"]) == ("voice", "6500")
    assert found.left_out == {"blank": 1}


def test_srt_keeps_the_lines_after_a_blank_line() -> None:
    text = "1\n00:00:00,500 --> 00:00:07,000\n{\\an8}one\n\ntwo\n\n2\n00:00:08,000 --> 00:00:09,000\nthree\n"
    assert [turn.text for turn in turns("srt", text)] == ["one two", "three"]


def test_a_time_begins_a_cue_also_where_no_blank_line_parts_it_from_the_one_before() -> None:
    text = f"WEBVTT\n\n{TIME}yeah\n<c.colorE5>what</c>\n{TIME}this will\n\n7\n{TIME}happen\n8\n{TIME}{TIME}now\n9\n"
    found = reading("webvtt", text)
    assert [(turn.text, turn.event_id) for turn in found.turns] == [
        ("yeah what", "given/#0"),
        ("this will", "given/#1"),
        ("happen", "given/7"),
        ("now 9", "given/#4"),
    ]
    assert found.left_out == {"blank": 1}
    times = ["00:00:01,500 --> 00:00:02,000", "00:00:03,500 --> 00:00:04,000", "00:00:05,500 --> 00:00:06,000"]
    srt = f"1\n{times[0]}\none\n2\n{times[1]}\ntwo\n\nand more\n3\n{times[2]}\nthree\n"
    assert [turn.text for turn in turns("srt", srt)] == ["one", "two and more", "three"]


def test_a_caption_with_its_number_and_no_time_is_untimed_and_no_part_of_the_one_before() -> None:
    time = "00:00:01,500 --> 00:00:02,000"
    found = reading("srt", f"1\n{time}\none\n\n2\ntwo\n\n3\nthree\n\n4\n{time}\nfour\n\n9\nis a number\n")
    assert [turn.text for turn in found.turns] == ["one", "four 9 is a number"]
    assert found.left_out == {"untimed": 2}


@pytest.mark.parametrize("name", ["webvtt", "srt"])
def test_another_text_is_told_what_is_missing(name: str) -> None:
    with pytest.raises(FormatError, match=r"first line is not WEBVTT|does not begin with a number"):
        turns(name, "My parcel is late")


def test_captions_need_an_id_of_the_conversation() -> None:
    with pytest.raises(FormatError, match="no id of the conversation"):
        turns("webvtt", vendor_object("webvtt"), conversation_id="")


@pytest.mark.timeout(20)
def test_tags_that_never_end_take_no_time() -> None:
    """Seen to take seconds, the square of their length, with spaces and digits that can be parted in many ways."""
    for tag in ("<v" + " " * 20_000, "{\\" + "a" * 20_000, "<1" + "." * 20_000):
        found = reading("webvtt", f"WEBVTT\n\n{TIME}hello {tag}\n")
        assert found.turns[0].text.startswith("hello")
