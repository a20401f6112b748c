"""What was read from a panel's files and what was assumed of them, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from budwood.panel.panel import Panel


def identity_notes(panel: Panel) -> tuple[str, ...]:
    """Which accessions were found where, near-misses and duplicates; none without phenotypes.

    Parameters
    ----------
    panel
        What was read.

    Returns
    -------
    tuple[str, ...]
        Sentences.
    """
    if panel.identity is None:
        return ()
    # Without phenotypes the first sentence only says that there are none.
    return tuple(panel.identity.sentences()[0 if panel.phenotypes is not None else 1 :])


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
