"""Consequences of a record's alleles for every transcript near it."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import Assembly
from budwood.genomics.consequences.consequence import AnnotationReason, Consequence
from budwood.genomics.consequences.edit import TranscriptEdit, edit_of
from budwood.genomics.consequences.gene_index import GeneIndex, IndexedTranscript
from budwood.genomics.consequences.term import Term
from budwood.genomics.consequences.transcript_consequence import transcript_consequence
from budwood.genomics.consequences.transcript_model import TranscriptModel
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.haplotypes.contig_reader import ContigReader
from budwood.genomics.sequence import decode

#: Bases around a transcript in which a variant is upstream or downstream of it.
FLANK: Final = 5_000
_LETTERS: Final = re.compile(r"[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]+")
_OTHER: Final = re.compile(r"[^ACGTN]")
# Transcripts and contigs kept at hand: enough for records in order, bounded for those in none.
_TRANSCRIPTS_KEPT: Final = 1_024
_CONTIGS_KEPT: Final = 8


class ConsequenceCaller:
    """Finds what the alleles of records do to the transcripts of an annotation.

    An insertion or deletion that could be written at several places has one consequence, whichever of them
    the record chose: the place of the mildest effect counts, and among equals the one nearest to the
    transcript's 3' end. A splice site or start codon that the resulting sequence still has is thus not lost.

    Parameters
    ----------
    annotation
        Genes of the assembly.
    assembly
        The assembly.
    flank
        Bases around a transcript in which a variant is upstream or downstream of it.
    aliases
        Contig names of the records and what annotation and assembly call them.

    Raises
    ------
    BudwoodError
        If ``flank`` is negative or no contig of the annotation is in the assembly.

    Examples
    --------
    >>> from budwood.genomics.annotation.genes import CodingPart, Gene, Span, Transcript
    >>> from budwood.genomics.assembly import InMemoryAssembly
    >>> transcript = Transcript("g.1", (Span(2, 14),), (CodingPart(2, 14, 0),), "protein_coding")
    >>> annotation = Annotation((Gene("g", "1", 2, 14, "+", (transcript,)),))
    >>> caller = ConsequenceCaller(annotation, InMemoryAssembly({"1": "TTATGAAATGGTAATT"}))
    >>> found = caller.call(Site("1", 5, "snv", ("A", "T")))[0]
    >>> [str(term) for term in found.terms], found.hgvs_c, found.hgvs_p
    (['stop_gained'], 'c.4A>T', 'p.Lys2*')
    """

    def __init__(
        self,
        annotation: Annotation,
        assembly: Assembly,
        *,
        flank: int = FLANK,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        if flank < 0:
            raise BudwoodError(f"flank {flank} is negative", mend="give 0 or more bases")
        named = annotation.contigs
        if named and not set(named) & assembly.contigs.keys():
            raise BudwoodError(
                "no contig of the annotation is in the reference",
                where=f"the annotation has {', '.join(named[:6])}; "
                f"the reference has {', '.join(list(assembly.contigs)[:6])}",
                mend="give the annotation of this reference, with the same contig names",
            )
        self._assembly = assembly
        self._aliases = dict(aliases or {})
        self._flank = flank
        self._index = GeneIndex(annotation, flank)
        self._readers: OrderedDict[str, Callable[[int, int], str]] = OrderedDict()
        self._models: OrderedDict[tuple[str, int], TranscriptModel] = OrderedDict()

    def call(self, site: Site) -> tuple[Consequence, ...]:
        """Consequences of every ALT of a record, most severe first.

        Never raises for a record: where nothing can be said the one consequence of an allele is
        ``sequence_variant`` with a reason.

        Parameters
        ----------
        site
            The record: contig, 0-based start, REF and ALTs as written.

        Returns
        -------
        tuple of Consequence
            For each ALT one for every transcript that it meets or that lies within the flank of it, or one
            ``intergenic_variant``. Equals are in the order of ALTs, then of the annotation.
        """
        found: list[tuple[int, int, int, Consequence]] = []
        for number, allele in enumerate(site.alleles[1:], start=1):
            for order, consequence in self._of_allele(site, number, allele):
                found.append((consequence.terms[0].severity, number, order, consequence))
        return tuple(entry[-1] for entry in sorted(found, key=lambda entry: entry[:-1]))

    def edit(self, site: Site, number: int) -> TranscriptEdit | AnnotationReason:
        """The change that an allele makes on the + strand.

        Parameters
        ----------
        site
            The record.
        number
            Number of the ALT, from 1.

        Returns
        -------
        TranscriptEdit or AnnotationReason
            The change, or why there is none.
        """
        contig = self._aliases.get(site.contig, site.contig)
        length = self._assembly.contigs.get(contig)
        if length is None:
            return AnnotationReason.CONTIG_NOT_FOUND
        reference, allele = site.alleles[0].upper(), site.alleles[number].upper()
        if allele == "*":
            return AnnotationReason.ALLELE_DELETED_UPSTREAM
        if allele in (".", "", reference):
            return AnnotationReason.ALLELE_IS_REFERENCE
        if not _LETTERS.fullmatch(allele) or not _LETTERS.fullmatch(reference):
            return AnnotationReason.ALLELE_SYMBOLIC
        if site.start < 0 or site.start + len(reference) > length:
            return AnnotationReason.OUT_OF_RANGE
        return edit_of(site.start, _plain(reference), _plain(allele), self._reader(contig))

    def models(self, contig: str, start: int, end: int) -> Iterator[tuple[int, TranscriptModel]]:
        """Transcripts that a stretch meets or that lie within the flank of it, ready to be read.

        Parameters
        ----------
        contig
            Name of the contig in the records.
        start, end
            0-based half-open stretch.

        Yields
        ------
        int
            Place of the transcript in the annotation.
        TranscriptModel
            The transcript.
        """
        contig = self._aliases.get(contig, contig)
        for entry in self._index.near(contig, start, end):
            yield entry.number, self._model(contig, entry)

    def _of_allele(self, site: Site, number: int, allele: str) -> Iterator[tuple[int, Consequence]]:
        edit = self.edit(site, number)
        if isinstance(edit, AnnotationReason):
            yield (
                0,
                Consequence(allele=allele, allele_number=number, terms=(Term.SEQUENCE,), reasons=(edit,)),
            )
            return
        reasons = self._doubts(site, edit)
        found = False
        for order, model in self.models(site.contig, edit.start - edit.left, edit.end + edit.right):
            consequence = transcript_consequence(model, edit, allele, number, reasons)
            if (consequence.distance or 0) <= self._flank:
                found = True
                yield order, consequence
        if not found:
            annotated = self._aliases.get(site.contig, site.contig) in self._index
            extra = () if annotated else (AnnotationReason.NO_GENES_ON_CONTIG,)
            yield (
                0,
                Consequence(
                    allele=allele, allele_number=number, terms=(Term.INTERGENIC,), reasons=(*reasons, *extra)
                ),
            )

    def _doubts(self, site: Site, edit: TranscriptEdit) -> tuple[AnnotationReason, ...]:
        """What makes a record's letters unsure."""
        reference = _plain(site.alleles[0].upper())
        contig = self._aliases.get(site.contig, site.contig)
        genome = self._reader(contig)(site.start, site.start + len(reference))
        found = []
        if genome != reference and any(
            one != other and "N" not in (one, other) for one, other in zip(genome, reference, strict=True)
        ):
            found.append(AnnotationReason.REFERENCE_DIFFERS)
        if "N" in edit.removed or "N" in genome[edit.start - site.start : edit.end - site.start]:
            found.append(AnnotationReason.REFERENCE_AMBIGUOUS)
        if "N" in edit.inserted:
            found.append(AnnotationReason.ALLELE_AMBIGUOUS)
        return tuple(found)

    def _reader(self, contig: str) -> Callable[[int, int], str]:
        reader = self._readers.get(contig)
        if reader is None:
            codes = ContigReader(self._assembly, contig)

            def reader(start: int, end: int) -> str:
                return decode(codes.codes(max(start, 0), max(end, 0)))

            self._readers[contig] = reader
            if len(self._readers) > _CONTIGS_KEPT:
                self._readers.popitem(last=False)
        return reader

    def _model(self, contig: str, entry: IndexedTranscript) -> TranscriptModel:
        key = (contig, entry.number)
        model = self._models.get(key)
        if model is None:
            model = TranscriptModel(entry.gene, entry.transcript, self._reader(contig))
            self._models[key] = model
            if len(self._models) > _TRANSCRIPTS_KEPT:
                self._models.popitem(last=False)
        else:
            self._models.move_to_end(key)
        return model


def _plain(letters: str) -> str:
    """Letters over A C G T N."""
    return _OTHER.sub("N", letters.replace("U", "T"))
