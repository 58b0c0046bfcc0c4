"""Commands that other packages add to `edgewise`.

Such a package names a `typer.Typer` as an entry point of the group `edgewise.commands`; `training` adds `train` so.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from typer import Typer
from typer.core import TyperGroup
from typer.main import get_command

from schemas.errors import UsageError

GROUP = "edgewise.commands"


class PluginGroup(TyperGroup):
    """A command group that looks for plugins only when it is asked for help, or for a command that is not its own.

    Finding them reads the metadata of every installed package, and loading one runs its code: a worker does neither.
    """

    # `Any`: typer brings click's classes along from some version on, and has click's own before.
    def list_commands(self, ctx: Any) -> list[str]:
        """The names of its own commands, then of the plugins."""
        own = super().list_commands(ctx)
        return own + sorted(entry_points(group=GROUP).names - set(own))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, None when there is none; raises UsageError for a plugin that can't be loaded."""
        command = super().get_command(ctx, cmd_name)
        if command is None:
            for entry in entry_points(group=GROUP, name=cmd_name):
                command = _load(entry)
        return command


def _load(entry: EntryPoint) -> Any:
    try:
        app = entry.load()
    except (ImportError, AttributeError) as error:
        raise UsageError(f"the command {entry.name!r} ({entry.value}) can't be loaded: {error}") from error
    if not isinstance(app, Typer):
        raise UsageError(f"the command {entry.name!r} ({entry.value}) is {type(app).__name__}, not a typer.Typer")
    command = get_command(app)
    command.name = entry.name
    return command
