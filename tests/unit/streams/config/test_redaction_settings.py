"""Redaction and residency in the settings."""

from pathlib import Path

import pytest

from models.redaction import ConversationRedactor, NoRedaction
from models.residency import LocalRule
from schemas.errors import EdgewiseError, UsageError
from streams.config.loading import load_settings
from streams.config.redaction import build_redaction

IN_EUROPE = LocalRule(kinds=frozenset({"CARD"}), attributes=(("region", frozenset({"eu", "ch"})),))
ON_VOICE = LocalRule(channels=frozenset({"voice"}))


def test_rules_are_read_from_the_file_and_from_the_variable(tmp_path: Path) -> None:
    path = tmp_path / "edgewise.toml"
    path.write_text(
        '[[sensitive_local]]\nkinds = ["CARD"]\nattributes = { region = ["eu", "ch"] }\n'
        '[[sensitive_local]]\nchannels = "voice"\n'
    )
    assert load_settings(path, environ={}).sensitive_local == (IN_EUROPE, ON_VOICE)
    variable = {"EDGEWISE_SENSITIVE_LOCAL": '[{"channels": "voice"}]'}
    assert load_settings(path, environ=variable).sensitive_local == (ON_VOICE,)
    assert load_settings(environ={}).sensitive_local == ()
    handed = load_settings(path, environ={}).model_dump()["sensitive_local"]
    assert load_settings(environ={"EDGEWISE_SENSITIVE_LOCAL": handed}).sensitive_local == (IN_EUROPE, ON_VOICE)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"SENSITIVE_LOCAL": '[{"channels": "voice"}, {"kinds": "CRAD"}]'}, "rule 2: 'CRAD' in kinds: allowed is NAME"),
        ({"SENSITIVE_LOCAL": "CARD"}, "not JSON"),
        ({"SENSITIVE_LOCAL": '{"kinds": "CARD"}'}, "not a list of rules"),
        ({"REDACTION_KINDS": "CARD,CVC"}, "'CVC' is no kind"),
        ({"REDACTION": "some"}, "allowed is one of rules, tagger, off"),
        (
            {"REDACTION_KINDS": "CARD", "SENSITIVE_LOCAL": '[{"kinds": ["CARD", "SSN"]}]'},
            "rule 1 goes by SSN, which is not looked for",
        ),
        (
            {"REDACTION": "off", "SENSITIVE_LOCAL": '[{"kinds": "CARD"}]'},
            "rule 1 goes by CARD, which is not looked for",
        ),
    ],
)
def test_what_is_wrong_is_told_on_one_line(environ: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_settings(environ={f"EDGEWISE_{name}": value for name, value in environ.items()})
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_settings_choose_the_redaction(tmp_path: Path) -> None:
    by_rules = build_redaction(load_settings(environ={"EDGEWISE_REDACTION_KINDS": "card, pin"}))
    assert isinstance(by_rules, ConversationRedactor)
    assert by_rules.redact("a", "card 4111 1111 1111 1111, zip code 90210").text == "card [CARD_1], zip code 90210"
    assert isinstance(build_redaction(load_settings(environ={"EDGEWISE_REDACTION": "off"})), NoRedaction)
    with_tagger = {"EDGEWISE_REDACTION": "tagger", "EDGEWISE_REDACTION_MODEL": str(tmp_path)}
    with pytest.raises(EdgewiseError, match="cannot read the tagger's manifest"):
        build_redaction(load_settings(environ=with_tagger))
