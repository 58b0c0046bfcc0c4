"""The arithmetic behind the benchmarks' figures, and a smoke run of one measurement with real processes."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from benchmarks import line, readme, redaction_labels, transaction, written_turns
from benchmarks.brokers import installation
from benchmarks.figure import VoidError, figure, quantile, rate
from benchmarks.results import Results, load, save
from benchmarks.scale import parser, scale
from benchmarks.traffic import preload, texts
from models.classifier import Classifier
from models.redaction import Span
from schemas.records import Role
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from tests.tiny_artifact import tiny_artifact
from training.data.grammar import Grammar, Start


def test_rate_leaves_out_the_first_tenth() -> None:
    slow_start = [0, *range(5000, 5091, 10)]  # the second is the last of the first tenth, then one every 10 ms
    assert rate(slow_start) == pytest.approx(100)


def test_rate_counts_the_time_until_the_work_left_over_is_done() -> None:
    times = list(range(0, 1000, 10))  # 89 are later than the first tenth's end at 100 ms
    assert rate(times, end_ms=1990) == pytest.approx(89 / 1.89)


def test_rate_begins_when_all_agents_work() -> None:
    assert rate([*range(0, 500, 1), *range(500, 1001, 10)], begin_ms=500) == pytest.approx(100)


def test_without_a_steady_state_there_is_no_rate() -> None:
    with pytest.raises(VoidError):
        rate([7, 7, 7, 7])


@pytest.mark.parametrize(("q", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1, 100), (0, 1)])
def test_quantiles_are_by_nearest_rank(q: float, value: float) -> None:
    assert quantile(list(range(100, 0, -1)), q) == value


def test_a_figure_shows_its_median_and_range() -> None:
    taken = figure("edge alone", "kafka", "events/s", [2400.4, 1234.56, 3000])
    assert (taken.shown, taken.spread) == ("2,400 events/s", "1,235 to 3,000")


def test_what_was_not_carried_is_said_so_and_has_no_quantile() -> None:
    """Seen to fail with quantiles of those turns alone that carried the rate."""
    fast, slow = transaction.Turn(300, {200: [1.0, 9.0]}), transaction.Turn(300, {200: [1.0, transaction.BEHIND_MS]})
    assert transaction._quantiles([fast, fast], 200, 0.99) == [9.0, 9.0]
    assert transaction._quantiles([fast, slow], 200, 0.99) == []
    assert transaction._quantiles([fast], 1000, 0.99) == [], "not tried, as it is above the greatest rate"
    nothing = figure("p99", "kafka", "ms", [])
    assert (nothing.shown, nothing.spread, nothing.to_json()["median"]) == ("not carried", "", None)


def test_results_of_other_measurements_stay_only_on_the_same_machine(tmp_path: Path) -> None:
    path = tmp_path / "results" / "latest.json"
    one, other = (figure(name, "kafka", "ms", [1.0]) for name in ("one", "other"))
    save(Results({"cores": "2"}, "2025-01-01", {"a": [one]}), path)
    save(Results({"cores": "2"}, "2025-01-02", {"b": [other]}), path)
    assert load(path) == Results({"cores": "2"}, "2025-01-02", {"a": [one], "b": [other]})
    save(Results({"cores": "4"}, "2025-01-03", {"b": [other]}), path)
    assert load(path).figures == {"b": [other]}


def test_documents_change_between_their_markers_only() -> None:
    document = "before\n<!-- bench:start -->\nold\n<!-- bench:end -->\nafter\n"
    assert readme.replaced(document, "bench", "new") == document.replace("old", "new")
    with pytest.raises(readme.DocumentError):
        readme.replaced(document, "models", "new")


def test_a_cell_joins_figures_of_one_unit_and_marks_the_ratio() -> None:
    rates = [figure("edge alone", "kafka", "events/s", [2400]), figure("over bare", "kafka", "", [0.85])]
    assert readme.cell(rates) == "2,400 events/s (ratio **0.85**)"
    assert readme.cell([figure(f"p{q}", "kafka", "ms", [q]) for q in (50, 95)]) == "50.0, 95.0 ms"


def test_preloaded_events_have_ids_of_their_own_and_the_texts_that_the_classifier_is_given(
    embedded_broker: str,
) -> None:
    settings = installation(embedded_broker)
    number = len(texts(1)) + 2300  # more than the sample has
    preload(settings, number)
    decode = codec(settings, TRANSCRIPTS).decode
    events = [decode(message.value()) for message in read_topic(Cluster(settings), TRANSCRIPTS)]
    by_number = sorted(events, key=lambda event: int(event.event_id))
    assert [event.event_id for event in by_number] == [str(i) for i in range(number)]
    assert [event.text for event in by_number] == texts(number)


def test_a_run_of_the_line_is_measured_with_a_real_worker(tmp_path: Path, embedded_broker: str) -> None:
    models = ["--edge-model", str(tiny_artifact(tmp_path, "edge"))]
    wanted = scale(parser(None).parse_args(["--quick", *models]))
    run = line.run_line(embedded_broker, wanted, ["edge"], 6000, line.EDGE_ALONE)
    assert run.rate > 0
    assert run.cloud_share == 0
    assert run.inference > 0
    assert run.transactions > 0


def test_a_run_with_a_missing_result_is_void(embedded_broker: str) -> None:
    settings = installation(embedded_broker)
    preload(settings, 3)  # and no worker
    with pytest.raises(VoidError, match="3 lost"):
        line._require_sound(settings, 3, ["edge"])


@pytest.mark.parametrize("variant", [each for each in transaction.VARIANTS if not each.model])
def test_the_agent_answers_every_event_with_and_without_transactions(
    embedded_broker: str, variant: transaction.Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with a baseline that does not commit, and with one that publishes the first output only."""
    monkeypatch.setattr(transaction, "QUICK_EVENTS_WITHOUT_MODEL", 2000)
    monkeypatch.setattr(transaction, "RATES", (50.0,))
    turn = transaction._turn(embedded_broker, scale(parser(None).parse_args(["--quick"])), variant, texts=0)
    assert turn.greatest > 0
    assert len(turn.latencies[50.0]) == 50 * transaction.QUICK_WINDOW_S


