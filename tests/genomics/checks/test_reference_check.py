from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.checks.contig_names import SiteSample
from budwood.genomics.checks.reference_check import check_annotation, check_reference
from budwood.genomics.haplotypes.calls import CallBlock, Site
from budwood.genomics.io.annotation.gff import read_gff
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.variants.open_genotypes import open_calls

RANDOM = np.random.default_rng(7)
CHROMOSOMES = {f"Chr{i}": "".join(RANDOM.choice(list("ACGT"), 3000)) for i in (1, 2, 3)}
GENOME = InMemoryAssembly(CHROMOSOMES)
OTHER = {"A": "C", "C": "A", "G": "T", "T": "G"}
COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True)
class Calls:
    """A genotype file in memory, of sites alone."""

    sites: tuple[Site, ...]
    has_letters: bool = True
    accessions: tuple[str, ...] = ()

    @property
    def contigs(self) -> Mapping[str, int | None]:
        return {site.contig: None for site in self.sites}

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        for contig in self.contigs:
            mine = [site for site in self.sites if site.contig == contig]
            for first in range(0, len(mine), 100):
                part = tuple(mine[first : first + 100])
                yield CallBlock(
                    part, np.zeros((len(part), 0, 2), np.int8), np.zeros((len(part), 0), np.bool_)
                )


def calls(names: Mapping[str, str], *, shift: int = 0, strand: str = "+", every: int = 20) -> Calls:
    """SNPs of the genome under other contig names, with positions ``shift`` too low."""
    sites = []
    for name, written in names.items():
        for start in range(10, len(CHROMOSOMES[name]) - 10, every):
            ref = CHROMOSOMES[name][start]
            letters = ref if strand == "+" else ref.translate(COMPLEMENT)
            sites.append(Site(written, start - shift, f"m{start}", (letters, OTHER[letters])))
    return Calls(tuple(sites))


SAME = {name: name for name in CHROMOSOMES}


def test_matching_sites_are_counted() -> None:
    check = check_reference(calls(SAME), GENOME)
    assert (check.sites, check.counted, check.matching, check.share) == (447, 447, 447, 1.0)
    assert not check.missing_contigs
    assert json.loads(json.dumps(check.as_dict()))["share"] == 1.0
    assert check.sentences() == ["REF is the reference base at 447 of 447 sites (100.0 %)."]


def test_indels_compare_every_base_and_n_is_not_counted() -> None:
    genome = InMemoryAssembly({"c": "ACGTNACGTA"})
    sites = (
        Site("c", 0, "a", ("ACG", "A")),
        Site("c", 3, "b", ("TN", "T")),
        Site("c", 2, "c", ("GTN", "G")),
        Site("c", 5, "d", ("N", "A")),
        Site("c", 6, "e", ("C", "<DEL>", "*")),
    )
    check = check_reference(Calls(sites), genome)
    assert (check.sites, check.counted, check.matching) == (5, 2, 2)
    assert any("3 sites with N" in sentence for sentence in check.sentences())


def test_sites_past_the_end_do_not_match() -> None:
    sites = (*calls(SAME).sites, Site("Chr1", 5000, "past", ("A", "C")))
    check = check_reference(Calls(sites), GENOME)
    assert (check.counted, check.matching, check.past_end) == (448, 447, 1)
    assert any("1 sites lie past the end" in sentence for sentence in check.sentences())


def test_a_reference_cut_short_is_told_apart() -> None:
    beginning = InMemoryAssembly({"Chr1": CHROMOSOMES["Chr1"][:1000]})
    with pytest.raises(BudwoodError, match="99 of the others lie past the end of their contig"):
        check_reference(calls({"Chr1": "Chr1"}), beginning)


def test_missing_contigs_are_allowed_counted_and_named() -> None:
    source = calls({"Chr1": "Chr1", "Chr2": "chr02", "Chr3": "unplaced"})
    check = check_reference(source, GENOME)
    assert check.missing_contigs == {"chr02": 149, "unplaced": 149}
    assert check.offered_aliases == {"chr02": "Chr2", "unplaced": "Chr3"}
    assert check.counted == check.matching == 149
    assert any("nothing was renamed" in sentence for sentence in check.sentences())


@pytest.mark.parametrize("written", ["chr02", "2", "LG2", "Chromosome_02", "Tc02", "NC_029257.1"])
def test_another_naming_is_offered_and_applied_only_when_asked_for(written: str) -> None:
    source = calls({"Chr2": written})
    with pytest.raises(
        BudwoodError, match=rf"no contig .* reading contig '{written}' as 'Chr2' would fit \(149 of 149"
    ):
        check_reference(source, GENOME)
    check = check_reference(source, GENOME, aliases={written: "Chr2", "unused": "Chr3"})
    assert check.matching == 149
    assert check.applied_aliases == {written: "Chr2"}


def test_nothing_is_offered_where_nothing_fits() -> None:
    sites = tuple(Site("scaffold_9", 10 * i, str(i), ("ACGT"[i * 7 % 4], "N")) for i in range(100))
    with pytest.raises(BudwoodError, match="no naming of the contigs fits by its sequence"):
        check_reference(Calls(sites), GENOME)


@pytest.mark.parametrize("shift", [-1, 1])
def test_an_offset_is_offered(shift: int) -> None:
    with pytest.raises(BudwoodError, match=r"REF is the reference base at only .* of 447 sites") as error:
        check_reference(calls(SAME, shift=shift), GENOME)
    assert f"moving every position by {shift:+d} would fit (447 of 447" in error.value.mend


