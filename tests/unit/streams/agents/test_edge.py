"""The edge agent: what comes out for what goes in, with a real (tiny) model and no broker."""

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from models import rules
from models.artifact import load_artifact
from models.classifier import Classifier
from models.doubt import MOST_SURE
from models.redaction import ConversationRedactor, NoRedaction, Redacted
from models.residency import LocalRule
from models.router import Decision, Policy, Scored
from schemas.codec import Codec
from schemas.records import Role, TranscriptEvent
from schemas.topics import CLOUD_INFERENCE, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from streams.agents import metrics
from streams.agents.agent import KafkaRecord, Output
from streams.agents.dead_letter_limit import TooManyDeadLettersError
from streams.agents.edge import EdgeAgent
from streams.config.settings import Settings
from tests.events import TRANSCRIPT, consumer_record
from tests.tiny_artifact import tiny_artifact, write_manifest

NOW = TRANSCRIPT.occurred_at + 5_000
SETTINGS = Settings(topic_prefix="p.", edge_price_usd=0.001, cloud_price_usd=0.0136)
KEEP_ALL = Policy("test", "1", confidence_threshold=0.0, complexity_threshold=2.0, random_cloud_rate=0.0)

EVENTS = Codec(TRANSCRIPTS)
RESULTS = Codec(SENTIMENT)
REQUESTS = Codec(CLOUD_INFERENCE)
AUDIT = Codec(ROUTING_EVENTS)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier(load_artifact(str(tiny_artifact(tmp_path_factory.mktemp("models")))))


@pytest.fixture
def told(tmp_path: Path) -> Classifier:
    """One that is told who speaks, and takes all that agents say for a complaint."""
    folder = tiny_artifact(tmp_path, words={"agent": -1})
    write_manifest(folder, reads_roles=True)
    return Classifier(load_artifact(str(folder)))


def agent(classifier: Classifier, policy: Policy = KEEP_ALL, settings: Settings = SETTINGS) -> EdgeAgent:
    return EdgeAgent(settings, classifier, policy, NoRedaction(), clock=lambda: NOW)


def record(event: TranscriptEvent, offset: int = 0) -> KafkaRecord:
    made: KafkaRecord = consumer_record(
        EVENTS.encode(event), topic="p.transcripts", offset=offset, key=event.conversation_id.encode()
    )
    return made


def process(agent: EdgeAgent, records: Sequence[KafkaRecord]) -> dict[str, list[Output]]:
    outputs: dict[str, list[Output]] = {}
    for output in asyncio.run(agent.process(records)):
        outputs.setdefault(output.topic.removeprefix("p."), []).append(output)
    return outputs


@pytest.mark.parametrize("key", [None, b"a customer"], ids=["no-key", "another"])
@pytest.mark.parametrize("threshold", [0.0, 1.0], ids=["answered", "deferred"])
def test_whatever_key_an_event_came_with_its_records_have_the_conversations(
    classifier: Classifier, key: bytes | None, threshold: float
) -> None:
    router = dataclasses.replace(KEEP_ALL, confidence_threshold=threshold)
    outputs = process(agent(classifier, router), [dataclasses.replace(record(TRANSCRIPT), key=key)])
    assert set(outputs) == {"cloud-inference" if threshold else "sentiment", "routing-events"}
    assert {output.key for each in outputs.values() for output in each} == {b"c1"}


def test_a_model_that_reads_roles_is_told_the_event_s(told: Classifier) -> None:
    said = [dataclasses.replace(TRANSCRIPT, text="the gate", role=role) for role in ("agent", "customer")]
    outputs = process(agent(told), [record(event) for event in said])
    assert [RESULTS.decode(output.value).label for output in outputs["sentiment"]] == ["negative", "neutral"]


def test_a_confident_event_is_answered_and_audited(classifier: Classifier) -> None:
    event = dataclasses.replace(TRANSCRIPT, text="awful service", turn=3)
    source = record(event)
    outputs = process(agent(classifier), [source])
    assert set(outputs) == {"sentiment", "routing-events"}
    (answer,), (audit,) = outputs["sentiment"], outputs["routing-events"]
    assert answer.key == audit.key == b"c1"
    result, routing = RESULTS.decode(answer.value), AUDIT.decode(audit.value)
    assert (result.event_id, result.conversation_id, result.turn) == ("e1", "c1", 3)
    assert (result.label, result.route, result.reason, result.degraded) == ("negative", "edge", "optimal_edge", False)
    assert result.confidence == max(result.negative, result.neutral, result.positive)
    assert result.negative + result.neutral + result.positive == pytest.approx(1, abs=1e-6)
    assert (result.model, result.occurred_at, result.scored_at) == ("edge@1.0.0", event.occurred_at, NOW)
    assert (routing.stage, routing.route, routing.reason) == ("completed", "edge", "optimal_edge")
    assert (routing.edge_label, routing.edge_confidence) == ("negative", result.confidence)
    assert (routing.cost_usd, routing.cloud_only_cost_usd) == (0.001, 0.0136)
    assert routing.end_to_end_ms == NOW - source.timestamp
    assert (routing.recorded_at, routing.router, routing.cloud_label) == (NOW, "test@1", None)


