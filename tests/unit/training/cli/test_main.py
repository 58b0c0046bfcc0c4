"""`edgewise train` costs the other commands nothing, says what it lacks, and shows how each step is called."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from schemas.errors import UsageError
from training import cli
from training.cli import extra

ROOT = Path(extra.__file__).parents[2]


def test_what_training_lacks_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name in {"torch", "sklearn"} else object())
    with pytest.raises(UsageError, match=r"training needs torch, scikit-learn: .*pip install -e '\.\[training\]'"):
        extra.require_extra()
    monkeypatch.setattr(extra, "find_spec", lambda _: object())
    extra.require_extra()


def test_of_the_extra_long_text_needs_onnx_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    arguments = ["long-text", str(tmp_path), "--config", str(tmp_path / "none.toml")]
    for absent, says in (("onnx", "training needs onnx: install"), ("torch", "cannot read the configuration")):
        monkeypatch.setattr(extra, "find_spec", lambda name, absent=absent: None if name == absent else object())
        with pytest.raises(UsageError, match=says):
            CliRunner().invoke(cli.app, arguments, catch_exceptions=False)


def test_the_module_that_adds_train_imports_nothing_heavy() -> None:
    program = (
        "import sys, training.cli; "
        "print(*sorted({'torch', 'transformers', 'onnx', 'onnxruntime', 'numpy', 'tokenizers', 'pydantic', "
        "'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")


STEPS = sorted(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]


def test_every_step_has_a_command() -> None:
    assert STEPS == [
        "ablate", "adapt", "all", "behaviour", "calibrate", "compress", "corpus", "distill", "escalation", "evaluate",
        "finetune", "long-text", "redaction", "report", "samples",
    ]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_every_step_s_help_has_an_example(step: str) -> None:
    shown = CliRunner().invoke(cli.app, [step, "--help"])
    assert shown.exit_code == 0
    assert f"edgewise train {step} --" in " ".join(shown.output.partition("Example:")[2].split()).replace(
        "distill tiny cloud-2", "distill"
    )
