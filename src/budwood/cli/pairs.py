"""Options that are written ``NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from budwood.errors import BudwoodError, shown
from budwood.genomics.io.text.whole_number import whole_number


def parse_aliases(words: Sequence[str] | None) -> dict[str, str]:
    """Aliases of contigs, written ``GENOTYPES=REFERENCE``.

    Parameters
    ----------
    words
        As typed; None for none.

    Raises
    ------
    BudwoodError
        If one of the two names is missing, or a contig has two aliases.

    Examples
    --------
    >>> parse_aliases(["Chr2=chr02"])
    {'Chr2': 'chr02'}
    """
    found: dict[str, str] = {}
    for word in words or ():
        name, _, other = word.partition("=")
        if not name or not other:
            raise BudwoodError(
                f"alias {name!r} is not complete",
                where="--alias",
                mend="write the genotypes' name, =, the reference's name",
            )
        if name in found:
            raise BudwoodError(f"contig {name!r} has two aliases", where="--alias", mend="give one of them")
        found[name] = other
    return found


def parse_numbers(words: Sequence[str] | None, option: str) -> dict[str, float]:
    """Numbers by trait, written ``TRAIT=NUMBER``.

    Parameters
    ----------
    words
        As typed; None for none.
    option
        The option they were given to, for messages.

    Raises
    ------
    BudwoodError
        If one is not a number, or a trait is named twice.

    Examples
    --------
    >>> parse_numbers(["yield=2", "height=-0.5"], "--desired")
    {'yield': 2.0, 'height': -0.5}
    """
    found: dict[str, float] = {}
    for word in words or ():
        trait, _, text = word.rpartition("=")
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not trait or not isfinite(number):
            raise BudwoodError(f"{word!r} is not understood", where=option, mend="write TRAIT=NUMBER")
        if trait in found:
            raise BudwoodError(f"trait {trait!r} is named twice", where=option, mend="name it once")
        found[trait] = number
    return found


def parse_quotas(words: Sequence[str] | None) -> dict[str, tuple[int, int | None]]:
    """Quotas written ``GROUP=MIN:MAX``, where either number may be left out.

    Parameters
    ----------
    words
        As typed; None for none.

    Raises
    ------
    BudwoodError
        If one is not written so, or a group has two quotas.

    Examples
    --------
    >>> parse_quotas(["indica=5:20", "aus=:3", "japonica=4:"])
    {'indica': (5, 20), 'aus': (0, 3), 'japonica': (4, None)}
    """
    quotas: dict[str, tuple[int, int | None]] = {}
    for word in words or ():
        group, _, numbers = word.rpartition("=")
        fewest, colon, most = numbers.partition(":")
        least, largest = whole_number(fewest or "0"), whole_number(most or "0")
        if not group or not colon or least is None or largest is None or not (fewest or most):
            raise BudwoodError(
                f"the quota {shown(word)} is not understood", where="--quota", mend="write GROUP=MIN:MAX"
            )
        if group in quotas:
            raise BudwoodError(
                f"group {group!r} has two quotas", where="--quota", mend="give one quota for each group"
            )
        quotas[group] = (least, largest if most else None)
    return quotas


def parse_names(text: str | None, option: str) -> tuple[str, ...]:
    """Names with commas between, spaces around them left out.

    Parameters
    ----------
    text
        As typed; None for none.
    option
        The option it was given to, for messages.

    Raises
    ------
    BudwoodError
        If a name is empty.

    Examples
    --------
    >>> parse_names("gblup, gaussian", "--models")
    ('gblup', 'gaussian')
    """
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise BudwoodError(
            f"a name is empty in {text!r}",
            where=option,
            mend="write names with commas between, or leave it out",
        )
    return names


def parse_whole_numbers(text: str | None, option: str) -> tuple[int, ...]:
    """Whole numbers with commas between.

    Parameters
    ----------
    text
        As typed; None for none.
    option
        The option it was given to, for messages.

    Raises
    ------
    BudwoodError
        If one is not a whole number of 0 or more.

    Examples
    --------
    >>> parse_whole_numbers("0, 25,50", "--sizes")
    (0, 25, 50)
    """
    numbers = [whole_number(word) for word in (text or "").split(",") if word.strip()]
    found = tuple(number for number in numbers if number is not None)
    if len(found) != len(numbers):
        raise BudwoodError(
            f"{option} {shown(text or '')} are no whole numbers",
            where="command line",
            mend="write them as 0,25,50",
        )
    return found


def parse_files(paths: Sequence[Path] | None) -> tuple[Path | None, ...]:
    """Files of several species, one each, where ``-`` stands for none.

    Parameters
    ----------
    paths
        As typed; None for none.

    Examples
    --------
    >>> parse_files([Path("genes.gff3"), Path("-")])[1] is None
    True
    """
    return tuple(None if str(path) == "-" else path for path in paths or ())
