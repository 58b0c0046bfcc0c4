"""Who is let in: each vendor's signature, right, wrong, old, and with several secrets."""

import hashlib
import json
from typing import Any

import pytest

from streams.ingest.signatures import FRESH_MS, VENDORS, SignatureError, Signed, verify
from tests.door import SECRET, signed

NOW_S = 1_767_606_914
NOW_MS = NOW_S * 1000
BODY = json.dumps({"text": "Größe"}, ensure_ascii=False).encode()
FORM = b"EventType=onMessageAdded&Body=two+words&Author=%2B15550001&Empty="
URL = "https://door.example/v1/webhooks/twilio"
TIMED = ("zoom", "zendesk", "chatwoot", "generic")


def request(vendor: str, body: bytes | None = None, **given: Any) -> Signed:
    form = vendor == "twilio"
    content = body if body is not None else FORM if form else BODY
    headers = signed(vendor, content, URL, form=form, **{"at_s": NOW_S, **given})
    return Signed({name.lower(): value for name, value in headers.items()}, content, URL, is_form=form)


def why(vendor: str, request: Signed, secrets: list[str] | None = None, now_ms: int = NOW_MS) -> str:
    with pytest.raises(SignatureError) as refused:
        verify(vendor, request, [SECRET] if secrets is None else secrets, now_ms)
    return refused.value.why


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_the_vendor_signed_is_let_in_and_the_secret_is_told(vendor: str) -> None:
    assert verify(vendor, request(vendor), [SECRET], NOW_MS) == SECRET
    assert verify(vendor, request(vendor), ["an older one", SECRET], NOW_MS) == SECRET
    assert verify(vendor, request(vendor, secret="the new one"), [SECRET, "the new one"], NOW_MS) == "the new one"


@pytest.mark.parametrize("vendor", VENDORS)
def test_another_secret_another_body_and_no_signature_are_not(vendor: str) -> None:
    assert why(vendor, request(vendor, secret="another")) == "wrong signature"
    assert why(vendor, request(vendor), []) == "wrong signature"
    assert why(vendor, Signed({}, BODY)) == "no signature"
    if vendor != "deepgram":
        right = request(vendor)
        assert why(vendor, Signed(right.headers, right.body + b" ", right.url, right.is_form)) == "wrong signature"


@pytest.mark.parametrize("vendor", TIMED)
def test_a_signature_is_good_for_five_minutes(vendor: str) -> None:
    for off_ms in (-FRESH_MS, FRESH_MS):
        assert verify(vendor, request(vendor), [SECRET], NOW_MS + off_ms) == SECRET
    for off_ms in (-FRESH_MS - 1000, FRESH_MS + 1000, 10 * FRESH_MS):
        assert why(vendor, request(vendor), now_ms=NOW_MS + off_ms) == "old"


@pytest.mark.parametrize("vendor", TIMED)
@pytest.mark.parametrize("time", ["", "yesterday", "-5", "9" * 30, "١٧٦٧٦٠٦٩١٤", "2026-01-05T09:55:14"])
def test_a_time_that_is_none_is_no_time(vendor: str, time: str) -> None:
    right = request(vendor)
    headers = {name: time if "time" in name else value for name, value in right.headers.items()}
    assert why(vendor, Signed(headers, right.body)) == "no time"


@pytest.mark.parametrize("vendor", TIMED)
def test_a_time_that_was_not_signed_is_a_wrong_signature(vendor: str) -> None:
    right, later = request(vendor), request(vendor, at_s=NOW_S + 60)
    name = next(name for name in right.headers if "time" in name)
    assert why(vendor, Signed({**right.headers, name: later.headers[name]}, right.body)) == "wrong signature"


def test_twilio_signs_the_address_with_or_without_a_port_and_never_another() -> None:
    plain = request("twilio")
    for url, good in (
        (URL, True), (URL.replace(".example", ".example:443"), True), (URL.replace(".example", ".example:8080"), True),
        (URL.replace("door.", "other."), False), (URL + "?a=b", False), (URL.replace("https", "http"), False),
    ):  # fmt: skip
        seen = Signed(plain.headers, plain.body, url, is_form=True)
        if good:
            assert verify("twilio", seen, [SECRET], NOW_MS) == SECRET
        else:
            assert why("twilio", seen) == "wrong signature"


def test_twilio_signs_json_by_its_digest_in_the_address() -> None:
    url = f"{URL}?bodySHA256={hashlib.sha256(BODY).hexdigest()}"
    headers = {name.lower(): value for name, value in signed("twilio", BODY, url).items()}
    assert verify("twilio", Signed(headers, BODY, url), [SECRET], NOW_MS) == SECRET
    assert why("twilio", Signed(headers, BODY + b" ", url)) == "wrong signature"
    assert why("twilio", Signed({**headers}, BODY, URL)) == "wrong signature"


def test_twilio_s_own_example_is_let_in() -> None:
    """The one of their documentation."""
    body = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
    example = Signed(
        {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
        body,
        "https://mycompany.com/myapp.php?foo=1&bar=2",
        True,
    )
    assert verify("twilio", example, ["12345"], NOW_MS) == "12345"


def test_standard_webhooks_own_example_is_let_in() -> None:
    """The one of their specification's libraries."""
    example = Signed(
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
    )
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert verify("generic", example, [secret], 1_614_265_330_000) == secret
    assert why("generic", example, ["whsec_no base64!"], 1_614_265_330_000) == "wrong signature"
