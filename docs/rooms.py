"""Prints the rooms of the code, the floor each stands on, and the imports between them: `python docs/rooms.py`.

A room is a sub-package of `streams` or `training`, or one of the packages beside them. A room's floor is one above the
highest of those that it imports from. Exits with 1 when an import points upward, that is when rooms import in a circle.
"""

import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
from rich.console import Console
from rich.table import Table

PACKAGES = ("schemas", "recordings", "models", "streams", "training", "edgewise")
OF_ROOMS = ("streams", "training")


def room_of(module: str) -> str:
    """The room that `module` is in."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] in OF_ROOMS else parts[0]


def lines_of(module: str) -> int:
    """The lines of `module`'s file."""
    path = Path(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return len(file.read_text("utf-8").splitlines())


def main() -> int:
    """Prints the table; the exit code."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    graph = grimp.build_graph(*(name for name in PACKAGES if Path(name).is_dir()), cache_dir=None)
    files, lines = Counter[str](), Counter[str]()
    imports: dict[str, set[str]] = {}
    for module in graph.modules:
        room = room_of(module)
        files[room] += 1
        lines[room] += lines_of(module)
        found = {room_of(each) for each in graph.find_modules_directly_imported_by(module)} - {room, *OF_ROOMS}
        imports.setdefault(room, set()).update(found)
    for package in OF_ROOMS:  # the package's own `__init__.py`
        imports.pop(package, None)
    try:
        order = list(TopologicalSorter(imports).static_order())
    except CycleError as error:
        print("rooms import in a circle:", " <- ".join(error.args[1]), file=sys.stderr)
        return 1
    floors: dict[str, int] = {}
    for room in order:
        floors[room] = 1 + max((floors[below] for below in imports[room]), default=0)
    table = Table("floor", "room", "files", "lines", "imports from", box=None)
    for room in sorted(floors, key=lambda room: (-floors[room], room)):
        table.add_row(str(floors[room]), room, str(files[room]), f"{lines[room]:,}", ", ".join(sorted(imports[room])))
    Console().print(table)
    arrows = sum(len(below) for below in imports.values())
    streams = sum(count for room, count in lines.items() if room.startswith("streams"))
    print(f"{len(floors)} rooms, {max(floors.values())} floors, {arrows} arrows, 0 upward; streams: {streams:,} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
