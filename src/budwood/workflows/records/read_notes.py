"""What was read from a panel's files and what was assumed of them, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from budwood.errors import counted

if TYPE_CHECKING:
    from budwood.panel.panel import Panel


def identity_notes(panel: Panel, trait: str | None = None) -> tuple[str, ...]:
    """Which accessions were found where, near-misses and duplicates; none without phenotypes.

    Parameters
    ----------
    panel
        What was read.
    trait
        The trait that is analysed; accessions of both files that have no value of it are counted.

    Returns
    -------
    tuple[str, ...]
        Sentences.
    """
    if panel.identity is None:
        return ()
    first, *others = panel.identity.sentences()
    # Without phenotypes the first sentence only says that there are none.
    return tuple(others) if panel.phenotypes is None else (first, *_without_value(panel, trait), *others)


def _without_value(panel: Panel, trait: str | None) -> tuple[str, ...]:
    """How many accessions of both files have no value of a trait; nothing where all have one."""
    if trait is None or panel.identity is None or panel.phenotypes is None:
        return ()
    measured = panel.phenotypes.accession[panel.phenotypes.trait == trait]
    count = len(set(panel.identity.in_both) - set(measured.tolist()))
    lack = "lacks" if count == 1 else "lack"
    return (f"{counted(count, 'accession')} of these {lack} a value of {trait!r}.",) if count else ()


def read_notes(panel: Panel) -> tuple[str, ...]:
    """What every verb says of the files that it read, beside :func:`identity_notes`.

    Parameters
    ----------
    panel
        What was read, with haplotypes where a reference genome was given.

    Returns
    -------
    tuple of str
        Assumptions in reading genotypes and phenotypes, the trait's values, and how the alleles fit the
        reference genome.
    """
    from budwood.genomics.haplotypes.assumptions import describe_assumptions

    notes = [*panel.notes, *panel.weights.notes]
    if panel.reference_check is not None:
        notes += panel.reference_check.sentences()
    if panel.haplotypes is not None:
        notes += [f"Sequence: {what}." for what in describe_assumptions(panel.haplotypes.assumptions)]
    return tuple(notes)
