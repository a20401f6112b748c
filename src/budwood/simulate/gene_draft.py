"""A random gene with promoter, transcript and signals, before it is placed on a contig."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.annotation.genes import CodingPart, Gene, Span, Transcript
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import A, C, G, encode, reverse_complement
from budwood.simulate.coding_sequence import coding_sequence
from budwood.simulate.composition import Composition
from budwood.simulate.gene import Motif, SyntheticGene

TATA_BOX: Final = "TATA box"
DONOR: Final = "splice donor"
BRANCH_POINT: Final = "branch point"
PYRIMIDINE_TRACT: Final = "polypyrimidine tract"
ACCEPTOR: Final = "splice acceptor"
POLY_A_SIGNAL: Final = "poly-A signal"

#: Binding sites of plant transcription factors (PLACE, Higo et al. 1999, Nucleic Acids Res. 27:297).
BINDING_SITES: Final = {
    "G-box": "CACGTG",
    "W-box": "TTGACC",
    "I-box": "GATAAG",
    "ABRE": "ACGTGGC",
    "GT1 site": "GGTTAA",
    "MYB site": "TAACTG",
    "CCAAT box": "CCAAT",
}

#: Bases upstream of the transcription start that make a promoter.
PROMOTER: Final = 500
# Binding sites lie in slots of 20 bases, from 340 to 60 bases before the transcription start.
_SLOT: Final = 20
_SLOTS: Final = np.arange(PROMOTER - 340, PROMOTER - 60, _SLOT)

SHORTEST_EXON: Final = 45
SHORTEST_INTRON: Final = 80
# Rows are positions, columns A C G T: the consensus AG|GTAAGT ... TGCAG of plant introns, which are rich
# in U throughout (Brown and Simpson 1998, Annu. Rev. Plant Physiol. 49:77).
_INTRON_BASES: Final = (0.28, 0.14, 0.17, 0.41)
_TRACT_BASES: Final = (0.10, 0.22, 0.06, 0.62)
_DONOR_BASES: Final = (
    (0.0, 0.0, 1.0, 0.0),
    (0.0, 0.0, 0.0, 1.0),
    (0.66, 0.05, 0.12, 0.17),
    (0.54, 0.15, 0.07, 0.24),
    (0.20, 0.10, 0.50, 0.20),
    (0.23, 0.15, 0.12, 0.50),
)
_ACCEPTOR_BASES: Final = (
    (0.25, 0.10, 0.37, 0.28),
    (0.06, 0.66, 0.00, 0.28),
    (1.0, 0.0, 0.0, 0.0),
    (0.0, 0.0, 1.0, 0.0),
)


@dataclass(eq=False)
class GeneDraft:
    """Promoter and transcript in the direction of the gene's own strand.

    Attributes
    ----------
    codes
        (length,) ``uint8`` bases, promoter first.
    exons, coding
        Start and end of each part, counted from the first base of the promoter.
    motifs
        Name, start, end, and whether the motif lies on the opposite strand.
    """

    codes: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, dtype=np.uint8))
    exons: list[tuple[int, int]] = field(default_factory=list)
    coding: list[tuple[int, int]] = field(default_factory=list)
    motifs: list[tuple[str, int, int, bool]] = field(default_factory=list)

    def place(self, name: str, contig: str, start: int, strand: str) -> SyntheticGene:
        """Place the gene on a contig.

        Parameters
        ----------
        name
            Identifier of the gene.
        contig
            Name of the contig.
        start
            0-based position of the gene's lowest base, promoter included.
        strand
            ``"+"`` or ``"-"``.

        Returns
        -------
        SyntheticGene
            The gene in contig coordinates.
        """
        length = len(self.codes)
        opposite = "-" if strand == "+" else "+"

        def span(low: int, high: int) -> Span:
            if strand == "-":
                low, high = length - high, length - low
            return Span(start + low, start + high)

        transcript = Transcript(
            f"{name}.1",
            tuple(sorted(span(*exon) for exon in self.exons)),
            tuple(sorted(CodingPart(*span(low, high), phase) for low, high, phase in self._phased())),
            "protein_coding",
        )
        motifs = (
            Motif(kind, Interval(contig, *span(low, high), opposite if against else strand))
            for kind, low, high, against in self.motifs
        )
        return SyntheticGene(
            Gene(name, contig, *span(PROMOTER, length), strand, (transcript,)),
            Interval(contig, *span(0, PROMOTER), strand),
            tuple(motifs),
        )

    def _phased(self) -> Iterator[tuple[int, int, int]]:
        """Coding parts with their phase: the leading bases that complete the previous part's codon."""
        before = 0
        for low, high in self.coding:
            yield low, high, -before % 3
            before += high - low


