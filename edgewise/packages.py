"""Imports of Edgewise's own packages, whose names other people's packages may have too.

`schemas`, `recordings`, `models` and `streams` are the folders of the repository, and installed under these names. A
program may have packages of the same names, ahead of them on `sys.path`. Both cannot be in one process: what is not to
be had is said.
"""

import sys
import warnings
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

HOME = Path(__file__).parents[1]
"""The folder that holds this package and its siblings: a checkout, or an environment's site-packages."""

# `python -m edgewise` (while Python is still looking for the module) or the command `edgewise`: no other program's code
# runs in this process, so nothing is hidden from anyone.
_COMMAND = bool(sys.argv) and Path(sys.argv[0]).name in {"-m", "edgewise"}


def claim(*names: str) -> None:
    """Imports the packages `names` from beside this one, whatever else has their names on `sys.path`.

    Warns when that hides another package. Raises ImportError: another package of that name is imported already. The
    command line ends with exit code 2 then.
    """
    for name in names:
        own = HOME / name / "__init__.py"
        module = sys.modules.get(name)
        if module is None:
            _warn_of_hidden(name, own)
            module = _import_from_home(name)
        found = _file(module)
        if found.resolve() != own.resolve():
            line = (
                f"Edgewise's package {name} ({own}) is hidden by another one of that name ({found}), which is imported "
                "already: rename that, or import edgewise in another process; the command `edgewise` needs neither"
            )
            if _COMMAND:
                sys.stderr.write(f"edgewise: {line}\n")
                sys.exit(2)
            raise ImportError(line, name=name, path=str(found))


def _import_from_home(name: str) -> ModuleType:
    sys.path.insert(0, str(HOME))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(HOME))


def _warn_of_hidden(name: str, own: Path) -> None:
    other = PathFinder.find_spec(name)
    if _COMMAND or other is None or other.origin is None or Path(other.origin).resolve() == own.resolve():
        return
    warnings.warn(
        f"in this process {name} is Edgewise's package ({own}), so that your own ({other.origin}) cannot be imported: "
        "rename it, or use edgewise in another process",
        RuntimeWarning,
        stacklevel=4,  # the line that imports edgewise
    )


def _file(module: ModuleType) -> Path:
    """Where `module` is from: its file, or the folder of a package without `__init__.py`."""
    return Path(getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", [])), "unknown"))
