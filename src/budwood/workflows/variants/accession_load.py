"""The load of accessions as a table, which ``budwood predict --covariates`` reads."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from budwood.artifacts.parted_file import check_file
from budwood.errors import BudwoodError

_START: Final = b"accession,load_"

if TYPE_CHECKING:
    from budwood.genomics.consequences.load import Load


def check_load(out: Path, *, inputs: Sequence[Path], annotation: Path | None, overwrite: bool) -> None:
    """Refuse a table of load that must not be written, before long work.

    Parameters
    ----------
    out
        CSV to write.
    inputs
        Files that are read.
    annotation
        Genes; None where none are given.
    overwrite
        Whether an earlier table may be replaced.

    Raises
    ------
    BudwoodError
        If there is no annotation, or as :func:`~budwood.artifacts.parted_file.check_file`.
    """
    if annotation is None:
        raise BudwoodError(
            "the load counts consequences by an annotation, and there is none",
            where=str(out),
            mend="give --annotation GFF",
        )
    check_file(out, inputs=(*inputs, annotation), overwrite=overwrite, is_ours=_is_load)


def write_load(
    vcf: Path,
    *,
    reference: Path,
    annotation: Path | None,
    out: Path,
    aliases: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Load:
    """Write how many alleles of each class of impact every accession carries for one copy of its genome.

    Columns: ``accession``, ``load_high``, ``load_moderate``, ``load_low`` and ``load_modifier``; a class
    that no accession carries has no column, since a covariate that is the same everywhere explains nothing.

    Parameters
    ----------
    vcf
        VCF or BCF with the calls, of any ploidy.
    reference
        FASTA of the genome that they were called on.
    annotation
        Its genes: GFF3, GTF or BED; None is refused.
    out
        CSV to write: whole or not at all.
    aliases
        Contig names of the VCF and what reference and annotation call them.
    overwrite
        Whether a file at ``out`` may be replaced.

    Returns
    -------
    Load
        The table, the classes without a column included.

    Raises
    ------
    BudwoodError
        If a file cannot be read, the VCF has no accessions or ALTs with an impact, or as :func:`check_load`.
    """
    check_load(out, inputs=(vcf, reference), annotation=annotation, overwrite=overwrite)
    assert annotation is not None
    found = count_load(vcf, reference=reference, annotation=annotation, aliases=aliases)
    save_load(found, out)
    return found


def count_load(
    vcf: Path, *, reference: Path, annotation: Path, aliases: Mapping[str, str] | None = None
) -> Load:
    """Count the alleles of each class of impact; see :func:`write_load`.

    Parameters
    ----------
    vcf, reference, annotation, aliases
        As for :func:`write_load`.

    Returns
    -------
    Load
        At least one class has a value that is not 0.

    Raises
    ------
    BudwoodError
        If a file cannot be read, or the VCF has no accessions or ALTs with an impact.
    """
    from budwood.genomics.consequences.caller import ConsequenceCaller
    from budwood.genomics.consequences.load import impact_load
    from budwood.genomics.io.annotation.open_annotation import read_annotation
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.genomics.io.variants.vcf.reader import VcfCalls

    calls = VcfCalls(Path(vcf))
    if not calls.accessions:
        raise BudwoodError(
            "the VCF has no accessions, so there is no load",
            where=str(vcf),
            mend="give a VCF with genotype calls",
        )
    caller = ConsequenceCaller(read_annotation(annotation), open_fasta(reference), aliases=aliases)
    found = impact_load(caller, calls.accessions, calls.blocks())
    if not any(values.any() for values in found.columns.values()):
        raise BudwoodError(
            "no accession carries an alternative allele with a consequence",
            where=str(vcf),
            mend="check that the calls belong to this reference and its contig names, or give --alias",
        )
    return found


def save_load(found: Load, out: Path) -> None:
    """Write a load that :func:`count_load` counted, in the place of whatever is there.

    Parameters
    ----------
    found
        The load.
    out
        CSV to write: whole or not at all.
    """
    from budwood.genomics.io.text.csv_writer import write_csv

    columns = {name: values for name, values in found.columns.items() if values.any()}
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        rows = (
            (name, *(f"{v[row]:.6g}" for v in columns.values())) for row, name in enumerate(found.accessions)
        )
        write_csv(draft, ("accession", *columns), rows)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)


def _is_load(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(len(_START)) == _START
