"""What the door takes and answers, for programs (OpenAPI 3.1) and for people (one page that loads nothing)."""

from functools import cache
from html import escape
from typing import Any, Final

from streams.ingest.json_events import MOST_EVENTS, schema
from streams.ingest.signatures import VENDORS

_PROBLEMS: Final = {
    "401": "No valid token or signature, or a signature of more than five minutes ago.",
    "408": "The body came too slowly.",
    "413": "The body, or an event, is too large.",
    "415": "Another content type, character set or encoding than is allowed.",
    "422": "The body is not what it should be: `detail` says where, and what is allowed.",
    "429": "Kafka is slow: send it again after Retry-After. It makes no second event.",
    "503": "Kafka is away, or too many connections are open: as 429.",
}

_COUNTS: Final = {
    "new": {"type": "integer", "description": "Events that are in Kafka now."},
    "repeated": {"type": "integer", "description": "Events that were there before."},
    "left_out": {
        "type": "object",
        "additionalProperties": {"type": "integer"},
        "description": "What of a vendor's request was no turn, by why.",
    },
}
_IDS: Final = {"type": "array", "items": {"type": "string"}, "description": "The events' ids, in order."}


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    event = {"$ref": "#/components/schemas/Event"}
    some = {"type": "array", "items": event, "maxItems": MOST_EVENTS}
    forms = {"oneOf": [event, some, {"type": "object", "properties": {"events": some}, "required": ["events"]}]}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Edgewise ingest",
            "version": "1",
            "description": "Turns of transcripts into Kafka. A success is answered once Kafka has every event; what is "
            "sent again makes no second one.",
        },
        "paths": {
            "/v1/events": {
                "post": {
                    "summary": "Events as our JSON: one, a list, or one a line",
                    "security": [{"token": []}],
                    "parameters": [
                        {
                            "name": "Idempotency-Key",
                            "in": "header",
                            "schema": {"type": "string"},
                            "description": "The same for the same request: events without an id get one made of it.",
                        }
                    ],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": forms}, "application/x-ndjson": {"schema": event}},
                    },
                    "responses": _responses({**_COUNTS, "ids": _IDS}),
                }
            },
            "/v1/webhooks/{vendor}": {
                "post": {
                    "summary": "A vendor's webhook, with that vendor's signature over the raw body",
                    "parameters": [
                        {
                            "name": "vendor",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string", "enum": list(VENDORS)},
                        }
                    ],
                    "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
                    "responses": _responses(_COUNTS) | {"404": _problem("No secret of this vendor is set up.")},
                }
            },
            "/livez": {"get": _probe("Whether a restart would not help")},
            "/readyz": {"get": _probe("Whether Kafka takes events")},
            "/metrics": {"get": {"summary": "Metrics for Prometheus", "responses": {"200": {"description": "Text."}}}},
        },
        "components": {
            "schemas": {"Event": schema(), "Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


@cache
def page() -> str:
    """The document as HTML."""
    described = document()
    parts = [f"<h1>{escape(described['info']['title'])}</h1><p>{escape(described['info']['description'])}</p>"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            rows = "".join(
                f"<tr><td>{code}</td><td>{escape(response['description'])}</td></tr>"
                for code, response in operation["responses"].items()
            )
            parts.append(
                f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation['summary'])}</p>"
                f"<table><tr><th>status</th><th>meaning</th></tr>{rows}</table>"
            )
    event = schema()
    fields = "".join(
        f"<tr><td><code>{escape(name)}</code>{' *' if name in event['required'] else ''}</td>"
        f"<td>{escape(_type(field))}</td><td>{escape(field.get('description', ''))}</td></tr>"
        for name, field in event["properties"].items()
    )
    parts.append(f"<h2>Event</h2><table><tr><th>field</th><th>type</th><th>meaning</th></tr>{fields}</table>")
    parts.append(f"<p>* is needed. Vendors: {', '.join(VENDORS)}. As <a href='/openapi.json'>OpenAPI</a>.</p>")
    style = "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}"  # noqa: E501
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Edgewise ingest</title><style>{style}</style><main>{''.join(parts)}</main></html>"
    )


_PROBLEM: Final = {
    "type": "object",
    "description": "RFC 9457. It has no word of what was sent.",
    "properties": {"title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}},
}


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(field["enum"])
    return " or ".join(each.get("type", "") for each in field.get("anyOf", [field]) if each.get("type") != "null")


def _responses(properties: dict[str, Any]) -> dict[str, Any]:
    success = {"type": "object", "properties": properties, "required": list(properties)}
    content = {"application/json": {"schema": success}}
    return {"200": {"description": "Kafka has every event.", "content": content}} | {
        status: _problem(description) for status, description in _PROBLEMS.items()
    }


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "content": content}


def _probe(summary: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "responses": {"200": {"description": "Yes."}, "503": {"description": "No: the body says why."}},
    }
