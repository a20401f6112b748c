"""What every verb has: options from a file, and a refusal of options that are given twice."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from budwood.errors import BudwoodError, suggestion


class Verb(TyperCommand):
    """A command that refuses an option with one value where it is given more than once."""

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        for param in self.params:
            _without_type(param)

    def get_help_option(self, ctx: Any) -> Any:
        """The option ``--help``."""
        return _without_type(super().get_help_option(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words after the verb.

        Parameters
        ----------
        ctx
            The running command.
        args
            The words.

        Raises
        ------
        BudwoodError
            If an option that takes one value is given more than once.
        """
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        times = Counter(each.name for each in order)
        for param in self.params:
            if _takes_one_value(param) and times[param.name] > 1:
                raise BudwoodError(
                    f"{_spelled(param)} is given {times[param.name]} times",
                    where="command line",
                    mend="give it once",
                )
        return list(super().parse_args(ctx, args))


def _without_type(param: Any) -> Any:
    """The option without the word ``bool`` in its help where it takes no value."""
    if param is not None and getattr(param, "is_flag", False) and param.metavar is None:
        param.metavar = ""
    return param


def read_config_file(ctx: typer.Context, path: Path | None) -> Path | None:
    """Take the options of a TOML file as defaults of the command.

    Parameters
    ----------
    ctx
        The running command.
    path
        The file; None for none.

    Raises
    ------
    BudwoodError
        If the file cannot be read, or names an option that the command does not have or that has one value
        twice.
    """
    if path is None or ctx.resilient_parsing:
        return path
    by_name = {_spelled(param).lstrip("-"): param for param in ctx.command.params}
    defaults: dict[str, Any] = {}
    for name, value in _toml(path).items():
        param = by_name.get(name)
        if param is None or name in ("config", "help"):
            known = sorted(set(by_name) - {"config", "help"})
            raise BudwoodError(
                f"there is no option {name!r}", where=str(path), mend=suggestion(name, known, most=40)
            )
        defaults[str(param.name)] = _value(param, value, f"{path}, {name}")
    ctx.default_map = {**(ctx.default_map or {}), **defaults}
    return path


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BudwoodError(
            f"the file is not TOML: {error}", where=str(path), mend='write lines such as trait = "height"'
        ) from error


def _value(param: Any, value: Any, where: str) -> Any:
    """A value of the file as the command line would have it."""
    several = getattr(param, "multiple", False) or getattr(param, "nargs", 1) == -1
    if isinstance(value, dict) and several:
        return [f"{name}={each}" for name, each in value.items()]
    if isinstance(value, list):
        if several:
            return [str(each) for each in value]
        if str(getattr(param, "metavar", "")).endswith(",B"):
            return ",".join(map(str, value))
    elif getattr(param, "is_flag", False):
        if isinstance(value, bool):
            return value
        raise BudwoodError(f"{value!r} is neither true nor false", where=where, mend="write true or false")
    elif not isinstance(value, dict | bool):
        return [str(value)] if several else str(value)
    raise BudwoodError(f"{value!r} cannot be a value of this option", where=where, mend="write one value")


def _takes_one_value(param: Any) -> bool:
    several = getattr(param, "multiple", False) or getattr(param, "is_flag", False)
    return param.param_type_name == "option" and not several and not getattr(param, "count", False)


def _spelled(param: Any) -> str:
    """The long form of an option, the name of an argument."""
    if param.param_type_name != "option":
        return str(param.name).replace("_", "-")
    return max(param.opts, key=len)
