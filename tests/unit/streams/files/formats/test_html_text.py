import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.files.formats.html_text import html_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>My parcel is <b>late</b>.</p><p>Why?</p>", "My parcel is late.\n\nWhy?"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<td>a</td><td>b</td>", "a b"),
        ("a &lt;b&gt; &amp; &#39;c&#39;&nbsp;d", "a <b> & 'c' d"),
        ("<head><title>x</title></head><style>p {}</style><script>if (a<b) {}</script>ok", "ok"),
        ("<!-- hidden --><!--[if mso]><table><![endif]-->seen", "seen"),
        ("a <!-- never ends", "a never ends"),
        ('<a title="a > b" href=x>link</a>', "link"),
        ("I <3 you, 1 < 2 and 2 > 1", "I <3 you, 1 < 2 and 2 > 1"),
        ("<p>a\n\n   b</p>", "a b"),
        ("a<svg/>b<title/>c", "abc"),
        ("<![<![ a", "<![<![ a"),
        ("", ""),
    ],
)
def test_what_is_seen(source: str, text: str) -> None:
    assert html_text(source) == text


@pytest.mark.parametrize(
    "source",
    [
        "<p>Fine.</p><blockquote type=cite>lost <blockquote>deeper</blockquote> lost</blockquote>",
        '<div>Fine.</div><div class="gmail_quote gmail_quote_container"><div>On x wrote:</div>lost</div>',
        '<div>Fine.</div><div id="divRplyFwdMsg">From: Sam</div><div>lost</div>',
        '<p>Fine.</p><div class="moz-cite-prefix">On x wrote:</div><blockquote>lost</blockquote>',
    ],
)
def test_quoted_mail_is_cut_in_mail_alone(source: str) -> None:
    assert html_text(source, mail=True) == "Fine."
    assert "lost" in html_text(source)


def test_an_answer_under_a_quote_stays() -> None:
    assert html_text("<blockquote>lost</blockquote><p>No!</p>", mail=True) == "No!"


@given(st.text(alphabet="<>!-/ab'\"=& pq[]", max_size=60), st.booleans())
def test_any_source_has_a_text(source: str, mail: bool) -> None:
    html_text(source, mail=mail)


@pytest.mark.timeout(20)
def test_attributes_made_on_purpose_take_no_time() -> None:
    """Seen to take minutes with a value that is looked through from each of its places to its end."""
    assert html_text(f"<div {'class=' * 40_000}>hello</div>", mail=True) == "hello"
    assert html_text('<div class="a b gmail_quote">hello</div>said', mail=True) == "said"
