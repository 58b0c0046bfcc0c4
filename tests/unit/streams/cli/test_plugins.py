"""A package adds a command, and costs the other commands nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import main as cli

REPOSITORY = Path(cli.__file__).parents[2]

PLUGIN = """
from typing import Annotated
import typer
app = typer.Typer(help="Bake something.", no_args_is_help=True)

@app.command()
def bread(loaves: int = 1) -> None:
    print(f"{loaves} baked")

@app.command()
def cake() -> None:
    pass
"""


def installed(folder: Path, entry_points: str, **modules: str) -> Path:
    """What pip leaves of a package: its modules, and the metadata that names its entry points."""
    metadata = folder / "bakery-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bakery\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[edgewise.commands]\n{entry_points}\n")
    for name, content in modules.items():
        (folder / f"{name}.py").write_text(content)
    return folder


def edgewise(site: Path, *arguments: str, python: tuple[str, ...] = ("-m", "streams.cli")) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, *python, *arguments],
        env=os.environ | {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{site}", "TERM": "dumb"},
        cwd=site, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_a_package_adds_a_command(tmp_path: Path) -> None:
    site = installed(tmp_path, "bake = bakery:app", bakery=PLUGIN)
    assert edgewise(site, "bake", "bread", "--loaves", "3") == (0, "3 baked\n", "")
    code, shown, _ = edgewise(site, "--help")
    assert code == 0
    assert "Bake something." in shown
    assert shown.index("worker") < shown.index("bake")
    code, shown, _ = edgewise(site, "bake", "--help")
    assert "edgewise bake" in shown.replace("python -m streams.cli", "edgewise")
    assert "bread" in shown


def test_no_package_takes_a_command_s_name(tmp_path: Path) -> None:
    site = installed(tmp_path, "config = bakery:app", bakery=PLUGIN)
    code, shown, _ = edgewise(site, "config", "--json")
    assert code == 0
    assert "bootstrap_servers" in shown


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("bake = bakery:app", "No module named 'nothing_of_the_kind'"),
        ("bake = oven:app", "No module named 'oven'"),
        ("bake = other:app", "has no attribute 'app'"),
        ("bake = other:text", "is str, not a typer.Typer"),
    ],
)
def test_a_broken_package_is_a_line_and_stops_no_other_command(tmp_path: Path, entry: str, says: str) -> None:
    site = installed(tmp_path, entry, bakery="import nothing_of_the_kind", other="text = 'x'")
    code, shown, told = edgewise(site, "bake")
    assert (code, shown) == (2, "")
    assert told.startswith("edgewise: the command 'bake' (")
    assert says in told
    assert told.count("\n") == 1
    assert edgewise(site, "config")[0] == 0


def test_other_commands_do_not_look_for_packages(tmp_path: Path) -> None:
    site = installed(tmp_path, "bake = bakery:app", bakery="raise SystemExit(9)")
    program = (
        "import sys, importlib.metadata as m, streams.cli.plugins as p; from streams.cli.main import app; "
        "p.entry_points = lambda **_: sys.exit('looked'); app(sys.argv[1:], standalone_mode=False)"
    )
    assert edgewise(site, "config", python=("-c", program))[0] == 0
    assert edgewise(site, "bake", python=("-c", program))[2] == "looked\n"


def test_a_command_that_there_is_not_is_told() -> None:
    done = CliRunner().invoke(cli.app, ["no-such-command"])
    assert done.exit_code == 2
    assert "No such command" in done.output
