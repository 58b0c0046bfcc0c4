"""The tree of errors in the docstring of `schemas.errors` is that of the code."""

import ast
import inspect
from collections.abc import Iterator
from functools import cache

from schemas import errors
from tests.kafka.kafka_server import REPOSITORY

PACKAGES = ("schemas", "recordings", "models", "streams", "training", "edgewise")
WIDTH = 44


@cache
def classes() -> dict[str, tuple[set[str], str]]:
    """Every class by its name: the names of its bases, and the room that it is in."""
    found = {}
    for package in PACKAGES:
        for file in sorted((REPOSITORY / package).rglob("*.py")):
            parts = file.relative_to(REPOSITORY).parts
            room = ".".join(parts[:2]) if package == "streams" else package
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef):
                    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
                    found[node.name] = (bases, room)
    return found


def tree(name: str, depth: int = 0) -> Iterator[str]:
    every = classes()
    indented = "    " * (depth + 1) + name
    yield f"{indented:<{WIDTH}} {every[name][1]}"
    children = [child for child, (bases, _) in every.items() if name in bases]
    grown = [child for child in children if any(child in bases for bases, _ in every.values())]
    for child in sorted(children, key=lambda child: (child in grown, child)):
        yield from tree(child, depth + 1)


def test_every_error_is_in_the_tree_that_the_docstring_draws() -> None:
    lines = (inspect.getdoc(errors) or "").splitlines()
    assert [line for line in lines if line.startswith("    ")] == list(tree("EdgewiseError"))
