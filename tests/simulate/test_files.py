import csv
import gzip
from dataclasses import replace
from pathlib import Path

import cyvcf2
import numpy as np
import pysam
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.table import tabulate_haplotypes
from budwood.genomics.interval import Interval
from budwood.genomics.io.annotation.gff import read_gff
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.vcf.reader import VcfCalls
from budwood.simulate.files import DemoConfig, DemoFiles, write_panel
from budwood.simulate.population import Population, PopulationConfig, simulate_population
from budwood.simulate.species import Species, SpeciesConfig, simulate_species
from budwood.simulate.trait import Trait, TraitConfig, simulate_trait

CONFIG = DemoConfig(
    SpeciesConfig(contigs=2, contig_length=120_000, genes_per_contig=22, seed=3),
    PopulationConfig(lines=120, seed=3, mutation_rate=3e-6),
    TraitConfig(causal=40, phenotyped=50, seed=3),
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    return write_panel(tmp_path_factory.mktemp("panel") / "panel", CONFIG)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_the_reference_is_the_genome(files: DemoFiles, species: Species) -> None:
    genome = open_fasta(files.reference)
    assert dict(genome.contigs) == dict(species.assembly.contigs)
    for contig, length in genome.contigs.items():
        whole = Interval(contig, 0, length)
        np.testing.assert_array_equal(genome.sequence(whole), species.sequences[contig])
        np.testing.assert_array_equal(genome.soft_mask(whole), species.soft_masked[contig])


def test_the_annotation_is_the_truth(files: DemoFiles, species: Species) -> None:
    annotation = read_gff(files.annotation)
    assert sorted(annotation.genes, key=lambda gene: gene.name) == list(species.annotation.genes)
    assert annotation.repeats == species.annotation.repeats
    assert not annotation.assumptions
    kinds = {line.split("\t")[2] for line in files.annotation.read_text().splitlines() if line[0] != "#"}
    assert not kinds & {"promoter", "TF_binding_site"}, "promoters and motifs are hidden truth"


def test_the_untranslated_regions_are_on_the_right_side(files: DemoFiles, species: Species) -> None:
    strand = {gene.name: gene.model.strand for gene in species.genes}
    seen = set()
    place: dict[tuple[str, str], int] = {}
    for line in files.annotation.read_text().splitlines():
        if "_prime_UTR" in line:
            columns = line.split("\t")
            place[columns[8].removeprefix("Parent=").removesuffix(".1"), columns[2]] = int(columns[3])
    for name in strand:
        five, three = place[name, "five_prime_UTR"], place[name, "three_prime_UTR"]
        assert (five < three) == (strand[name] == "+")
        seen.add(strand[name])
    assert seen == {"+", "-"}


def test_cyvcf2_reads_the_same_matrix(files: DemoFiles, population: Population) -> None:
    vcf = cyvcf2.VCF(str(files.genotypes))
    assert tuple(vcf.samples) == population.accessions
    sites, calls = [], []
    for record in vcf:
        sites.append((record.CHROM, record.start, record.ID, record.REF, *record.ALT))
        genotype = record.genotype.array()
        assert genotype[:, 2].all(), "phased"
        np.testing.assert_array_equal(genotype[:, 0], genotype[:, 1])
        calls.append(genotype[:, 0])
    assert sites == [(s.contig, s.start, s.identifier, *s.alleles) for s in population.sites]
    np.testing.assert_array_equal(np.array(calls).T, population.haplotypes)


def test_the_reader_of_this_package_streams_the_same_calls(files: DemoFiles, population: Population) -> None:
    read = VcfCalls(files.genotypes)
    assert (read.accessions, dict(read.contigs)) == (population.accessions, dict(population.contigs))
    for found, expected in zip(read.blocks(), population.blocks(), strict=True):
        assert found.sites == expected.sites
        np.testing.assert_array_equal(found.alleles, expected.alleles)
        assert found.phased.all()


def test_the_index_finds_a_region(files: DemoFiles, population: Population) -> None:
    expected = [s.start for s in population.sites if s.contig == "Chr2" and 40_000 <= s.start < 70_000]
    with pysam.VariantFile(str(files.genotypes)) as vcf:
        found = [record.start for record in vcf.fetch("Chr2", 40_000, 70_000)]
    assert [start for start in found if start >= 40_000] == expected


def test_phenotypes_hold_only_what_is_known(files: DemoFiles, population: Population, trait: Trait) -> None:
    known = read_phenotypes(files.phenotypes).means("plant_height")
    assert list(known) == [
        a for a, chosen in zip(population.accessions, trait.phenotyped, strict=True) if chosen
    ]
    truth = rows(files.truth)
    assert [row["accession"] for row in truth] == list(population.accessions)
    assert {row["accession"] for row in truth if row["phenotyped"] == "yes"} == set(known)
    for column, values in (("genetic_value", trait.genetic_value), ("plant_height", trait.phenotype)):
        np.testing.assert_allclose([float(row[column]) for row in truth], values, atol=5e-4)
    for row in truth:
        if row["accession"] in known:
            assert float(row["plant_height"]) == known[row["accession"]]


def test_causal_variants_give_the_genetic_values(
    files: DemoFiles, population: Population, trait: Trait
) -> None:
    column = {(site.contig, site.start + 1): j for j, site in enumerate(population.sites)}
    value = np.zeros(len(population.accessions))
    for row in rows(files.causal_variants):
        j = column[row["contig"], int(row["position"])]
        assert population.sites[j].alleles == (row["ref"], row["alt"])
        assert float(row["frequency"]) == pytest.approx(population.haplotypes[:, j].mean(), abs=1e-5)
        value += 2 * population.haplotypes[:, j] * float(row["effect"])
    np.testing.assert_allclose(value - value.mean(), trait.genetic_value - 100, atol=1e-3)


def test_same_configuration_same_bytes(files: DemoFiles, tmp_path: Path) -> None:
    again = write_panel(tmp_path / "again", CONFIG)
    names = sorted(path.name for path in files.reference.parent.iterdir())
    assert sorted(path.name for path in again.reference.parent.iterdir()) == names
    assert len(names) == 7
    for name in names:
        one, other = files.reference.parent / name, again.reference.parent / name
        assert one.read_bytes() == other.read_bytes()


def test_nothing_is_left_when_the_panel_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match="do not fit"):
        write_panel(tmp_path / "panel", replace(CONFIG, species=SpeciesConfig(contig_length=20_000)))
    assert not list(tmp_path.iterdir())


