"""Who and what is scored, and by whom."""

from collections.abc import Collection

import pytest

from models.admission import Admission, Admitted, Unread
from models.doubt import MOST_SURE
from models.language_detection import detect
from models.router import Complexity, Decision

GERMAN = "Mein Paket ist nie angekommen und niemand antwortet"
DECISION = Decision("edge", "optimal_edge", Complexity(0.1, 0.1, 0.1, 0.1, 0.0))


def rule(unread: Unread = "publish", cloud: Collection[str] = ("en",), edge: Collection[str] = ("en",)) -> Admission:
    return Admission(
        roles={"customer", "unknown"}, edge_languages=edge, cloud_languages=cloud, unread=unread, detect=detect
    )


@pytest.mark.parametrize(("role", "skipped"), [("customer", None), ("unknown", None), ("bot", "not_scored")])
def test_a_role_is_scored_or_not(role: str, skipped: str | None) -> None:
    assert rule().admit(role, None, "hello").skipped == skipped  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "text", "known"),
    [
        ("en-GB", "Where is my bag, please?", "en-GB"),
        (None, "Where is my bag, and why does nobody tell me?", "en"),
        ("und", "Where is my bag, and why does nobody tell me?", "en"),
        (None, "👍", None),
        ("de", "👍 5", "de"),
        ("de", "ok", "de"),
        (None, "yasika khan", None),
    ],
)
def test_what_the_edge_reads_or_nobody_could_tell_is_scored_as_ever(
    language: str | None, text: str, known: str | None
) -> None:
    admitted = rule("skip").admit("customer", language, text)
    assert admitted == Admitted(known)
    assert admitted.decided(DECISION) == DECISION
    assert not admitted.is_degraded(DECISION)


@pytest.mark.parametrize("language", ["de-AT", None])
def test_what_no_model_reads_is_published_as_degraded_or_not_scored(language: str | None) -> None:
    admitted = rule().admit("customer", language, GERMAN)
    decision = admitted.decided(DECISION)
    assert (admitted.skipped, decision.route, decision.reason) == (None, "edge", "unsupported_language")
    assert admitted.is_degraded(decision)
    assert rule("skip").admit("customer", language, GERMAN).skipped == "unsupported_language"


def test_the_edge_is_sure_of_what_it_reads_alone() -> None:
    sure = (0.9, 0.06, 0.04)
    assert rule().admit("customer", None, "Where is my bag, and why does nobody tell me?").believed(sure) == sure
    assert max(rule().admit("customer", None, GERMAN).believed(sure)) == pytest.approx(MOST_SURE)


@pytest.mark.parametrize("cloud", [("en", "de"), ("*",)])
@pytest.mark.parametrize("unread", ["publish", "skip"])
def test_what_the_cloud_reads_goes_there(cloud: Collection[str], unread: Unread) -> None:
    admitted = rule(unread, cloud).admit("customer", None, GERMAN)
    decision = admitted.decided(DECISION)
    assert (admitted.skipped, decision.route, decision.reason) == (None, "cloud", "unsupported_language")
    assert not admitted.is_degraded(decision)
    kept = Decision("edge", "sensitive_local", DECISION.complexity)
    assert admitted.is_degraded(kept), "what must not leave is answered by who cannot read it"


def test_a_model_of_all_languages_reads_each() -> None:
    assert rule(edge=("*",)).admit("customer", "de", GERMAN) == Admitted("de")