def test_an_unsure_event_goes_to_the_cloud_with_the_edges_answer(classifier: Classifier) -> None:
    unsure = dataclasses.replace(KEEP_ALL, confidence_threshold=1.0)
    outputs = process(agent(classifier, unsure), [record(dataclasses.replace(TRANSCRIPT, text="great, thanks"))])
    assert set(outputs) == {"cloud-inference", "routing-events"}
    request = REQUESTS.decode(outputs["cloud-inference"][0].value)
    routing = AUDIT.decode(outputs["routing-events"][0].value)
    assert (request.event_id, request.text, request.reason) == ("e1", "great, thanks", "low_confidence")
    assert max(request.edge_negative, request.edge_neutral, request.edge_positive) == request.edge_positive
    assert request.ingested_at == record(TRANSCRIPT).timestamp
    assert (routing.stage, routing.route, routing.reason) == ("decided", "cloud", "low_confidence")
    assert (routing.cost_usd, routing.cloud_only_cost_usd) == (0.001, 0.0), "the edge was asked; the cloud not yet"


def test_where_a_core_has_a_price_the_edge_costs_the_processor_time_that_it_took(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.agents.edge.process_time", iter([1.0, 1.5]).__next__)
    settings = SETTINGS.model_copy(update={"edge_core_hour_usd": 0.036})
    outputs = process(agent(classifier, settings=settings), [record(TRANSCRIPT, n) for n in range(4)])
    audits = [AUDIT.decode(output.value) for output in outputs["routing-events"]]
    assert {(audit.cost_usd, audit.cost_basis) for audit in audits} == {(1.25e-6, "measured")}


@pytest.mark.parametrize("threshold", [0.0, 1.0], ids=["edge", "cloud"])
def test_who_spoke_and_where_goes_along(classifier: Classifier, threshold: float) -> None:
    event = dataclasses.replace(
        TRANSCRIPT,
        text="Thank you",
        role="agent",
        channel="chat",
        language="en-GB",
        source="files",
        last=True,
        attributes={"vendor_sentiment": "POSITIVE"},
    )
    outputs = process(agent(classifier, dataclasses.replace(KEEP_ALL, confidence_threshold=threshold)), [record(event)])
    routing = AUDIT.decode(outputs["routing-events"][0].value)
    answers = [RESULTS.decode(output.value) for output in outputs.get("sentiment", ())]
    requests = [REQUESTS.decode(output.value) for output in outputs.get("cloud-inference", ())]
    assert len(answers) + len(requests) == 1
    made: list[Any] = [routing, *answers, *requests]
    for given in made:
        assert (given.role, given.channel, given.language) == ("agent", "chat", "en-GB")
        assert (given.source, given.last) == ("files", True)
    for given in made[:1] + requests:
        assert (given.text_chars, given.vendor_label) == (9, "positive")


@pytest.mark.parametrize("threshold", [0.0, 1.0], ids=["edge", "cloud"])
def test_what_answers_an_event_bears_its_trace_and_the_audit_none(classifier: Classifier, threshold: float) -> None:
    context = (("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("tracestate", b"a=1"))
    traced = dataclasses.replace(record(TRANSCRIPT), headers=(("edgewise-row", b"1"), *context))
    outputs = process(
        agent(classifier, dataclasses.replace(KEEP_ALL, confidence_threshold=threshold)),
        [record(TRANSCRIPT), traced],
    )
    borne = [output.headers for output in outputs["cloud-inference" if threshold else "sentiment"]]
    assert borne == [(), context]
    assert {output.headers for output in outputs["routing-events"]} == {()}


def test_turns_of_roles_that_nobody_asked_for_get_an_audit_event_alone(classifier: Classifier) -> None:
    roles: tuple[Role, ...] = ("customer", "bot", "agent", "system", "unknown")
    given = [record(dataclasses.replace(TRANSCRIPT, event_id=f"e{i}", role=role), i) for i, role in enumerate(roles)]
    asked, spent = _metric("edgewise_unscored_events_total"), _metric("edgewise_cost_usd_total")
    outputs = process(agent(classifier), given)
    assert [RESULTS.decode(output.value).role for output in outputs["sentiment"]] == ["customer", "agent", "unknown"]
    audit = [AUDIT.decode(output.value) for output in outputs["routing-events"]]
    assert [event.event_id for event in audit] == [f"e{i}" for i in range(5)]
    assert [event.scored for event in audit] == [True, False, True, False, True]
    bot = audit[1]
    assert (bot.stage, bot.route, bot.reason, bot.role) == ("completed", "edge", "not_scored", "bot")
    assert (bot.edge_label, bot.edge_confidence, bot.cost_usd, bot.cloud_only_cost_usd) == ("neutral", 0.0, 0.0, 0.0)
    assert (bot.model, bot.router, bot.text_chars) == ("", "", len(TRANSCRIPT.text))
    assert _metric("edgewise_unscored_events_total") - asked == 2
    assert _metric("edgewise_cost_usd_total") - spent == pytest.approx(3 * SETTINGS.edge_price_usd)


def _metric(name: str) -> float:
    return sum(
        sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == name and sample.labels["agent"] == "edge"
    )


def test_a_batch_of_which_nothing_is_scored_is_audited(classifier: Classifier) -> None:
    outputs = process(agent(classifier), [record(dataclasses.replace(TRANSCRIPT, role="system"))])
    assert set(outputs) == {"routing-events"}


@pytest.mark.parametrize(
    ("changes", "topics", "reason", "degraded", "scored"),
    [
        ({}, {"sentiment"}, "unsupported_language", True, True),
        ({"unsupported_language": "skip"}, set(), "unsupported_language", False, False),
        ({"cloud_languages": "en,de"}, {"cloud-inference"}, "unsupported_language", False, True),
        (
            {"cloud_languages": "*", "unsupported_language": "skip"},
            {"cloud-inference"},
            "unsupported_language",
            False,
            True,
        ),
    ],
    ids=["published", "skipped", "the cloud reads it", "the cloud reads all"],
)
def test_what_the_edge_does_not_read(
    classifier: Classifier, changes: dict[str, str], topics: set[str], reason: str, degraded: bool, scored: bool
) -> None:
    event = dataclasses.replace(TRANSCRIPT, text="Mein Paket ist nie angekommen und niemand antwortet")
    settings = SETTINGS.model_copy(update=changes)
    outputs = process(agent(classifier, settings=settings), [record(event)])
    assert set(outputs) == topics | {"routing-events"}
    routing = AUDIT.decode(outputs["routing-events"][0].value)
    assert (routing.reason, routing.degraded, routing.scored, routing.language) == (reason, degraded, scored, "de")
    for output in outputs.get("sentiment", ()):
        result = RESULTS.decode(output.value)
        assert (result.reason, result.degraded, result.language, result.route) == (reason, True, "de", "edge")
        assert result.confidence == pytest.approx(MOST_SURE, abs=1e-6)
    for output in outputs.get("cloud-inference", ()):
        assert (REQUESTS.decode(output.value).language, REQUESTS.decode(output.value).reason) == ("de", reason)


@pytest.mark.parametrize(
    ("text", "role", "label", "model"),
    [
        ("5/5", "customer", "positive", rules.ID),
        ("great 5/5", "customer", "positive", "edge@1.0.0"),
        ("5/5 stars", "agent", "neutral", "edge@1.0.0"),
    ],
)
def test_a_result_names_the_rules_where_they_answer_and_the_audit_event_the_edge(
    classifier: Classifier, text: str, role: Role, label: str, model: str
) -> None:
    event = dataclasses.replace(TRANSCRIPT, text=text, role=role)
    outputs = process(agent(classifier), [record(event)])
    result = RESULTS.decode(outputs["sentiment"][0].value)
    assert (result.label, result.model, result.reason) == (label, model, "optimal_edge")
    assert AUDIT.decode(outputs["routing-events"][0].value).model == "edge@1.0.0"
    deferred = process(agent(classifier, dataclasses.replace(KEEP_ALL, random_cloud_rate=1.0)), [record(event)])
    assert REQUESTS.decode(deferred["cloud-inference"][0].value).edge_model == model


def test_results_stand_in_the_order_of_their_events(classifier: Classifier) -> None:
    texts = ["fine", "a much longer text that is sorted behind the others in the model's batch", "ok", "great"] * 50
    records = [record(dataclasses.replace(TRANSCRIPT, event_id=f"e{i}", text=text), i) for i, text in enumerate(texts)]
    outputs = process(agent(classifier), records)
    assert [RESULTS.decode(o.value).event_id for o in outputs["sentiment"]] == [f"e{i}" for i in range(200)]
    labels = [RESULTS.decode(o.value).label for o in outputs["sentiment"]]
    assert labels == [labels[0], labels[1], labels[2], "positive"] * 50


def test_the_same_batch_twice_gives_the_same_bytes(classifier: Classifier) -> None:
    """After an aborted transaction the batch is done again: decisions must not change, or the audit trail would lie."""
    sample = dataclasses.replace(KEEP_ALL, random_cloud_rate=0.5)
    records = [record(dataclasses.replace(TRANSCRIPT, event_id=f"e{i}"), i) for i in range(100)]
    first, second = (process(agent(classifier, sample), records) for _ in range(2))
    for topic in ("sentiment", "cloud-inference"):
        assert first[topic] == second[topic]
        assert first[topic]


def test_what_goes_to_the_cloud_is_redacted_and_the_router_knows_what_was_found(classifier: Classifier) -> None:
    class Noting(Policy):
        def decide(self, batch: Sequence[Scored]) -> list[Decision]:
            seen.extend(batch)
            return super().decide(batch)

    seen: list[Scored] = []
    router = Noting("test", "1", confidence_threshold=1.0, complexity_threshold=2.0, random_cloud_rate=0.0)
    text = "my card number is 4111 1111 1111 1111, great"
    event = dataclasses.replace(TRANSCRIPT, text=text)
    with_redaction = EdgeAgent(SETTINGS, classifier, router, ConversationRedactor(), clock=lambda: NOW)
    outputs = process(with_redaction, [record(event)])
    request, audit = (
        REQUESTS.decode(outputs["cloud-inference"][0].value),
        AUDIT.decode(outputs["routing-events"][0].value),
    )
    assert request.text == "my card number is [CARD_1], great"
    assert request.pii == audit.pii == seen[0].kinds == ("CARD",)
    assert b"4111" not in b"".join(output.value or b"" for output in outputs["cloud-inference"])
    assert request.edge_positive == pytest.approx(float(classifier.score([text])[0][2])), "scored as it was said"


CARD_IN_TURNS = ("the card number please?", "four one one one one one one one", "1111 1111", "the pin? 4821")


def turns(texts: Sequence[str], offset: int = 0) -> list[KafkaRecord]:
    return [
        record(dataclasses.replace(TRANSCRIPT, event_id=f"e{at}", turn=at, text=text), at)
        for at, text in enumerate(texts, offset)
    ]


def test_turns_are_redacted_with_their_conversation_in_mind_and_alike_when_they_come_again(
    classifier: Classifier,
) -> None:
    router = dataclasses.replace(KEEP_ALL, confidence_threshold=1.0)
    made = EdgeAgent(SETTINGS, classifier, router, ConversationRedactor(), clock=lambda: NOW)
    process(made, turns(["my name is Jane Doe", "the card number please?", "four one one one one one one one"]))
    again = turns(["1111 1111", "so that's 4111 1111 1111 1111, and the security code?", "one two three"], 3)
    once = process(made, again)["cloud-inference"]
    texts = [REQUESTS.decode(output.value).text for output in once]
    assert texts == ["[CARD_1]", "so that's [CARD_1], and the security code?", "[CVV_1]"]
    made.positions_set_back({9})  # another partition's
    made.positions_set_back({0})
    assert process(made, again)["cloud-inference"] == once


def test_what_was_committed_is_remembered_when_partitions_change_hands(classifier: Classifier) -> None:
    """A partition that is taken and given back is told as one that is set back: its turns do not come again.

    Seen to fail where only the next batch notes that the last one is committed: the name left as it was said.
    """
    router = dataclasses.replace(KEEP_ALL, confidence_threshold=1.0)
    made = EdgeAgent(SETTINGS, classifier, router, ConversationRedactor(), clock=lambda: NOW)
    process(made, turns(["What is the name on the account?"]))
    made.committed()
    made.positions_set_back({0})
    (asked,) = process(made, turns(["Marlene Duckworth"], 1))["cloud-inference"]
    assert REQUESTS.decode(asked.value).text == "[NAME_1]"


class Broken(NoRedaction):
    def redact(self, conversation_id: str, text: str) -> Redacted:
        if "4821" in text:
            raise ValueError(text)
        return super().redact(conversation_id, text)


def test_what_cannot_be_redacted_stays_on_the_edge_and_is_counted(
    classifier: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    router = dataclasses.replace(KEEP_ALL, confidence_threshold=1.0)
    made = EdgeAgent(SETTINGS, classifier, router, Broken(), clock=lambda: NOW)
    before = metrics.REDACTION_FAILURES.labels("edge")._value.get()
    outputs = process(made, turns(CARD_IN_TURNS))
    assert [REQUESTS.decode(output.value).turn for output in outputs["cloud-inference"]] == [0, 1, 2]
    (answer,) = [RESULTS.decode(output.value) for output in outputs["sentiment"]]
    assert (answer.turn, answer.route, answer.reason, answer.degraded) == (3, "edge", "sensitive_local", False)
    assert metrics.REDACTION_FAILURES.labels("edge")._value.get() == before + 1
    assert "1 events stay on the edge, because their redaction failed: ValueError" in caplog.text
    assert "4821" not in caplog.text


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ((), []),
        ((LocalRule(kinds=frozenset({"PIN"})),), ["e3"]),
        ((LocalRule(kinds=frozenset({"PIN"}), channels=frozenset({"email"})),), []),
        ((LocalRule(channels=frozenset({"voice"})),), ["e0", "e1", "e2", "e3"]),
    ],
)
def test_rules_of_residency_keep_events_on_the_edge(
    classifier: Classifier, rules: tuple[LocalRule, ...], kept: list[str]
) -> None:
    router = dataclasses.replace(KEEP_ALL, confidence_threshold=1.0)
    settings = SETTINGS.model_copy(update={"sensitive_local": rules})
    made = EdgeAgent(settings, classifier, router, ConversationRedactor(), clock=lambda: NOW)
    events = [
        record(dataclasses.replace(TRANSCRIPT, event_id=f"e{at}", channel="voice", text=text), at)
        for at, text in enumerate(CARD_IN_TURNS)
    ]
    outputs = process(made, events)
    results = [RESULTS.decode(output.value) for output in outputs.get("sentiment", [])]
    assert [result.event_id for result in results] == kept
    assert {result.reason for result in results} <= {"sensitive_local"}
    audit = [AUDIT.decode(output.value) for output in outputs["routing-events"]]
    assert [event.event_id for event in audit if event.stage == "completed"] == kept
    assert audit[3].pii == ("PIN",)


def test_poison_goes_to_dead_letters_and_the_events_around_it_arrive(classifier: Classifier) -> None:
    good = EVENTS.encode(dataclasses.replace(TRANSCRIPT, text="hello"))
    bad: dict[str, bytes | None] = {
        "null_value": None,
        "undecodable": good[:-3],
        "unknown_schema": b"\xc3\x01" + b"\x00" * 8 + good[10:],
        "empty_text": EVENTS.encode(dataclasses.replace(TRANSCRIPT, text=" \u200b")),
        "text_too_long": EVENTS.encode(dataclasses.replace(TRANSCRIPT, text="x" * 1_000_000)),
        "invalid_timestamp": EVENTS.encode(dataclasses.replace(TRANSCRIPT, occurred_at=253_402_300_799_000)),
        "invalid_utf8": good.replace(b"hello", b"hel\xff\xfe"),
    }
    values = [good, *bad.values(), good]
    records: list[KafkaRecord] = [
        consumer_record(value, topic="p.transcripts", offset=i) for i, value in enumerate(values)
    ]
    outputs = process(agent(classifier), records)
    assert len(outputs["sentiment"]) == len(outputs["routing-events"]) == 2
    letters = outputs["dead-letters"]
    assert [letter.value for letter in letters] == list(bad.values()), "original bytes, untouched"
    headers = [dict(letter.headers) for letter in letters]
    assert [header["edgewise-reason"].decode() for header in headers] == list(bad)
    assert [header["edgewise-offset"].decode() for header in headers] == [str(i + 1) for i in range(len(bad))]
    assert all(b"hello" not in header["edgewise-detail"] for header in headers), "no customer text"


def test_nothing_but_poison_stops_the_worker(classifier: Classifier) -> None:
    records: list[KafkaRecord] = [consumer_record(b"junk", topic="p.transcripts", offset=i) for i in range(1000)]
    with pytest.raises(TooManyDeadLettersError):
        process(agent(classifier), records)
