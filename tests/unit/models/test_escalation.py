"""The risk of escalation: what raises it, what it says, and which files it refuses."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifact import ArtifactError
from models.escalation import FEATURES, EscalationModel, ScoredTurn, Weight, features, load_escalation_model

TURNS = st.lists(
    st.builds(ScoredTurn, st.sampled_from(["customer", "agent", "unknown", "bot", "system"]), st.integers(-1000, 1000)),
    max_size=20,
)


def customer(*scores: int) -> list[ScoredTurn]:
    return [ScoredTurn("customer", score) for score in scores]


def test_features_of_both_parties() -> None:
    turns = [ScoredTurn("agent", -300), *customer(-200, 500, -700), ScoredTurn("agent", 100)]
    assert features(turns) == pytest.approx({"displeasure": 0.9, "worst_turn": 0.7, "agent_regret": 0.1})


def test_a_turn_of_unknown_role_is_the_customers_and_a_bots_is_nobodys() -> None:
    assert features([ScoredTurn("unknown", -400)]) == features(customer(-400))
    assert features([ScoredTurn("bot", -400), ScoredTurn("system", -400)]) == features([])


def test_the_risk_is_the_logistic_function_of_the_weighted_features() -> None:
    model = EscalationModel("m@1", -1.0, {"worst_turn": Weight(mean=0.5, scale=0.25, coefficient=2.0)})
    assert model.assess(customer(-750)).value == pytest.approx(1 / (1 + math.exp(-1.0)))
    assert model.assess(customer(-500)).value == pytest.approx(1 / (1 + math.exp(1.0)))


def test_reasons_are_what_raises_the_risk_the_strongest_first() -> None:
    weights = {
        "displeasure": Weight(mean=0.0, scale=1.0, coefficient=0.5),
        "worst_turn": Weight(mean=0.0, scale=1.0, coefficient=1.0),
        "agent_regret": Weight(mean=0.0, scale=1.0, coefficient=1.0),
    }
    assert EscalationModel("m@1", 0.0, weights).assess(customer(-900)).reasons == ("worst_turn", "displeasure")
    assert EscalationModel("m@1", 0.0, weights).assess(customer(900)).reasons == ()


@given(TURNS, st.randoms(use_true_random=False))
def test_the_shipped_models_risk_is_one_whatever_the_order(turns: list[ScoredTurn], random: Any) -> None:
    model = load_escalation_model("escalation")
    shuffled = list(turns)
    random.shuffle(shuffled)
    assert 0 < model.assess(turns).value < 1
    assert model.assess(turns) == model.assess(shuffled)


@given(st.lists(st.integers(-1000, 1000), max_size=10), st.integers(-1000, -1))
def test_the_shipped_models_risk_never_falls_with_another_bad_turn(scores: list[int], bad: int) -> None:
    model = load_escalation_model("escalation")
    assert model.assess(customer(*scores, bad)).value >= model.assess(customer(*scores)).value


def test_extreme_weights_do_not_overflow() -> None:
    model = EscalationModel("m@1", 0.0, {"worst_turn": Weight(mean=0.0, scale=1e-9, coefficient=1.0)})
    assert model.assess(customer(-1000)).value == 1.0
    assert model.assess(customer(1000)).value == pytest.approx(0.0)


def test_the_shipped_model_has_a_card_that_names_it() -> None:
    model = load_escalation_model("escalation")
    folder = Path("models/artifacts/escalation")
    card = (folder / "CARD.md").read_text("utf-8")
    assert card.startswith(f"# Model card: {model.id}\n")
    counted = json.loads((folder / "risk.json").read_text("utf-8"))["features"]
    assert [name for name in FEATURES if f"| `{name}` |" in card] == list(counted)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"features": {"moon": {"mean": 0, "scale": 1, "coefficient": 1}}},
            r"risk.json: features.moon: there is no such",
        ),
        ({"features": {"worst_turn": {"mean": 0, "scale": 0, "coefficient": 1}}}, r"features.worst_turn.scale"),
        ({"features": {}}, "features: "),
        ({"intercept": "much"}, "intercept: "),
        ({"format": 2}, "format: "),
    ],
)
def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    shipped = json.loads(Path("models/artifacts/escalation/risk.json").read_text("utf-8"))
    (tmp_path / "risk.json").write_text(json.dumps(shipped | change))
    with pytest.raises(ArtifactError, match=says) as refused:
        load_escalation_model(str(tmp_path))
    assert "\n" not in str(refused.value)


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(ArtifactError, match="there is no escalation model 'none-such'"):
        load_escalation_model("none-such")
