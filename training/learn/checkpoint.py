"""The state of a training on disk, so that it goes on where it was stopped, to the same weights."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from training.learn.network import DEVICE


class Stateful(Protocol):
    """A network, an optimiser, a schedule."""

    def state_dict(self) -> dict[str, Any]:
        """What it is made of."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> object:
        """Makes it that again."""


def save(path: Path, parts: Mapping[str, Stateful], numbers: torch.Generator, progress: tuple[Any, ...]) -> None:
    """Writes the `parts`, the random `numbers` and PyTorch's own, and `progress`: as a whole or not at all."""
    state: dict[str, Any] = {name: part.state_dict() for name, part in parts.items()}
    state |= {"numbers": numbers.get_state(), "cpu": torch.random.get_rng_state(), "progress": progress}
    if DEVICE.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state()
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    torch.save(state, partial)
    partial.replace(path)


def load(path: Path, parts: Mapping[str, Stateful], numbers: torch.Generator) -> tuple[Any, ...] | None:
    """Makes all of them again what they were when `save` wrote the file, and returns `progress`.

    None if there is no such file.
    """
    if not path.exists():
        return None
    state = torch.load(path, map_location=DEVICE, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    numbers.set_state(state["numbers"].cpu())
    torch.random.set_rng_state(state["cpu"].cpu())
    if "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"].cpu())
    progress: tuple[Any, ...] = state["progress"]
    return progress
