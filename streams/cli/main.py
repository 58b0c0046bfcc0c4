"""The `edgewise` command. Each subcommand is a file in `commands`, which imports what it needs only when it runs."""

import errno
import io
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import EdgewiseError
from streams.cli.commands.alerts import alerts
from streams.cli.commands.broker import broker
from streams.cli.commands.cloud import cloud
from streams.cli.commands.config import config
from streams.cli.commands.consume import consume
from streams.cli.commands.dead_letters import dead_letters
from streams.cli.commands.demo import demo
from streams.cli.commands.drift import drift
from streams.cli.commands.flywheel import flywheel
from streams.cli.commands.health import health
from streams.cli.commands.ingest import ingest
from streams.cli.commands.inspect import inspect
from streams.cli.commands.labels import labels
from streams.cli.commands.models import models
from streams.cli.commands.page import page
from streams.cli.commands.produce import produce
from streams.cli.commands.record import record
from streams.cli.commands.redact import redact
from streams.cli.commands.replay import replay
from streams.cli.commands.report import report
from streams.cli.commands.route import route
from streams.cli.commands.samples import samples
from streams.cli.commands.schemas import schemas
from streams.cli.commands.score import score
from streams.cli.commands.topics import topics
from streams.cli.commands.train import train
from streams.cli.commands.verify import verify
from streams.cli.commands.whatif import whatif
from streams.cli.commands.worker import worker
from streams.system.exit_codes import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_USAGE, exit_code
from streams.system.logs import log_error, logs_json
from streams.system.signals import kept_interrupts

# The disk, the quota or the largest size of a file is used up; or nobody reads what is printed, as behind `| head`.
_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EPIPE)

app = typer.Typer(
    name="edgewise",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(worker)
app.command()(broker)
app.add_typer(topics, name="topics")
app.command()(ingest)
app.command()(produce)
app.command()(inspect)
app.command()(replay)
app.command()(consume)
app.command()(record)
app.add_typer(dead_letters, name="dead-letters")
app.command()(score)
app.command()(redact)
app.command()(verify)
app.command()(labels)
app.command()(health)
app.add_typer(alerts, name="alerts")
app.command()(report)
app.add_typer(drift, name="drift")
app.command()(page)
app.command()(demo)
app.command()(config)
app.add_typer(models, name="models")
app.add_typer(cloud, name="cloud")
app.add_typer(route, name="route")
app.add_typer(flywheel, name="flywheel")
app.command()(whatif)
app.add_typer(schemas, name="schemas")
app.command()(samples)
# Its arguments and --help are for the command line of `training`.
app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(train)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"edgewise {version('edgewise')}")
        raise typer.Exit


@app.callback()
def edgewise(
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file with settings; default: $EDGEWISE_CONFIG, else ./edgewise.toml when it is there."),
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback prints it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Sentiment of contact-centre transcripts as they stream through Kafka.

    Settings come from EDGEWISE_… variables and a TOML file; [bold]edgewise config[/] shows what is in force.

    Example: [bold]edgewise replay samples/care.jsonl --pace 200/s[/]
    """
    if config is not None:
        # Through the environment, so that the processes that a command starts read the same file.
        os.environ["EDGEWISE_CONFIG"] = str(config.absolute())


def _tell(error: str) -> None:
    if logs_json():  # then every line of standard error is an object
        log_error(error)
    else:
        print(f"edgewise: {error}", file=sys.stderr)


def main() -> None:
    """Runs the command line; exit code 0: done what was asked, 2: wrong usage, 130: interrupted, 1: anything else."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # JSON lines and CSV are UTF-8, whatever the terminal's locale
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        with kept_interrupts():
            try:
                app()
            except SystemExit:
                if sys.stdout is not None:  # that was closed
                    sys.stdout.flush()  # as Python would in a moment, when nobody could be told that it failed
                raise
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except EdgewiseError as error:
        _tell(str(error))
        sys.exit(exit_code(error))
    except OSError as error:
        if error.errno not in _UNWRITTEN:
            if error.filename is None:
                raise
            _tell(f"{error.filename}: {error.strerror}")  # a folder that may not be entered, a name that is too long
            sys.exit(EXIT_USAGE)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else what is left in the buffer would be tried, and fail, again
        if error.errno != errno.EPIPE:
            print(f"edgewise: the output is not complete: {error.strerror}", file=sys.stderr)
        sys.exit(EXIT_FAILURE)
