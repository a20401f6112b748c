"""Random small genes for tests of consequences, with whatever sequence and structure comes."""

import numpy as np
from hypothesis import strategies as st

from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.consequences.edit import complemented

_STOPS = ("TAA", "TAG", "TGA")


def random_gene(seed: int, strand: str = "+") -> tuple[str, Annotation]:
    """A contig of about a hundred bases with one gene: two or three exons, UTRs, an open frame."""
    rng = np.random.default_rng(seed)

    def letters(count: int) -> str:
        # Few letters make many repeats, in which indels can move.
        return "".join(rng.choice(list("ACGT"), count, p=rng.dirichlet(np.full(4, 2.0))))

    codons = [c for c in (letters(3) for _ in range(int(rng.integers(2, 9)))) if c not in _STOPS]
    coding = "ATG" + "".join(codons) + str(rng.choice(_STOPS))
    spliced = letters(int(rng.integers(3, 8))) + coding + letters(int(rng.integers(3, 10)))
    first = spliced.index(coding) if spliced.count(coding) == 1 else spliced.rindex(coding)
    cuts = sorted(rng.choice(np.arange(2, len(spliced) - 1), size=int(rng.integers(1, 3)), replace=False))
    genome, exons, place = letters(int(rng.integers(4, 12))), [], 0
    parts: list[tuple[int, int, int]] = []
    for cut in [*cuts, len(spliced)]:
        exons.append((len(genome), len(genome) + int(cut) - place))
        low, high = max(place, first), min(int(cut), first + len(coding))
        if high > low:
            shift = len(genome) - place
            parts.append((low + shift, high + shift, -(low - first) % 3))
        genome += spliced[place : int(cut)]
        place = int(cut)
        if place < len(spliced):
            genome += "GT" + letters(int(rng.integers(1, 20))) + "AG"
    genome += letters(int(rng.integers(4, 12)))
    if strand == "-":
        size, genome = len(genome), complemented(genome)
        exons = [(size - end, size - start) for start, end in reversed(exons)]
        parts = [(size - end, size - start, phase) for start, end, phase in reversed(parts)]
    transcript = Transcript(
        "t", tuple(Span(*e) for e in exons), tuple(CodingPart(*p) for p in parts), "protein_coding"
    )
    return genome, Annotation((Gene("g", "1", exons[0][0], exons[-1][1], strand, (transcript,)),))


@st.composite
def alleles(draw: st.DrawFn, genome: str) -> tuple[int, str, str]:
    """Position, REF and ALT of a change somewhere in a sequence, as a VCF has it."""
    start = draw(st.integers(0, len(genome) - 1))
    size = draw(st.integers(1, min(8, len(genome) - start)))
    reference = genome[start : start + size]
    kind = draw(st.sampled_from(["snv", "deletion", "insertion", "other"]))
    other = draw(st.text("ACGT", min_size=1, max_size=7))
    if kind == "snv":
        return start, reference[0], other[0]
    if kind == "deletion":
        return start, reference, reference[0]
    if kind == "insertion":
        return start, reference[0], reference[0] + other
    return start, reference, other