def test_each_name_gives_way_to_another_of_the_file() -> None:
    said = ["hi Ann, it's Bo", "my pin is 1234", "Cy here"]
    found = [[Span(3, 6, "NAME"), Span(13, 15, "NAME")], [], [Span(0, 2, "NAME")]]
    assert redaction_labels._renamed(said, found) == ["hi Cy, it's Ann", "my pin is 1234", "Bo here"]
    assert redaction_labels._renamed([], []) == []


def test_a_written_turn_is_whole_and_has_one_label() -> None:
    starts = (
        Start(kind="thanks", label="positive", role="agent", texts=("a pleasure", "glad {you} called")),
        Start(kind="nothing", label="unsure", texts=("hm",)),
    )
    assert written_turns.turns(Grammar(starts, {})) == [written_turns.Turn("a pleasure", "positive", "agent")]


def test_written_turns_are_counted_with_their_roles_and_by_what_the_model_is_sure_of() -> None:
    """Seen to fail where a right answer counts as wrong and sure, and where the role is not told."""

    answers = {
        ("a", "customer", "positive"): [0.1, 0.1, 0.8],
        ("b", "customer", "neutral"): [0.9, 0.05, 0.05],
        ("c", "bot", "negative"): [0.2, 0.4, 0.4],
        ("d", "bot", "neutral"): [0.3, 0.4, 0.3],
        ("e", "agent", "neutral"): [0.2, 0.2, 0.6],
        ("f", "agent", "negative"): [0.4, 0.3, 0.3],
    }

    class Model:
        def score(self, texts: Sequence[str], roles: Sequence[str]) -> np.ndarray:
            assert list(zip(texts, roles, strict=True)) == [(text, role) for text, role, _ in answers]
            return np.array(list(answers.values()))

    asked = [written_turns.Turn(text, label, cast(Role, role)) for text, role, label in answers]
    right, sure = written_turns._cells(cast(Classifier, Model()), asked, threshold=0.5)
    assert (right[:5], sure[:5]) == ("0.500", "0.333")
