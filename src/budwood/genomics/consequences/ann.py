"""Consequences as values of the INFO field ``ANN``, which SnpSift and ``bcftools +split-vep`` read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from budwood.genomics.consequences.consequence import Consequence

#: Fields of an entry, in order, as the standard "Variant annotations in VCF format" (2015) names them.
FIELDS: Final = (
    *("Allele", "Annotation", "Annotation_Impact", "Gene_Name", "Gene_ID", "Feature_Type", "Feature_ID"),
    *("Transcript_BioType", "Rank", "HGVS.c", "HGVS.p", "cDNA.pos / cDNA.length", "CDS.pos / CDS.length"),
    *("AA.pos / AA.length", "Distance", "ERRORS / WARNINGS / INFO"),
)
# The same fields by the names of the Variant Effect Predictor, which ``bcftools +split-vep`` asks for: it
# reads them behind "Format: " and needs one called Consequence.
_SPLIT_NAMES: Final = (
    *("Allele", "Consequence", "IMPACT", "SYMBOL", "Gene", "Feature_type", "Feature", "BIOTYPE", "EXON"),
    *("HGVSc", "HGVSp", "cDNA_position", "CDS_position", "Protein_position", "DISTANCE", "REASON"),
)
#: Line of a VCF header that declares the field.
ANN_HEADER: Final = (
    "##INFO=<ID=ANN,Number=.,Type=String,Description=\"Functional annotations: '"
    + " | ".join(FIELDS)
    + "' Format: "
    + "|".join(_SPLIT_NAMES)
    + '">'
)
_RESERVED: Final = re.compile(r"[\s|,;=%\"&]")


def ann_value(consequences: Sequence[Consequence]) -> str:
    """The value of ``ANN``: an entry of 16 fields for each consequence, in their order.

    What the format reserves (white space and ``| , ; = & % "``) is written as ``%`` and two hexadecimal
    digits within names.

    Parameters
    ----------
    consequences
        Those of one record.

    Returns
    -------
    str
        Entries with commas between them; ``""`` where there is none.

    Examples
    --------
    >>> from budwood.genomics.consequences.term import Term
    >>> ann_value([Consequence(allele="T", allele_number=1, terms=(Term.UPSTREAM,), gene="g;1", distance=7)])
    'T|upstream_gene_variant|MODIFIER|g%3B1|g%3B1||||||||||7|'
    """
    return ",".join(map(_entry, consequences))


def _entry(found: Consequence) -> str:
    return "|".join(
        (
            _escaped(found.allele),
            "&".join(found.terms),
            found.impact,
            _escaped(found.gene),
            _escaped(found.gene),
            "transcript" if found.transcript else "",
            _escaped(found.transcript),
            _escaped(found.biotype),
            found.rank,
            _escaped(found.hgvs_c),
            _escaped(found.hgvs_p),
            _place(found.cdna),
            _place(found.cds),
            _place(found.protein),
            "" if found.distance is None else str(found.distance),
            "&".join(found.reasons),
        )
    )


def _place(place: tuple[int, int] | None) -> str:
    return "" if place is None else f"{place[0]}/{place[1]}"


def _escaped(text: str) -> str:
    return _RESERVED.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)
