"""A run's folder: its configuration, the machine it ran on, its log, and each model as soon as it is whole."""

import json
import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from tokenizers import Tokenizer

from models.artifact import MODEL, load_artifact
from schemas.errors import UsageError
from training.config.config import Config
from training.learn import network
from training.learn.loop import Log
from training.learn.network import Classifier

LIBRARIES = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime", "numpy")


class RunError(UsageError):
    """The run folder belongs to another configuration, or lacks what an earlier step makes."""


class Run:
    """The folder of one run. A model that is there is not made again, so that a run goes on where it was stopped."""

    def __init__(self, folder: Path, config: Config, threads: int, data: str) -> None:
        """Opens or begins the run in `folder`; `data` is the corpus's digest.

        Raises RunError: it was begun under another `config` or with other texts.
        """
        self.folder = folder
        self.config = config
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "config.json"
        # These say where files lie, which students are made and how they ship. No trained model depends on them.
        left_out: dict[str, bool | set[str]] = {"large": {"folder"}} | dict.fromkeys(
            ("data", "former", "formats", "compared", "students", "ships", "version", "baseline", "teacher"), True
        )
        wanted = config.model_dump(mode="json", exclude=left_out) | {"data": data}
        if config.teacher is not None:
            wanted["teacher"] = load_artifact(str(config.teacher)).manifest.files[MODEL].sha256
        if not path.exists():
            self.write("config.json", wanted)
        elif (had := json.loads(path.read_text("utf-8"))) != wanted:
            changed = sorted(key for key in had.keys() | wanted.keys() if had.get(key) != wanted.get(key))
            raise RunError(
                f"{folder} was begun with another configuration ({', '.join(changed)} differ): give another --out, "
                "or restore them"
            )
        # A run may go on on another machine; its figures depend on every machine that it was on.
        path = folder / "environment.json"
        seen = json.loads(path.read_text("utf-8")) if path.exists() else []
        if (here := environment(threads)) not in seen:
            self.write("environment.json", [*seen, here])

    @property
    def libraries(self) -> dict[str, str]:
        """The versions of the libraries with which the run began: those that models are trained with."""
        found: dict[str, str] = self.read("environment.json", "all")[0]["libraries"]
        return found

    def write(self, name: str, content: object) -> None:
        """Writes a JSON file of the run; it is replaced as a whole or not at all."""
        partial = self.folder / f"{name}.{os.getpid()}.partial"
        partial.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
        partial.replace(self.folder / name)

    def read(self, name: str, step: str) -> Any:
        """A JSON file of the run. Raises RunError: it is missing; the error names the `step` that makes it."""
        path = self.folder / name
        if not path.is_file():
            raise RunError(f"{path} is missing: run `edgewise train {step}` first")
        return json.loads(path.read_text("utf-8"))

    def model(self, name: str, step: str) -> tuple[Classifier, Tokenizer]:
        """A trained model of the run. Raises RunError: it is missing; the error names the `step` that makes it."""
        folder = self.folder / "models" / name
        if not folder.is_dir():
            raise RunError(f"{folder} is missing: run `edgewise train {step}` first")
        return network.load(folder)

    def once(self, name: str, make: Callable[[Log, Path], tuple[Classifier, Tokenizer]]) -> None:
        """Makes and saves the model `name` unless it is there.

        `make` gets what takes figures of its progress, and the file where a long training keeps its state.
        """
        folder = self.folder / "models" / name
        if folder.is_dir():
            return
        folder.parent.mkdir(exist_ok=True)
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            # Without a terminal the log's lines are the progress.
            disable=not Console(stderr=True).is_terminal,
        ) as progress:
            task = progress.add_task(name, total=None, figures="")

            def log(figures: dict[str, float]) -> None:
                line = json.dumps({"model": name} | figures)
                with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
                if progress.disable:
                    print(line, flush=True)
                elif "steps" in figures:
                    progress.update(task, completed=figures["step"], total=figures["steps"])
                else:
                    shown = ", ".join(f"{key} {value:.4g}" for key, value in figures.items())
                    progress.update(task, figures=shown)

            kept = folder.with_name(f"{name}.checkpoint")
            network.save(*make(log, kept), folder)
            kept.unlink(missing_ok=True)


def environment(threads: int) -> dict[str, object]:
    """What else a run's figures depend on: machine, GPU (null where none is), Python, libraries, threads."""
    return {
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if network.DEVICE.type == "cuda" else None,
        "threads": threads,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def processor() -> str:
    """The processor's name where Linux says it, else the architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
