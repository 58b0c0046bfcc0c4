"""How settings are read: from `EDGEWISE_…` variables and a TOML file, checked before anything starts."""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from stat import S_ISREG
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from schemas.errors import UsageError
from streams.config.settings import ENV_PREFIX, Settings, variable
from streams.config.words import MASK, allowed, is_secret, shown

CONFIG_VARIABLE = "EDGEWISE_CONFIG"
DEFAULT_CONFIG = Path("edgewise.toml")

# A secret may be in a file, as container platforms mount them: `kafka_password_file` is where `kafka_password` is.
FILE_SUFFIX = "_file"

# Kubernetes puts such variables into every container, for each Service of the namespace, after its name: for `edgewise`
# EDGEWISE_SERVICE_HOST, EDGEWISE_SERVICE_PORT, EDGEWISE_PORT, EDGEWISE_PORT_80_TCP_ADDR and more, for `edgewise-edge`
# EDGEWISE_EDGE_SERVICE_HOST and so on. See "Environment variables" and the link to Docker's variables in
# https://kubernetes.io/docs/concepts/services-networking/service/.
_SERVICE_LINK = re.compile(
    rf"{ENV_PREFIX}(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_SERVICE_ADDRESS = re.compile(rf"{ENV_PREFIX}(?:\w+_)?PORT")  # it holds one, else it is a setting misspelt
_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://\S+")


class Sources(NamedTuple):
    """The values that were given, by setting's name, as they were written."""

    environ: dict[str, Any]
    file: dict[str, Any]
    path: Path | None
    in_files: frozenset[str]  # secrets that the environment gave the file of

    def origin(self, name: str) -> str:
        """Where the value of setting `name` comes from: a variable, the file, or `default`."""
        if name in self.environ:
            return variable(name + FILE_SUFFIX if name in self.in_files else name)
        return str(self.path) if name in self.file else "default"


def load_settings(config: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force: variables of `environ` (default: the process's) over the TOML file over the defaults.

    Raises UsageError: a value is not allowed, a variable or key is unknown, or the file named by `config` or
    EDGEWISE_CONFIG is missing or not TOML.
    """
    sources = _read(config, environ)
    try:
        return Settings(**(sources.file | sources.environ))
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
    raise UsageError("; ".join(_refusal(error, sources) for error in errors))


def origins(config: Path | None = None, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Where the value of each setting comes from: the variable's name, the file's path, or `default`.

    Raises UsageError as `load_settings` does for what cannot be read at all.
    """
    sources = _read(config, environ)
    return {name: sources.origin(name) for name in Settings.model_fields}


def service_links(environ: Mapping[str, str] | None = None) -> list[str]:
    """The variables of `environ` (default: the process's) that Kubernetes sets for a Service and no setting reads."""
    given = os.environ if environ is None else environ
    return sorted(
        name
        for name, value in given.items()
        if name not in _KNOWN
        and (_SERVICE_LINK.fullmatch(name) or (_SERVICE_ADDRESS.fullmatch(name) and _ADDRESS.fullmatch(value)))
    )


def _read(config: Path | None, environ: Mapping[str, str] | None) -> Sources:
    given = {name: value for name, value in (os.environ if environ is None else environ).items() if value}
    ignored = set(service_links(given))
    variables = {name: value for name, value in given.items() if name.startswith(ENV_PREFIX) and name not in ignored}
    path = config or (Path(variables[CONFIG_VARIABLE]) if CONFIG_VARIABLE in variables else None)
    if path is None and os.path.isfile(DEFAULT_CONFIG):  # noqa: PTH113 - Path's own raises where it may not look
        path = DEFAULT_CONFIG
    file = _read_file(path) if path else {}
    _refuse_unknown(variables, _KNOWN, "environment variable")
    _refuse_unknown(file, [*Settings.model_fields, *_SECRETS], f"setting in {path}")
    in_files = frozenset(name for key, name in _SECRETS.items() if variable(key) in variables)
    for key, name in _SECRETS.items():
        if variable(key) in variables:
            _read_secret(variables, variable(key), variable(name))
        if key in file and variable(name) in variables:
            del file[key]
        elif key in file:
            _read_secret(file, key, name)
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in variables.items()}
    return Sources(source(), file, path, in_files)


# Where the file of a secret is named, and the secret's setting.
_SECRETS = {name + FILE_SUFFIX: name for name in Settings.model_fields if is_secret(name)}
_KNOWN = frozenset({*map(variable, [*Settings.model_fields, *_SECRETS]), CONFIG_VARIABLE})


def _read_secret(values: dict[str, Any], key: str, name: str) -> None:
    """Puts what is in the file that `values` has under `key` under `name`; a line break at its end is none of it."""
    if name in values:
        raise UsageError(f"{name} and {key} are both set: give the secret or the file that it is in")
    path = str(values.pop(key))
    try:
        secret = Path(path).read_text(encoding="utf-8-sig").rstrip("\r\n")
    except OSError as error:  # it may be the secret itself, put where its file's path belongs
        told = path if Path(path).is_absolute() else MASK
        raise UsageError(f"{key} is {told!r}, which can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{key} is {path!r}, which is no text: allowed is UTF-8") from None
    if not secret:
        raise UsageError(f"{key} is {path!r}, which is empty: allowed is a file that holds the secret")
    values[name] = secret


def _read_file(path: Path) -> dict[str, Any]:
    try:
        if not S_ISREG(path.stat().st_mode):
            raise UsageError(f"settings file {path} is a folder, a pipe or a device: allowed is a file, for it is read "
                             "again by each process that a command starts")  # fmt: skip
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors on Windows put a byte order mark first
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"settings file {path} is not TOML: {error}") from None
    except FileNotFoundError:
        raise UsageError(f"settings file {path} does not exist (named by --config or {CONFIG_VARIABLE})") from None
    except OSError as error:
        raise UsageError(f"settings file {path} can't be read: {error.strerror}") from None


def _refuse_unknown(names: Iterable[str], known: Iterable[str], what: str) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        near = get_close_matches(unknown[0], known, 1, cutoff=0)[0]
        name = unknown[0] if unknown[0].isprintable() else repr(unknown[0])  # it may hold a line break
        raise UsageError(f"unknown {what}: {name}; the nearest known one is {near}, `edgewise config` lists all")


def _refusal(error: ErrorDetails, sources: Sources) -> str:
    if not error["loc"]:  # several settings do not go together; their values, which may be secret, are not in it
        return str(error["ctx"]["error"])
    name = str(error["loc"][0])
    hint = str(error["ctx"]["error"]) if error["type"] == "value_error" else ""
    if name.endswith("_port") and _ADDRESS.fullmatch(str(error["input"])):
        service = f"{ENV_PREFIX}{name.removesuffix('_port')}".lower().replace("_", "-")
        hint = f"a Service called {service} sets it: set it in the container, or enableServiceLinks to false"
    refused = f"setting {name} ({sources.origin(name)}) is {shown(name, error['input'])!r}: allowed is {allowed(name)}"
    return f"{refused}; {hint}" if hint else refused
