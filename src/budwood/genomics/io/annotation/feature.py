"""One line of a GFF3 or GTF file, each line in its own dialect."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote

from budwood.errors import BudwoodError

EXON: Final = frozenset({"exon", "pseudogenic_exon"})
UTR: Final = frozenset({"utr", "five_prime_utr", "three_prime_utr", "5utr", "3utr"})
CODING: Final = frozenset({"cds", "stop_codon"})
#: Types, in lower case, that are parts of a transcript.
PARTS: Final = EXON | UTR | CODING
_POSITION: Final = re.compile(r"\d{1,15}", re.A)
# What stands for a quote within a quoted value while a line is cut into its items.
_ESCAPED: Final = "\x00"


class Feature(NamedTuple):
    """One line of an annotation.

    Attributes
    ----------
    contig, source, kind
        Columns 1 to 3.
    start, end
        0-based half-open.
    strand
        ``+``, ``-`` or ``.``.
    phase
        Column 8, None where it is missing.
    key
        Its identifier, ``""`` where it has none. Those of GTF begin with ``gene:`` or ``transcript:``.
    parents
        Identifiers of what it is part of.
    gene
        Identifier of the gene that a GTF line names beside its transcript, ``""`` in GFF3.
    attributes
        Column 9.
    """

    contig: str
    source: str
    kind: str
    start: int
    end: int
    strand: str
    phase: int | None
    key: str
    parents: tuple[str, ...]
    gene: str
    attributes: dict[str, str]

    @property
    def is_part(self) -> bool:
        """Whether it is an exon, UTR or coding part."""
        return self.kind.lower() in PARTS


def read_feature(columns: Sequence[str], number: int, where: str) -> Feature:
    """Read the columns of a line; its attributes say whether it is GFF3 (``ID=x``) or GTF (``gene_id "x"``).

    A column 9 that is a single word, as AUGUSTUS and BRAKER write it for genes and transcripts, is the
    identifier.

    Parameters
    ----------
    columns
        Nine columns or more.
    number
        Number of the line, which names parts that have no name.
    where
        File and line, for messages.

    Returns
    -------
    Feature
        Place, type, strand, phase, parents and attributes of the line.

    Raises
    ------
    BudwoodError
        If positions, strand or phase are not valid.
    """
    contig, source, kind, first, last, _, strand, phase, text = columns[:9]
    if not (_POSITION.fullmatch(first) and _POSITION.fullmatch(last) and 1 <= int(first) <= int(last)):
        raise BudwoodError(
            f"start {first[:24]!r} and end {last[:24]!r} are no positions",
            where=where,
            mend="write whole numbers, 1 <= start <= end",
        )
    if strand not in ("+", "-", ".", "?") or phase not in ("0", "1", "2", "."):
        raise BudwoodError(
            f"strand {strand[:24]!r} or phase {phase[:24]!r} is not valid",
            where=where,
            mend="write + or - or . as the strand and 0, 1, 2 or . as the phase",
        )
    dialect, attributes = read_attributes(text)
    links = _gff3_links if dialect == "gff3" else _gtf_links
    if dialect == "bare":
        attributes = {"gene_id" if "gene" in kind.lower() else "transcript_id": text.strip()}
    key, parents, gene = links(kind.lower(), attributes, number)
    frame = None if phase == "." else int(phase)
    place = (unquote(contig), source, kind, int(first) - 1, int(last), strand if strand in "+-" else ".")
    return Feature(*place, frame, key, parents, gene, attributes)


def read_attributes(text: str) -> tuple[str, dict[str, str]]:
    """Dialect of column 9 (``"gff3"``, ``"gtf"``, ``"bare"`` or ``"none"``) and what it says.

    Parameters
    ----------
    text
        Column 9.

    Returns
    -------
    tuple of str, dict
        Dialect, and values by attribute.

    Examples
    --------
    >>> read_attributes("ID=g1;Name=a b")
    ('gff3', {'ID': 'g1', 'Name': 'a b'})
    >>> read_attributes('gene_id "g1"; note "a; b";')
    ('gtf', {'gene_id': 'g1', 'note': 'a; b'})
    >>> read_attributes("g1.t1")
    ('bare', {})
    """
    first = text.partition(";")[0].strip()
    name = first.partition("=")[0].rstrip()
    if "=" in first and name and not any(letter in name for letter in ' \t"'):
        return "gff3", _gff3_attributes(text)
    if " " in first or "\t" in first:
        return "gtf", _gtf_attributes(text)
    if "=" in text:
        return "gff3", _gff3_attributes(text)
    return ("bare" if first not in ("", ".") and first == text.strip().rstrip(";") else "none"), {}


def _gff3_attributes(text: str) -> dict[str, str]:
    pairs = (item.split("=", 1) for item in text.split(";") if "=" in item)
    return {name.strip(): value.strip().strip('"') for name, value in pairs}


def _gtf_attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in _items(text):
        words = item.split(maxsplit=1)
        if len(words) == 2:
            found[words[0]] = words[1].strip().replace(_ESCAPED, '"')
    return found


def _items(text: str) -> Iterator[str]:
    """What stands between semicolons outside quotes, without the quotes; linear in the text's length."""
    if '"' not in text:
        yield from text.split(";")
        return
    item: list[str] = []
    for number, piece in enumerate(text.replace('\\"', _ESCAPED).split('"')):
        if number % 2:
            item.append(piece)
            continue
        first, *others = piece.split(";")
        item.append(first)
        for other in others:
            yield "".join(item)
            item = [other]
    yield "".join(item)


def _gff3_links(kind: str, attributes: dict[str, str], number: int) -> tuple[str, tuple[str, ...], str]:
    parents = tuple(unquote(name.strip()) for name in attributes.get("Parent", "").split(",") if name.strip())
    key = unquote(attributes.get("ID", ""))
    if kind in PARTS and not parents:
        # Parts of one coding sequence without a parent share their ID.
        parents = (key or nameless(kind, number),)
    return key, parents, ""


def _gtf_links(kind: str, attributes: dict[str, str], number: int) -> tuple[str, tuple[str, ...], str]:
    # A gene and its transcript may bear the same id; the prefixes keep them apart and are taken off later.
    gene = f"gene:{attributes['gene_id']}" if attributes.get("gene_id") else ""
    transcript = f"transcript:{attributes['transcript_id']}" if attributes.get("transcript_id") else ""
    if kind in PARTS:
        return "", (transcript or gene or nameless(kind, number),), gene
    if "gene" in kind:
        return gene, (), gene
    if kind.endswith(("transcript", "rna")):
        return transcript, (gene,) if gene else (), gene
    # Start codons and the like bear their transcript's id without being one.
    return "", (), gene


def nameless(kind: str, number: int) -> str:
    """Identifier of a part that names no parent and has no identifier of its own.

    Parameters
    ----------
    kind
        Type of the part.
    number
        Number of its line.

    Returns
    -------
    str
        The identifier.

    Examples
    --------
    >>> nameless("exon", 7)
    'exon of line 7'
    """
    return f"{kind} of line {number}"
