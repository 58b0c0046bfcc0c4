"""`edgewise config`."""

from typing import Annotated

import typer


def config(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON: value and source by setting.")] = False,
) -> None:
    """Show the settings in force and where each value came from; secrets are masked.

    Example: [bold]EDGEWISE_ROUTER=article edgewise config[/]
    """
    from streams.cli.table import print_table
    from streams.config.loading import load_settings, origins
    from streams.config.words import shown
    from streams.system.json_text import json_text

    settings, sources = load_settings(), origins()
    values = {name: getattr(settings, name) for name in sources}
    if as_json:
        plain = {
            name: {"value": value if value is None or isinstance(value, int | float) else shown(name, value)}
            | {"source": sources[name]}
            for name, value in values.items()
        }
        print(json_text(plain, indent=2))
        return
    rows = [(name, shown(name, value), sources[name]) for name, value in values.items()]
    print_table(("setting", "value", "source"), *rows)
