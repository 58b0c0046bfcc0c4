"""`edgewise train` hands over to `training`, costs the other commands nothing, and says what it lacks."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.errors import UsageError
from streams.cli import main as cli

REPOSITORY = Path(cli.__file__).parents[2]


def run(*arguments: str) -> tuple[int, str, BaseException | None]:
    done = CliRunner().invoke(cli.app, arguments, prog_name="edgewise", env={"TERM": "dumb", "COLUMNS": "120"})
    return done.exit_code, done.output, done.exception


def python(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_listed_among_the_commands() -> None:
    code, shown, _ = run("--help")
    assert code == 0
    assert "Train models on text of your own" in shown


@pytest.mark.parametrize("arguments", [("train",), ("train", "--help"), ("train", "-h")])
def test_its_help_is_that_of_training(arguments: tuple[str, ...]) -> None:
    _, shown, _ = run(*arguments)
    assert "Usage: edgewise train" in shown
    assert "calibrate" in shown


def test_options_reach_the_step() -> None:
    code, shown, _ = run("train", "corpus", "--help")
    assert code == 0
    assert "Usage: edgewise train corpus" in shown
    assert "--config" in shown


def test_a_step_that_there_is_not_is_told() -> None:
    code, shown, _ = run("train", "no-such-step", "--config", "x.toml")
    assert code == 2
    assert "No such command 'no-such-step'" in shown


def test_what_training_lacks_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    code, _, error = run("train", "corpus", "--config", "x.toml")
    assert code == 1
    assert isinstance(error, UsageError)
    assert str(error).startswith("training needs torch")
    assert "pip install -e '.[training]'" in str(error)
    assert "\n" not in str(error)


def test_other_commands_do_not_import_training() -> None:
    program = (
        "import sys; from streams.cli.main import app; app(['config', '--json'], standalone_mode=False); "
        "print([name for name in sys.modules if name.partition('.')[0] == 'training'])"
    )
    assert python(program).endswith("\n[]\n")


def test_its_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, training.cli; "
        "print(*sorted({'torch', 'transformers', 'onnx', 'onnxruntime', 'numpy', 'tokenizers', 'pydantic', "
        "'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    assert python(program) == "\n"


def test_a_command_that_there_is_not_is_told() -> None:
    code, shown, _ = run("no-such-command")
    assert code == 2
    assert "No such command" in shown
