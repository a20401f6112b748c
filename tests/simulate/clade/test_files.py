"""A clade on disk is what Budwood's readers read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from budwood.genomics.io.tables.genes.gene_pairs import read_gene_pairs
from budwood.genomics.io.tables.genes.gene_places import read_gene_places
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.simulate.clade.clade import simulate_clade
from budwood.simulate.clade.config import CladeConfig
from budwood.simulate.clade.files import write_clade
from budwood.simulate.clade.panel import gene_places, population_genotypes
from budwood.simulate.clade.trait import CladeTraitConfig, simulate_clade_trait
from budwood.simulate.population import PopulationConfig


def test_files_give_back_genotypes_genes_and_orthologs(tmp_path: Path) -> None:
    lines = PopulationConfig(lines=25, mutation_rate=3e-6)
    config = CladeConfig(tree="(x:0.05,y:0.05);", contigs=1, genes_per_contig=10, population=lines)
    clade = simulate_clade(config)
    write_clade(
        tmp_path / "clade", clade, [("height", simulate_clade_trait(clade, CladeTraitConfig(genes=4)))]
    )
    read = read_genotypes(tmp_path / "clade/x/genotypes.vcf.gz")
    known = population_genotypes(clade.populations["x"])
    assert read.accessions == known.accessions
    np.testing.assert_array_equal(read.dosage, known.dosage)
    np.testing.assert_array_equal(read.markers.other, known.markers.other)
    assert read_gene_places(tmp_path / "clade/x/annotation.gff3") == gene_places(clade.species["x"])
    pairs = read_gene_pairs(tmp_path / "clade/orthologs.csv")
    assert set(clade.ortholog_pairs("x", "y")) == set(pairs)
