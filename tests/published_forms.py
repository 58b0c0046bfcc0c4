"""What those who take alerts allow in a message, as their documents have it: anything else is refused.

Lengths are counted as in UTF-16, where a text has the most characters.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _at_most(most: int) -> AfterValidator:
    def check(text: str) -> str:
        units = len(text.encode("utf-16-le")) // 2
        if not 0 < units <= most:
            raise ValueError(f"it has {units} characters: 1 to {most} are allowed")
        return text

    return AfterValidator(check)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


MOST_BYTES = {"teams": 28_000, "pagerduty": 512_000}
"""Of a whole message, by kind; Teams counts two of them a character (UTF-16). Slack names none."""

# Slack: https://docs.slack.dev/reference/block-kit/blocks and .../composition-objects/text-object.


class _SlackText(_Form):
    """A text object; of the two types only this one reads no markup."""

    type: Literal["plain_text"]
    emoji: bool = True


class SlackTitle(_SlackText):
    text: Annotated[str, _at_most(150)]


class SlackField(_SlackText):
    text: Annotated[str, _at_most(2_000)]


class SlackText(_SlackText):
    text: Annotated[str, _at_most(3_000)]


class SlackHeader(_Form):
    type: Literal["header"]
    text: SlackTitle


class SlackSection(_Form):
    """Of text and fields it has one at least."""

    type: Literal["section"]
    text: SlackText | None = None
    fields: list[SlackField] | None = Field(None, min_length=1, max_length=10)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.text is None and self.fields is None:
            raise ValueError("it has neither text nor fields")
        return self


class SlackContext(_Form):
    type: Literal["context"]
    elements: list[SlackText] = Field(min_length=1, max_length=10)


class SlackMessage(_Form):
    """Of an incoming webhook. Slack cuts a text of more than 40,000 characters."""

    text: Annotated[str, _at_most(40_000)]
    blocks: list[Annotated[SlackHeader | SlackSection | SlackContext, Field(discriminator="type")]] = Field(
        max_length=50
    )


# Teams: https://learn.microsoft.com/connectors/teams ("When a Teams webhook request is received"; a message has 28 KB
# at most), and the card as https://adaptivecards.io/schemas/1.5.0/adaptive-card.json.


class CardRun(_Form):
    type: Literal["TextRun"]
    text: str
    size: Literal["Default", "Small", "Medium", "Large", "ExtraLarge"] = "Default"
    weight: Literal["Default", "Lighter", "Bolder"] = "Default"
    color: Literal["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"] = "Default"


class CardLine(_Form):
    type: Literal["RichTextBlock"]
    inlines: list[CardRun] = Field(min_length=1)


class Card(_Form):
    schema_: Literal["http://adaptivecards.io/schemas/adaptive-card.json"] = Field(alias="$schema")
    type: Literal["AdaptiveCard"]
    version: Literal["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"]
    body: list[CardLine] = Field(min_length=1)


class TeamsAttachment(_Form):
    contentType: Literal["application/vnd.microsoft.card.adaptive"]  # noqa: N815
    contentUrl: None  # noqa: N815
    content: Card


class TeamsMessage(_Form):
    type: Literal["message"]
    attachments: list[TeamsAttachment] = Field(min_length=1)


# PagerDuty: https://developer.pagerduty.com/docs/send-alert-event, and the schema of its own at
# https://github.com/PagerDuty/api-schema (reference/events-v2/openapiv3.json).


def _time(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a time of no zone")
    return text


class PagerDutyPayload(_Form):
    summary: Annotated[str, _at_most(1_024)]
    source: Annotated[str, Field(min_length=1)]
    severity: Literal["critical", "error", "warning", "info"]
    timestamp: Annotated[str, AfterValidator(_time)] | None = None
    component: str | None = None
    group: str | None = None
    class_: str | None = Field(None, alias="class")
    custom_details: dict[str, Any] | None = None


class PagerDutyTrigger(_Form):
    routing_key: Annotated[str, Field(min_length=32, max_length=32)]
    event_action: Literal["trigger"]
    dedup_key: Annotated[str, _at_most(255)] | None = None
    client: str | None = None
    client_url: str | None = None
    payload: PagerDutyPayload


class PagerDutyResolve(_Form):
    """Of it only the key is read."""

    routing_key: Annotated[str, Field(min_length=32, max_length=32)]
    event_action: Literal["resolve"]
    dedup_key: Annotated[str, _at_most(255)]
