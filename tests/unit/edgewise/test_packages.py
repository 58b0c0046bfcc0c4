"""`import edgewise` and the command line in folders with packages of the same names, and what types a program sees."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kafka.kafka_server import REPOSITORY


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder with modules whose names Edgewise's packages have, or its libraries."""
    folder = tmp_path / "theirs"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "__init__.py").write_text("MINE = True\n")
    (folder / "streams").mkdir()  # no package of theirs: a folder with data
    (folder / "training").mkdir()
    (folder / "training" / "__init__.py").touch()
    for name in ("schemas", "typer", "training/cli"):
        (folder / f"{name}.py").write_text("raise SystemExit('code of the working folder was run')\n")
    return folder


def python(folder: Path, *arguments: str, path: tuple[Path, ...] = (REPOSITORY,)) -> tuple[int, str, str]:
    """Exit code, output and errors of Python with `arguments` in `folder`; `path` comes behind what it has."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path)), "TERM": "dumb"},
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_import_edgewise_beside_packages_of_the_same_names(theirs: Path) -> None:
    (theirs / "program.py").write_text("import edgewise\nprint(edgewise.load('line')('awful').label)\n")
    code, shown, told = python(theirs, "program.py")
    assert (code, shown) == (0, "negative\n")
    warned = [line for line in told.splitlines() if "RuntimeWarning" in line]
    assert len(warned) == 2  # models and schemas; streams hides nothing
    own = REPOSITORY / "models" / "__init__.py"
    assert (
        f"{theirs / 'program.py'}:1: RuntimeWarning: in this process models is Edgewise's package ({own})" in warned[1]
    )
    assert f"so that your own ({theirs / 'models' / '__init__.py'}) cannot be imported" in warned[1]


def test_their_package_imported_first_is_told_in_one_line(theirs: Path) -> None:
    (theirs / "schemas.py").unlink()
    code, shown, told = python(theirs, "-c", "import models; import edgewise")
    assert (code, shown) == (1, "")
    own, other = REPOSITORY / "models" / "__init__.py", theirs / "models" / "__init__.py"
    assert told.splitlines()[-1].startswith(
        f"ImportError: Edgewise's package models ({own}) is hidden by another one of that name ({other}), which is "
        "imported already: rename that, or import edgewise in another process"
    )


def test_their_folder_without_init_imported_first_is_told_too(theirs: Path) -> None:
    program = "import sys; path, sys.path = sys.path, ['.']; import streams; sys.path = path; import edgewise"
    _, _, told = python(theirs, "-W", "ignore", "-c", program)
    assert f"is hidden by another one of that name ({theirs / 'streams'}), which" in told.splitlines()[-1]


@pytest.mark.parametrize("python_options", [(), ("-P",)])
def test_the_command_line_runs_beside_them_and_runs_nothing_of_theirs(
    theirs: Path, python_options: tuple[str, ...]
) -> None:
    (theirs / "texts.txt").write_text("awful\n")
    edgewise_command = (*python_options, "-m", "edgewise")
    code, shown, told = python(theirs, *edgewise_command, "score", "texts.txt")
    assert (code, told.partition("\n")[0]) == (0, "1 of 1 rows scored")
    assert json.loads(shown)["sentiment"] == "negative"
    code, shown, told = python(theirs, *edgewise_command, "train", "corpus", "--help")
    assert (code, told) == (0, "")
    assert "--config" in shown


def test_the_command_runs_with_their_packages_first_on_the_path(theirs: Path, tmp_path: Path) -> None:
    (theirs / "typer.py").unlink()
    command = tmp_path / "bin" / "edgewise"
    command.parent.mkdir()
    command.write_text("from edgewise.__main__ import main\nmain()\n")  # as pip writes it
    for arguments, says in ((("models", "list"), "edge"), (("train", "corpus", "--help"), "--config")):
        code, shown, told = python(tmp_path, str(command), *arguments, path=(theirs, REPOSITORY))
        assert (code, told) == (0, "")
        assert says in shown


def test_the_command_line_says_in_one_line_that_a_package_is_hidden(theirs: Path) -> None:
    (theirs / "sitecustomize.py").write_text("import models\n")
    code, shown, told = python(theirs, "-P", "-m", "edgewise", "config", path=(theirs, REPOSITORY))
    assert (code, shown, told.count("\n")) == (2, "", 1)
    assert told.startswith("edgewise: Edgewise's package models (")
    assert str(theirs / "models" / "__init__.py") in told


def test_it_imports_nothing_heavy() -> None:
    program = (
        "import sys, edgewise; print(*sorted({'numpy', 'onnxruntime', 'pydantic', 'confluent_kafka', 'fastavro', "
        "'typer', 'tokenizers', 'faust'} & set(sys.modules)))"
    )
    assert python(REPOSITORY, "-c", program) == (0, "\n", "")


def test_its_types_are_seen(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import edgewise\n"
        "model = edgewise.load('line')\n"
        "reveal_type(model('a'))\nreveal_type(model(['a']))\nreveal_type(edgewise.events('sentiment'))\n"
    )
    code, shown, _ = python(tmp_path, "-m", "mypy", "--strict", "--no-incremental", str(program))
    assert code == 0, shown
    revealed = [re.sub(r"\w+\.", "", line.partition("Revealed type is ")[2]) for line in shown.splitlines()[:3]]
    assert revealed == ['"Result"', '"list[Result]"', '"Iterator[SentimentResult]"']
