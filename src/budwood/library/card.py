"""Cards of the model library: what a model is, for whom, and how accurate it was found to be."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import isfinite
from pathlib import Path
from typing import Any, Final

from budwood.errors import BudwoodError, suggestion

FORMAT: Final = 1
CARD: Final = "card.json"
#: Provenance of the trait values or of the sequence.
PROVENANCES: Final = ("field", "controlled", "mixed", "sequence", "unknown")

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TERM: Final = re.compile(r"(CO_\d{3}|TO|PO|PECO|GO|PATO):\d{7}")
#: Names that some operating system keeps for itself.
_RESERVED: Final = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
_AGAIN: Final = "copy the entry again from its source, or add the model again"


@dataclass(frozen=True, kw_only=True)
class StatedAccuracy:
    """One measured accuracy.

    Attributes
    ----------
    measure
        What was measured, such as ``"height: mean r of gblup, random folds"``.
    value
        The figure.
    lower, upper
        Its 95 % interval; None where none was stored.
    """

    measure: str
    value: float
    lower: float | None = None
    upper: float | None = None

    @property
    def text(self) -> str:
        """The figure with its interval.

        Examples
        --------
        >>> StatedAccuracy(measure="r", value=0.5, lower=0.4, upper=0.6).text
        'r 0.500 (0.400 to 0.600)'
        """
        if self.lower is None or self.upper is None:
            return f"{self.measure} {self.value:.3f}"
        return f"{self.measure} {self.value:.3f} ({self.lower:.3f} to {self.upper:.3f})"


@dataclass(frozen=True, kw_only=True)
class Card:
    """What the library knows of a model.

    Attributes
    ----------
    name
        Name of the entry.
    kind
        ``checkpoint``, ``adapter``, ``trait-model`` or ``fine-tuned``.
    species, population
        What it was trained on, in the user's words.
    traits
        Traits or outputs.
    terms
        Terms of the Crop Ontology or another plant ontology by trait, such as ``{"height":
        "CO_320:0000074"}``.
    environments
        Environments of the trait values.
    provenance
        One of PROVENANCES.
    accuracy
        Figures with intervals, as its folder has them.
    date
        When the model was written (ISO 8601).
    digest
        Digest of the model's manifest.
    encoder
        Name and digest of the encoder that it belongs to or reads sequence with; empty for none.
    budwood
        Release that wrote the model.
    note
        Anything else.
    """

    name: str
    kind: str
    species: str = ""
    population: str = ""
    traits: tuple[str, ...] = ()
    terms: Mapping[str, str]
    environments: tuple[str, ...] = ()
    provenance: str = "unknown"
    accuracy: tuple[StatedAccuracy, ...] = ()
    date: str = ""
    digest: str = ""
    encoder: Mapping[str, str]
    budwood: str = ""
    note: str = ""

    def record(self) -> dict[str, Any]:
        """The card as plain values.

        Returns
        -------
        dict
            Numbers, texts, lists and mappings.
        """
        return json.loads(json.dumps(asdict(self)))

    def lines(self) -> list[str]:
        """The card for people, a line for each thing that is known.

        Returns
        -------
        list of str
            The name first.
        """
        named = {
            "kind": self.kind,
            "species": self.species,
            "population": self.population,
            "traits": ", ".join(
                f"{trait} ({self.terms[trait]})" if trait in self.terms else trait for trait in self.traits
            ),
            "environments": ", ".join(self.environments),
            "provenance": self.provenance,
            "encoder": f"{self.encoder['name']} ({self.encoder['digest'][:12]})" if self.encoder else "",
            "date": self.date,
            "budwood": self.budwood,
            "digest": self.digest,
            "note": self.note,
        }
        found = [self.name, *(f"  {name}: {value}" for name, value in named.items() if value)]
        return found + [f"  accuracy: {each.text}" for each in self.accuracy]


def check_name(name: str) -> str:
    """Refuse a name that cannot be the name of an entry.

    Parameters
    ----------
    name
        Name of an entry.

    Returns
    -------
    str
        The name.

    Raises
    ------
    BudwoodError
        If it is not 1 to 64 letters, digits, - and _, or an operating system keeps it for itself.

    Examples
    --------
    >>> check_name("rice-height")
    'rice-height'
    """
    if _NAME.fullmatch(name) is None or name.lower() in _RESERVED:
        raise BudwoodError(
            f"{name[:80]!r} cannot be the name of an entry",
            where="library",
            mend="give 1 to 64 letters, digits, - and _, beginning with a letter or digit",
        )
    return name


def check_terms(terms: Mapping[str, str], traits: tuple[str, ...]) -> None:
    """Refuse terms that are none of a plant ontology, or of traits that the model does not have.

    Parameters
    ----------
    terms
        Term by trait.
    traits
        Traits of the model.

    Raises
    ------
    BudwoodError
        If a term or a trait is wrong.
    """
    for trait, term in terms.items():
        if _TERM.fullmatch(term) is None:
            raise BudwoodError(
                f"{term!r} is no term of a plant ontology",
                where=f"--term {trait}",
                mend="write one such as CO_320:0000074 (Crop Ontology) or TO:0000207 (Trait Ontology)",
            )
        if trait not in traits:
            raise BudwoodError(
                f"the model has no trait {trait!r}", where="--term", mend=suggestion(trait, traits)
            )


def write_card(path: Path, card: Card) -> None:
    """Write a card.

    Parameters
    ----------
    path
        The file.
    card
        The card.
    """
    record = {"format": FORMAT, **card.record()}
    text = json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_card(path: Path) -> Card:
    """Read a card and check the types of what it says.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Card
        The card.

    Raises
    ------
    BudwoodError
        If it cannot be read, is of a later format, or says something of another type.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        version = record.pop("format")
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise BudwoodError("the card cannot be read", where=str(path), mend=_AGAIN) from error
    if type(version) is not int or version > FORMAT:
        raise BudwoodError(
            f"the card has format {version!r}, this release reads up to {FORMAT}",
            where=str(path),
            mend="update budwood",
        )
    try:
        accuracy = tuple(_accuracy(each) for each in record.pop("accuracy", ()))
        known = {each.name for each in fields(Card)}
        values = {name: value for name, value in record.items() if name in known}
        for name, value in values.items():
            values[name] = _checked(name, value)
        return Card(**values, accuracy=accuracy)
    except (KeyError, TypeError, ValueError) as error:
        raise BudwoodError(f"the card is damaged: {error}", where=str(path), mend=_AGAIN) from error


def _checked(name: str, value: Any) -> Any:
    """A value of a card in its type."""
    if name in ("traits", "environments"):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise TypeError(f"{name} is no list of texts")
        return tuple(value)
    if name in ("terms", "encoder"):
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise TypeError(f"{name} is no mapping of texts")
        if name == "encoder" and value and set(value) != {"name", "digest"}:
            raise TypeError("encoder has other entries than name and digest")
        return value
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _accuracy(value: Any) -> StatedAccuracy:
    numbers = [value["value"], value.get("lower"), value.get("upper")]
    if not all(each is None or (type(each) in (int, float) and isfinite(each)) for each in numbers):
        raise TypeError("an accuracy is no number")
    return StatedAccuracy(
        measure=str(value["measure"]), value=float(numbers[0]), lower=numbers[1], upper=numbers[2]
    )
