"""Prints docs/settings.md, made of the settings class: `python -m docs.make_settings > docs/settings.md`."""

from streams.config.settings import Settings, variable
from streams.config.words import allowed

_HEAD = """\
# Settings

A setting is an environment variable, or a key of a TOML file; the variable wins. The file is the one named by
`--config`, else by `EDGEWISE_CONFIG`, else `edgewise.toml` in the working directory when it is there.

    # edgewise.toml
    bootstrap_servers = "kafka-1:9092,kafka-2:9092"
    topic_prefix = "support."
    router = "article"

`edgewise config` prints what is in force and where each value came from. A value that is not allowed, an unknown
`EDGEWISE_…` variable or an unknown key stops every command before it starts, with a line that says so. An empty
variable counts as not set. What Kubernetes sets for a Service called `edgewise` (`EDGEWISE_PORT=tcp://…`,
`EDGEWISE_SERVICE_HOST` and so on) is no setting and is ignored, with a line that says so.

A secret (`…_password`, `…_secret`, `…_api_key`, `…_token`) may also be in a file, such as one that a container platform
mounts: `…_FILE` behind the variable's name, or `…_file` behind the key's, is the file's path. Its last line break does
not count. No command prints a secret, nor does a log.

This page is made by `python -m docs.make_settings > docs/settings.md`.

| variable | key | default | allowed | what it does |
|---|---|---|---|---|
"""


def page() -> str:
    """The page, in Markdown."""
    rows = []
    for name, field in Settings.model_fields.items():
        if field.default_factory is not None:
            default = "the host's name"
        else:
            default = "" if field.default in (None, "") else f"`{field.default}`"
        rows.append(f"| `{variable(name)}` | `{name}` | {default} | {allowed(name)} | {field.description} |\n")
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    print(page(), end="")
