import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.files.formats.error import FormatError
from streams.files.formats.mail_parts import shown_part
from tests.vendor_objects import reading, said, turns, vendor_object

UUID = "01928e10-193e-8231-b9a2-279e0d16bc46"


def with_body(body: Any, **analysis: Any) -> dict[str, Any]:
    value: dict[str, Any] = vendor_object("vcon")
    value["analysis"] = [{"type": "transcript", "dialog": 0, "body": body, **analysis}]
    return value


def test_texts_and_the_transcript_of_a_recording() -> None:
    found = turns("vcon", vendor_object("vcon"))
    assert said(found) == [("agent", "Hello."), ("customer", "It is late."), ("customer", "Still nothing.")]
    assert [turn.event_id for turn in found] == [f"{UUID}/a0/0", f"{UUID}/a0/1", f"{UUID}/d1"]
    assert [turn.channel for turn in found] == ["voice", "voice", "chat"]
    assert [turn.occurred_at for turn in found] == [1_767_606_914_000, 1_767_606_914_000, 1_767_690_000_000]
    assert [turn.attributes.get("speaker") for turn in found] == [None, "Bob", "Bob"]


@pytest.mark.parametrize(
    "body",
    [
        [{"party": 1, "start": 2.5, "text": "It is late."}],
        [{"parties": [1], "start": "2026-01-05T09:55:16.500Z", "text": "It is late."}],
        {"transcript": {"text": "x"}, "segments": [{"start": 2.5, "end": 3, "speaker": "Bob", "text": "It is late."}]},
    ],
)
def test_transcripts_of_several_kinds(body: Any) -> None:
    [turn] = [turn for turn in turns("vcon", with_body(body)) if turn.channel == "voice"]
    assert (turn.role, turn.text, turn.occurred_at) == ("customer", "It is late.", 1_767_606_916_500)


def test_an_entry_without_a_time_was_with_the_one_before_it() -> None:
    """Seen to fail: it came first, for it had the dialog's own time."""
    body = [
        {"party": 1, "start": 1, "text": "one"},
        {"party": 1, "text": "two"},
        {"party": 1, "start": 5, "text": "three"},
    ]
    found = [turn for turn in turns("vcon", with_body(body)) if turn.channel == "voice"]
    assert [turn.text for turn in found] == ["one", "two", "three"]
    assert [turn.occurred_at for turn in found] == [1_767_606_915_000, 1_767_606_915_000, 1_767_606_919_000]


def test_a_transcript_may_be_deepgrams_a_plain_text_or_json_in_a_text() -> None:
    alternative = {"transcript": "late", "words": [{"word": "late", "start": 1.0, "end": 2.0, "speaker": 0}]}
    channels = {"results": {"channels": [{"alternatives": [alternative]}]}}
    entries = json.dumps([{"speaker": "customer", "message": "late"}])
    for value in (with_body(alternative), with_body(channels), with_body("late"), with_body(entries, encoding="json")):
        assert "late" in [turn.text for turn in turns("vcon", value)]
    with pytest.raises(FormatError, match=r"^analysis\[0\]\.body: a transcript of an unknown kind"):
        turns("vcon", with_body({"foo": 1}))


@pytest.mark.parametrize("encoding", ["json", None])
def test_the_extension_wtf_has_labels_and_a_language(encoding: str | None) -> None:
    body = {
        "transcript": {"text": "Hello. Late.", "language": "en-US"},
        "segments": [
            {"id": 0, "start": 0.5, "end": 1.0, "speaker": 0, "text": "Hello.", "confidence": 0.9},
            {"id": 1, "start": 2.5, "end": 3.0, "speaker": 1, "text": "Late."},
            {"id": 2, "start": 3.5, "end": 4.0, "speaker": 2, "text": "Hm."},
        ],
        "speakers": {"0": {"id": 0, "label": "Agent"}, "1": {"id": 1, "label": "Bob"}},
    }
    written = with_body(json.dumps(body), type="wtf_transcription")
    if encoding:
        written["analysis"][0]["encoding"] = encoding
    for value in (with_body(body, type="wtf_transcription"), written):
        found = [turn for turn in turns("vcon", value) if turn.channel == "voice"]
        assert said(found) == [("agent", "Hello."), ("customer", "Late."), ("unknown", "Hm.")]
        assert [turn.attributes.get("speaker") for turn in found] == ["Agent", "Bob", None]
        assert {turn.language for turn in found} == {"en-US"}


def test_of_two_transcripts_of_a_dialog_the_redacted_one_is_read() -> None:
    value = vendor_object("vcon")
    value["analysis"].insert(
        0, {"type": "transcript-redacted", "dialog": 0, "body": [{"party": 1, "text": "I am {{NAME}}."}]}
    )
    found = reading("vcon", value)
    assert [turn.text for turn in found.turns] == ["I am [ID].", "Still nothing."]
    assert found.left_out == {"repeated": 1}


