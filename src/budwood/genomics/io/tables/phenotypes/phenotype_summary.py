"""What was read from a table of trait values, what was assumed, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from budwood.errors import counted
from budwood.genomics.phenotypes import TraitDescription

_NAMED = 8


@dataclass(frozen=True)
class PhenotypeSummary:
    """What was read from a table of trait values, and what was not.

    Attributes
    ----------
    layout
        ``"wide"`` (a column per trait) or ``"long"`` (a row per value).
    accession_column, environment_columns
        Which columns named the accession and the environment.
    accessions
        Ids of all rows in order of appearance, also those without any value.
    values
        Number of values per trait; 0 for a column whose every cell is missing.
    left_out
        Columns that hold text and were taken for identifiers.
    no_traits
        Columns of numbers whose names (``family``, ``year``, ``plot``) say that they are no traits.
    unreadable
        Traits with a cell that cannot be read, and the sentence that says which.
    repeated
        How often an accession (with its trait, in long tables, and its environment, written with ``/``
        between) has a value, where that is more than once.
    duplicates
        Number of rows that repeat an earlier row word for word.
    decimal_commas
        Whether ``1,5`` was read as 1.5.
    notes
        What was assumed in reading the table as a whole, a sentence each.
    trait_notes
        What was assumed of each trait's values (missing codes, units), a sentence each.
    descriptions
        Minimum, median, maximum and outliers of each trait.
    """

    layout: str
    accession_column: str
    environment_columns: tuple[str, ...]
    accessions: tuple[str, ...]
    values: Mapping[str, int]
    left_out: tuple[str, ...] = ()
    no_traits: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    repeated: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    decimal_commas: bool = False
    notes: tuple[str, ...] = ()
    trait_notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    descriptions: Mapping[str, TraitDescription] = field(default_factory=dict)

    def sentences(self) -> list[str]:
        """The summary of the table for people, one fact a sentence.

        Returns
        -------
        list of str
            Sentences in a fixed order.
        """
        found = [
            f"{counted(len(self.accessions), 'accession')} and {counted(len(self.values), 'trait')} "
            f"were read from a {self.layout} table; column {self.accession_column!r} names the accession."
        ]
        if self.environment_columns:
            found.append(f"The environment is column {' and '.join(map(repr, self.environment_columns))}.")
        found += self.notes
        if self.left_out:
            found.append(f"Columns left out because they hold text: {_some(self.left_out)}.")
        if self.no_traits:
            found.append(
                f"Columns left out because their names are not those of traits: {_some(self.no_traits)}."
            )
        found += list(self.unreadable.values())[:_NAMED]
        if self.duplicates:
            found.append(f"{_rows(self.duplicates)} an earlier row word for word and were kept.")
        if self.repeated:
            found.append(f"Repeated in more than one row: {_some(self.repeated)}.")
        if empty := [trait for trait, count in self.values.items() if not count]:
            found.append(f"Traits without any value: {_some(empty)}.")
        if self.decimal_commas:
            found.append("Decimal commas were read as decimal points.")
        return found

    def about(self, trait: str) -> list[str]:
        """What a trait's values look like, and what was assumed of them, one fact a sentence.

        Parameters
        ----------
        trait
            Name of the trait.

        Returns
        -------
        list of str
            Sentences; none for a trait that the table lacks.
        """
        described = [self.descriptions[trait].sentence] if trait in self.descriptions else []
        return [*described, *self.trait_notes.get(trait, ())]


def _rows(count: int) -> str:
    return f"{count:,} row repeats" if count == 1 else f"{count:,} rows repeat"


def _some(names: Sequence[str] | Mapping[str, int]) -> str:
    listed = [name or "one without a name" for name in names]
    return ", ".join(listed[:_NAMED]) + (f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else "")
