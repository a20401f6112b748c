"""The command line that gives the same result as a workflow's options."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

#: Options that are not spelled as the field is.
_SPELLED: Final[Mapping[str, str]] = MappingProxyType({"marker_map": "--map", "aliases": "--alias"})


def command_of(verb: str, options: Any) -> str:
    """The command that a user would type, without ``--out``.

    Parameters
    ----------
    verb
        Name of the verb.
    options
        Options of a workflow, a dataclass; options that have their default are left out.

    Returns
    -------
    str
        Words of a command line, quoted for a shell.

    Examples
    --------
    >>> from pathlib import Path
    >>> from budwood.panel.files import PanelFiles
    >>> files = PanelFiles(genotypes=Path("my panel.vcf"), marker_map=Path("map.csv"), ploidy=4)
    >>> command_of("predict", files)
    "budwood predict --genotypes 'my panel.vcf' --map map.csv --ploidy 4"
    """
    return shlex.join(["budwood", verb, *_words(options)])


def _words(options: Any) -> Iterator[str]:
    for each in fields(options):
        value = getattr(options, each.name)
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if is_dataclass(value):
            yield from _words(value)
        elif value != default and value is not None and value is not False:
            yield from _option(_SPELLED.get(each.name, f"--{each.name.replace('_', '-')}"), value)


def _option(option: str, value: Any) -> Iterator[str]:
    if value is True:
        yield option
    elif isinstance(value, Mapping):
        for name, other in value.items():
            yield from (option, f"{name}={other}")
    elif isinstance(value, tuple) and all(isinstance(each, Path) for each in value):
        for each in value:
            yield from (option, str(each))
    elif isinstance(value, tuple):
        yield from (option, ",".join(map(str, value)))
    else:
        yield from (option, str(value))
