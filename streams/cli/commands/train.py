"""`edgewise train`."""

import typer


def train(context: typer.Context) -> None:
    """Train models on text of your own: from labelled rows to the artifacts that workers load.

    Needs the extra `training`; the steps are commands of their own.

    Example: [bold]edgewise train all --config own.toml --out run[/]
    """
    # Imported only when it is asked for: no other command needs the package `training`.
    from typer.main import get_command

    from training.cli import app

    names = context.help_option_names
    get_command(app).main(context.args, prog_name=context.command_path, help_option_names=names)