def draft_gene(
    rng: np.random.Generator, composition: Composition, *, codons: float, introns: float
) -> GeneDraft:
    """Draw a random gene.

    Parameters
    ----------
    rng
        Random number generator.
    composition
        Composition of the promoter and the untranslated regions, apart from motifs.
    codons
        Median number of codons; lengths are log-normal.
    introns
        Expected number of introns; there are fewer where the coding sequence is too short for them.

    Returns
    -------
    GeneDraft
        The gene before it is placed.

    Examples
    --------
    >>> from budwood.simulate.composition import plant_composition
    >>> gene = draft_gene(np.random.default_rng(1), plant_composition(0.4), codons=100, introns=2.0)
    >>> sum(end - start for start, end in gene.coding) % 3
    0
    """
    draft = GeneDraft()
    _add_promoter(draft, rng, composition)
    exon_start = _append(draft, _leader(rng, composition))[0]
    frame = coding_sequence(rng, int(np.clip(rng.lognormal(np.log(codons), 0.5), 40, 5 * codons)))
    cuts = _intron_places(rng, frame, int(rng.poisson(introns)))
    for part in np.split(frame, cuts):
        if draft.coding:
            draft.exons.append((exon_start, draft.coding[-1][1]))
            exon_start = _append_intron(draft, rng)
        draft.coding.append(_append(draft, part))
    high = _append(draft, _trailer(rng, composition))[1]
    draft.exons.append((exon_start, high))
    # 20 bases lie between the poly-A signal and the end of the transcript.
    draft.motifs.append((POLY_A_SIGNAL, high - 26, high - 20, False))
    return draft


def _append(draft: GeneDraft, codes: NDArray[np.uint8]) -> tuple[int, int]:
    start = len(draft.codes)
    draft.codes = np.concatenate([draft.codes, codes])
    return start, start + len(codes)


def _add_promoter(draft: GeneDraft, rng: np.random.Generator, composition: Composition) -> None:
    codes = composition.sequence(rng, PROMOTER)
    slots = rng.choice(_SLOTS, size=int(rng.integers(3, 7)), replace=False)
    for slot in np.sort(slots).tolist():
        name = str(rng.choice(list(BINDING_SITES)))
        site = encode(BINDING_SITES[name])
        start = slot + int(rng.integers(_SLOT - len(site)))
        against = bool(rng.random() < 0.5)
        codes[start : start + len(site)] = reverse_complement(site) if against else site
        draft.motifs.append((name, start, start + len(site), against))
    box = encode("TATA" + str(rng.choice(["AA", "TA", "AT"])) + "A" + str(rng.choice(["A", "G"])))
    start = PROMOTER - 32 + int(rng.integers(-2, 3))
    codes[start : start + len(box)] = box
    draft.motifs.append((TATA_BOX, start, start + len(box), False))
    codes[-1] = C
    _append(draft, codes)


def _leader(rng: np.random.Generator, composition: Composition) -> NDArray[np.uint8]:
    """5' untranslated region: from the A of the initiator CA to the AACA before the start codon."""
    codes = composition.sequence(rng, int(30 + rng.exponential(90)))
    codes[0] = A
    codes[-4:] = encode("AACA")
    return codes


def _trailer(rng: np.random.Generator, composition: Composition) -> NDArray[np.uint8]:
    """3' untranslated region with the poly-A signal; it ends with the CA of the cleavage site."""
    codes = composition.sequence(rng, int(80 + rng.exponential(140)))
    codes[-26:-20] = encode("AATAAA")
    codes[-2:] = encode("CA")
    return codes


def _intron_places(rng: np.random.Generator, frame: NDArray[np.uint8], wanted: int) -> list[int]:
    """Positions at which introns split a coding sequence: after AG, in any phase, no exon too short."""
    after = np.flatnonzero((frame[:-1] == A) & (frame[1:] == G)) + 2
    places: list[int] = []
    for place in rng.permutation(after).tolist():
        edges = [0, *places, len(frame)]
        if len(places) < wanted and min(abs(place - edge) for edge in edges) >= SHORTEST_EXON:
            places.append(place)
    return sorted(places)


def _append_intron(draft: GeneDraft, rng: np.random.Generator) -> int:
    """Append an intron with its splice signals and return its end."""
    length = int(SHORTEST_INTRON + rng.exponential(80))
    codes = _draw(rng, [_INTRON_BASES] * length)
    tract = int(rng.integers(12, 25))
    # CTRAY; its A lies 18 to 30 bases before the splice acceptor.
    branch = encode("CT" + "AG"[rng.integers(2)] + "A" + "CT"[rng.integers(2)])
    spans = {
        DONOR: (0, 6),
        BRANCH_POINT: (length - 4 - tract - 5, length - 4 - tract),
        PYRIMIDINE_TRACT: (length - 4 - tract, length - 4),
        ACCEPTOR: (length - 4, length),
    }
    made = {
        DONOR: _draw(rng, list(_DONOR_BASES)),
        BRANCH_POINT: branch,
        PYRIMIDINE_TRACT: _draw(rng, [_TRACT_BASES] * tract),
        ACCEPTOR: _draw(rng, list(_ACCEPTOR_BASES)),
    }
    start = len(draft.codes)
    for name, (low, high) in spans.items():
        codes[low:high] = made[name]
        draft.motifs.append((name, start + low, start + high, False))
    return _append(draft, codes)[1]


def _draw(rng: np.random.Generator, bases: list[tuple[float, ...]]) -> NDArray[np.uint8]:
    bounds = np.cumsum(bases, axis=1)[:, :3]
    found: NDArray[np.uint8] = (rng.random(len(bases))[:, None] >= bounds).sum(axis=1).astype(np.uint8)
    return found