def test_the_other_strand_is_offered() -> None:
    with pytest.raises(BudwoodError, match="taking the alleles of the other strand would fit"):
        check_reference(calls(SAME, strand="-"), GENOME)


def test_changes_are_told_together() -> None:
    with pytest.raises(
        BudwoodError, match=r"reading contig '1' as 'Chr1'.* and moving every position by \+1"
    ):
        check_reference(calls({"Chr1": "1", "Chr2": "2"}, shift=1), GENOME)


def test_swapped_names_are_noticed() -> None:
    with pytest.raises(BudwoodError, match="reading contig 'Chr2' as 'Chr1', 'Chr1' as 'Chr2' would fit"):
        check_reference(calls({"Chr1": "Chr2", "Chr2": "Chr1"}), GENOME)


def test_pieces_of_chromosomes_give_their_offset() -> None:
    piece = InMemoryAssembly({"Chr1_1001-2000": CHROMOSOMES["Chr1"][1000:2000]})
    with pytest.raises(
        BudwoodError, match=r"'Chr1' as 'Chr1_1001-2000' and moving positions by -1,000 on 'Chr1'"
    ):
        check_reference(calls({"Chr1": "Chr1"}), piece)
    sites = tuple(
        Site("Chr1_1001-2000", site.start - 1000, site.identifier, site.alleles)
        for site in calls({"Chr1": "Chr1"}).sites
        if 1000 <= site.start < 2000
    )
    with pytest.raises(BudwoodError, match=r"'Chr1_1001-2000' as 'Chr1' and moving positions by \+1,000"):
        check_reference(Calls(sites), GENOME)


def test_another_assembly_is_told_apart() -> None:
    sites = tuple(Site(s.contig, s.start, s.identifier, s.alleles[::-1]) for s in calls(SAME).sites)
    with pytest.raises(BudwoodError, match=r"only 0\.0 % of 447 sites, 99\.0 % are needed.*fits better"):
        check_reference(Calls(sites), GENOME)


def test_ninety_nine_percent_is_the_line() -> None:
    sites = list(calls(SAME).sites)
    for i in range(4):
        sites[i] = Site(sites[i].contig, sites[i].start, "x", sites[i].alleles[::-1])
    assert check_reference(Calls(tuple(sites)), GENOME).matching == 443
    sites[4] = Site(sites[4].contig, sites[4].start, "x", sites[4].alleles[::-1])
    with pytest.raises(BudwoodError, match=r"98\.9 %"):
        check_reference(Calls(tuple(sites)), GENOME)


def test_either_allele_is_the_weaker_test() -> None:
    turned = Calls(tuple(Site(s.contig, s.start, s.identifier, s.alleles[::-1]) for s in calls(SAME).sites))
    check = check_reference(turned, GENOME, either_allele=True)
    assert check.share == 1.0
    assert any("either could match" in sentence for sentence in check.sentences())
    with pytest.raises(BudwoodError, match="one of the alleles is the reference base at only"):
        check_reference(calls(SAME, shift=1), GENOME, either_allele=True)


def test_tables_without_letters_are_refused() -> None:
    with pytest.raises(BudwoodError, match="no allele letters"):
        check_reference(Calls((), has_letters=False), GENOME)


def test_a_sample_is_thinned_evenly() -> None:
    sample = SiteSample()
    for start in range(100_000):
        sample.add(start, ["A"])
    starts, alleles = sample.arrays(100)
    assert len(starts) <= 100
    assert len(set(np.diff(starts))) == 1
    assert starts[-1] > 97_000
    assert alleles.tolist() == [[True, False, False, False]] * len(starts)


def gene(start: int, contig: str = "c") -> Gene:
    transcript = Transcript("t", (Span(start, start + 9),), (CodingPart(start, start + 9, 0),))
    return Gene(f"g{start}", contig, start, start + 9, "+", (transcript,))


def test_an_annotation_must_belong_to_the_assembly() -> None:
    genome = InMemoryAssembly({"c": "ATGAAATAG" * 30})
    fitting = Annotation((*(gene(9 * i) for i in range(30)), gene(0, "d")))
    check = check_annotation(fitting, genome)
    assert (check.genes, check.start_codons, check.atg, check.missing_contigs) == (30, 30, 30, {"d": 1})
    with pytest.raises(BudwoodError, match="only 0 of 29 annotated start codons read ATG"):
        check_annotation(Annotation(tuple(gene(9 * i + 1) for i in range(29))), genome)
    with pytest.raises(BudwoodError, match=r"runs past the end .*\(gene g265\)"):
        check_annotation(Annotation((gene(265),)), genome)
    with pytest.raises(BudwoodError, match="no contig of the annotation is in the reference"):
        check_annotation(Annotation((gene(0, "d"),)), genome)


@pytest.mark.real
def test_rice_snps_match_the_rice_piece(real_data: Path) -> None:
    genome = open_fasta(real_data / "genomes/oryza_sativa/chr02_first_1Mb.fa.xz")
    source = open_calls(real_data / "panels/rice_rdp1_44k/chr02_first_1Mb.vcf.gz")
    check = check_reference(source, genome)
    assert (check.counted, check.matching, check.missing_contigs) == (170, 170, {})


@pytest.mark.real
def test_rice_genes_lie_on_the_rice_piece(real_data: Path) -> None:
    folder = real_data / "genomes/oryza_sativa"
    genome, annotation = (
        open_fasta(folder / "chr02_first_1Mb.fa.xz"),
        read_gff(folder / "chr02_first_1Mb.gff3.xz"),
    )
    check = check_annotation(annotation, genome)
    assert (check.genes, check.atg) == (130, check.start_codons)
