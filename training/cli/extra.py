"""Whether the libraries that training needs are installed; imports none of them."""

from importlib.util import find_spec

from schemas.errors import UsageError

LIBRARIES = {
    "torch": "torch",
    "transformers": "transformers",
    "onnx": "onnx",
    "matplotlib": "matplotlib",
    "sklearn": "scikit-learn",
}
"""Modules by which the extra `training` is known to be there, and the packages they come in."""


def require_extra(*modules: str) -> None:
    """Checks that the extra is installed, or those `modules` of it.

    Raises UsageError: something is missing; the error says how to install it.
    """
    missing = [LIBRARIES[module] for module in modules or LIBRARIES if find_spec(module) is None]
    if missing:
        raise UsageError(
            f"training needs {', '.join(missing)}: install the extra, in a checkout: pip install -e '.[training]'"
        )
