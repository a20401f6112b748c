"""The one exception a user's input can cause."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

#: A word that nobody reads to its end.
_ENDLESS: Final = re.compile(r"\S{200,}")
#: Characters of a value that a message shows.
_SHOWN: Final = 60
#: Verbs as they stand behind many, and behind one.
_OF_ONE: Final = {
    "are": "is", "have": "has", "lie": "lies", "make": "makes", "belong": "belongs", "overlap": "overlaps",
}  # fmt: skip


class BudwoodError(Exception):
    """Bad input, described in one sentence: what is wrong, where, and how to mend it.

    The command line prints the sentence and ends with exit code 2; the Python API raises it.

    Parameters
    ----------
    what
        What is wrong, without a closing full stop.
    where
        The file, line, contig, accession or option that is meant.
    mend
        What the user can do about it.

    Examples
    --------
    >>> print(BudwoodError("the trait has no value", where="pheno.csv, column 'height'",
    ...                     mend="choose a trait that was measured"))
    the trait has no value (pheno.csv, column 'height'): choose a trait that was measured.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        # A cell or name that the sentence quotes may be of any length.
        self.what = _ENDLESS.sub(lambda word: f"{word.group()[:60]}...", what)
        self.where = where
        self.mend = mend
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The whole message as one sentence."""
        place = f" ({self.where})" if self.where else ""
        remedy = f": {self.mend}" if self.mend else ""
        return f"{self.what}{place}{remedy}".rstrip(".") + "."


def suggestion(name: str, known: Iterable[str], most: int = 12) -> str:
    """How to mend a name that is not known: the nearest known one, or those there are.

    Parameters
    ----------
    name
        The name as the user wrote it.
    known
        The names that exist.
    most
        How many of them to list where none is near.

    Returns
    -------
    str
        The ``mend`` of a :class:`BudwoodError`.

    Examples
    --------
    >>> suggestion("hieght", ["height", "yield"])
    "did you mean 'height'? Known are: height, yield"
    >>> suggestion("colour", ["height", "yield"])
    'choose one of: height, yield'
    """
    names = list(dict.fromkeys(known))
    lowered = {each.lower(): each for each in reversed(names)}
    near = get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    listed = ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
    if not near:
        return f"choose one of: {listed}"
    return f"did you mean {lowered[near[0]]!r}? Known are: {listed}"


def shown(value: object) -> str:
    """A value as messages show it: on one line, and an object of many characters cut short.

    Parameters
    ----------
    value
        What a caller gave.

    Returns
    -------
    str
        At most 63 characters.

    Examples
    --------
    >>> shown(None), shown("gblub")
    ('None', "'gblub'")
    >>> len(shown(list(range(1000))))
    63
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def counted(number: int, noun: str, plural: str = "") -> str:
    """A count with its noun, in the plural unless it is one.

    Parameters
    ----------
    number
        How many.
    noun
        What is counted, in the singular.
    plural
        Its plural where that is not the noun with an s.

    Returns
    -------
    str
        For messages and notes.

    Examples
    --------
    >>> counted(1, "candidate line"), counted(2400, "candidate line"), counted(0, "family", "families")
    ('1 candidate line', '2,400 candidate lines', '0 families')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def counted_clause(number: int, clause: str) -> str:
    """A count with what it says of its noun; for one, noun and verb are in the singular.

    Parameters
    ----------
    number
        How many.
    clause
        A noun in the plural, and behind it (or behind "that") the verb.

    Returns
    -------
    str
        For messages and notes.

    Examples
    --------
    >>> counted_clause(1, "half calls (0/.) are missing dosages")
    '1 half call (0/.) is a missing dosage'
    >>> counted_clause(2, "records lie past the end"), counted_clause(1, "records lie past the end")
    ('2 records lie past the end', '1 record lies past the end')
    >>> counted_clause(1, "exons and coding parts that belong to no gene")
    '1 exon or coding part that belongs to no gene'
    >>> counted_clause(1, "transcripts whose exons follow from their CDS and UTR lines")
    '1 transcript whose exons follow from its CDS and UTR lines'
    """
    if number != 1:
        return f"{number:,} {clause}"
    noun = re.match(r"(?:[\w-]+s and )?(?:[\w-]+ )*?[\w-]+s\b", clause)
    head = noun.group() if noun else ""
    one = re.sub(r"s\b", "", head.replace("s and ", " or "))
    rest = re.sub(
        r"^((?: \(\S+\))?(?: that)? )(\w+)\b",
        lambda found: found[1] + _OF_ONE.get(found[2], found[2]),
        clause[len(head) :],
    )
    return f"1 {one}{rest}".replace("is missing dosages", "is a missing dosage").replace(" their ", " its ")


class UnknownTrait(BudwoodError):
    """A trait that the phenotypes do not have, most often a misspelt one.

    Parameters
    ----------
    trait
        As it was asked for.
    known
        The traits that there are; the nearest is suggested.
    where
        The file.

    Examples
    --------
    >>> print(UnknownTrait("hieght", ["height", "yield"]))
    trait 'hieght' is not in the phenotypes: did you mean 'height'? Known are: height, yield.
    """

    def __init__(self, trait: str, known: Iterable[str], where: str = "") -> None:
        super().__init__(
            f"trait {trait!r} is not in the phenotypes", where=where, mend=suggestion(trait, known)
        )