def test_an_interrupted_write_leaves_an_earlier_panel_whole(
    files: DemoFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = write_panel(tmp_path / "panel", CONFIG)
    before = {path.name: path.read_bytes() for path in panel.reference.parent.iterdir()}

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("budwood.simulate.files.write_truth", fail)
    with pytest.raises(OSError, match="No space"):
        write_panel(tmp_path / "panel", replace(CONFIG, trait=replace(CONFIG.trait, seed=9)))
    assert {path.name: path.read_bytes() for path in panel.reference.parent.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_demo_has_the_sizes_it_is_budgeted_for() -> None:
    config = DemoConfig()
    species = simulate_species(config.species)
    population = simulate_population(species, config.population)
    trait = simulate_trait(species, population, config.trait)
    table = tabulate_haplotypes(population, species.assembly)
    assert len(population.accessions) == 800
    assert trait.phenotyped.sum() == 150
    # 50 to 80 sequences per second are encoded on two cores, so 8,000 of them take under three minutes.
    assert 4_000 <= table.n_sequences <= 8_000
    assert table.brute_force_windows / table.n_sequences >= 100
    common = np.minimum(population.haplotypes.mean(axis=0), 1 - population.haplotypes.mean(axis=0)) >= 0.05
    assert common.sum() > 2_000


def test_the_vcf_says_what_it_is(files: DemoFiles) -> None:
    with gzip.open(files.genotypes, "rt") as handle:
        header = [line for line in handle if line.startswith("##")]
    assert header[0] == "##fileformat=VCFv4.3\n"
    assert "##contig=<ID=Chr1,length=120000>\n" in header