def test_a_transcript_of_a_text_repeats_it() -> None:
    value = vendor_object("vcon")
    value["analysis"].append({"type": "transcript", "dialog": 1, "body": "Still nothing."})
    assert reading("vcon", value).left_out == {"repeated": 1}


def test_a_mail_is_cut_and_may_be_html_or_base64url() -> None:
    value = vendor_object("vcon")
    body = base64.urlsafe_b64encode(b"<p>Awesome!</p><blockquote>All is lost</blockquote>").decode().rstrip("=")
    value["dialog"] = [
        {"type": "text", "start": "2026-01-06T09:00:00Z", "parties": 1, "mediatype": "text/html; charset=utf-8",
         "encoding": "base64url", "body": body, "message_id": "<1@example.com>"},
        {"type": "text", "start": "2026-01-06T09:01:00Z", "parties": [0, 1], "originator": 1, "mimetype": "text/plain",
         "body": "Fine.\n\n On Friday, September 23, 2022, 23:24 UTC, A <a@example.com> wrote:\n All is lost\n",
         "message_id": "<2@example.com>"},
    ]  # fmt: skip
    value["analysis"] = []
    found = turns("vcon", value)
    assert said(found) == [("customer", "Awesome!"), ("customer", "Fine.")]
    assert {turn.channel for turn in found} == {"email"}


def mail(kind: str, body: str) -> Any:
    value = vendor_object("vcon")
    value["dialog"] = [{"type": "text", "parties": [[1], 0], "mediatype": kind, "body": body, "message_id": "<1@x>"}]
    value["analysis"] = []
    return reading("vcon", value)


PLAIN = (
    "--b\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n"
    "Grüße, awesome!\r\n\r\n On Friday A <a@x.org> wrote:\r\n > lost\r\n"
)
HTML = (
    "--b\r\nContent-Type: text/html; charset=iso-8859-1\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>Gr=FC=DFe</p>\r\n"
)
FILE = "--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nsecret\r\n"


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (HTML + PLAIN + FILE, "Grüße, awesome!"),
        (HTML + FILE, "Grüße"),
        (HTML.replace("iso-8859-1", "x-morse"), "Gr\ufffd\ufffde"),
        (HTML.replace("iso-8859-1", "a\x00b"), "Gr\ufffd\ufffde"),
    ],
)
def test_a_mail_of_parts_is_its_plain_text_else_its_html(parts: str, text: str) -> None:
    [turn] = mail('multipart/alternative; \n\tboundary="b"', parts + "--b--\r\n").turns
    assert (turn.text, turn.role, turn.channel) == (text, "customer", "email")


PIECES = [
    PLAIN, HTML, FILE, "--b\r\n", "--b--", "Content-Type: ", "text/html; charset=", "multipart/mixed; boundary=", '"',
    "b", "=?utf-8?q?=41?=", "\n", "\n\n", "base64", "Content-Transfer-Encoding: ", "; filename*=utf-8''", "%E4", "=FC",
    "\x00", "é", ":", "idna", "punycode", "utf-16", "hex", "message/rfc822", "x-uuencode", "begin 666 a\n",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=20), st.lists(st.sampled_from(PIECES), max_size=4))
def test_whatever_stands_in_a_mail_it_is_read(parts: list[str], kind: list[str]) -> None:
    for each in ("multipart/mixed; boundary=b", "message/rfc822", "multipart/" + "".join(kind)):
        text, _ = shown_part("".join(parts), each)
        assert text == text.strip()


def test_a_mail_with_its_headers_and_one_without_a_text() -> None:
    [turn] = mail("message/rfc822", "Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\nTGF0ZS4=\r\n").turns
    assert turn.text == "Late."
    assert mail("multipart/mixed; boundary=b", FILE + "--b--").left_out == {"blank": 1}


def test_a_mail_of_a_thousand_nested_parts_is_refused() -> None:
    nested = "".join(
        f"--b{n}\n" * (n > 0) + f"Content-Type: multipart/mixed; boundary=b{n + 1}\n\n" for n in range(2_000)
    )
    with pytest.raises(FormatError, match=r"^dialog\[0\]\.body: a mail of parts that are nested too deep"):
        mail("message/rfc822", nested)


@pytest.mark.parametrize(
    ("value", "what"),
    [({"payload": "x", "signatures": []}, "signed"), ({"ciphertext": "x", "recipients": []}, "encrypted")],
)
def test_a_signed_or_encrypted_one_says_what_to_do(value: Any, what: str) -> None:
    with pytest.raises(FormatError, match=what):
        turns("vcon", value)


def test_a_recording_without_a_transcript_is_told() -> None:
    value = vendor_object("vcon")
    value["analysis"] = []
    assert reading("vcon", value).left_out == {"event": 1}


def test_one_without_a_version_is_the_conservers() -> None:
    value = vendor_object("vcon")
    del value["vcon"]
    assert len(turns("vcon", value)) == 3
