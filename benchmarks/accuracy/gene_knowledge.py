"""What genes known for a trait add to GBLUP, beside as many random genes and as many of other traits.

Genes with a Trait Ontology term in Oryzabase (annotations of mixed strength), placed on IRGSP-1.0, and the
markers within 25 kb of them as a second kernel; 5-fold cross-validation, five divisions. ``--lists two``: a
second list beside it, cloned genes with a keyword for the trait (funRiceGenes); ``cloned``: that list alone.
``--species sorghum``: the same genes through collinear pairs to sorghum, whose places are coarse (150 kb).
``--auto N``: `auto` with the weights of known genes less `auto` without them on the same folds, N divisions.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/gene_knowledge.py --lists two   # minutes; needs BUDWOOD_DATA
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np

from benchmarks.accuracy.transfer_real import sorghum_places
from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from budwood.genomics.io.tables.genes.gene_pairs import read_collinear_pairs
from budwood.genomics.io.tables.genes.gene_places import read_gene_places
from budwood.genomics.io.tables.genes.known_genes import read_known_genes
from budwood.panel.accession_means import AccessionMeans
from budwood.panel.files import PanelFiles, read_panel
from budwood.prediction.evaluation.evaluate import Comparison, evaluate
from budwood.prediction.evaluation.splitting import Scheme
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.prediction.phenotyped import match_phenotyped
from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.stats.evaluation.splitters import random_folds
from budwood.transfer.gene_knowledge import KNOWN, GeneKnowledge, evidence_weights
from budwood.workflows.genes import GenesOptions, genes, read_lists
from budwood.workflows.traits.trait_values import trait_values

FLOWERING, HEIGHT, GRAIN = "TO:0000137", "TO:0000207", "TO:0000397"
AMYLOSE, YIELD = "TO:0000196", "TO:0000396"
TASKS = (
    ("rice_spindel2015", "pheno_DS.csv", "FLW", FLOWERING),
    ("rice_spindel2015", "pheno_WS.csv", "FLW", FLOWERING),
    ("rice_spindel2015", "pheno_DS.csv", "PH", HEIGHT),
    ("rice_spindel2015", "pheno_DS.csv", "YLD", YIELD),
    ("rice_rdp1_44k", "pheno.csv", "Flowering_time_at_Arkansas", FLOWERING),
    ("rice_rdp1_44k", "pheno.csv", "Plant_height", HEIGHT),
    ("rice_rdp1_44k", "pheno.csv", "Seed_length", GRAIN),
    ("rice_rdp1_44k", "pheno.csv", "Amylose_content", AMYLOSE),
    ("rice_uruguay_japonica", "pheno.csv", "PH", HEIGHT),
    ("rice_uruguay_japonica", "pheno.csv", "GY", YIELD),
    ("rice_uruguay_indica", "pheno.csv", "GY", YIELD),
)
SORGHUM = (
    ("sorghum_sbdiv", "pheno_sap_agron_2013_2014_2017.csv", "PH", HEIGHT),
    ("sorghum_sbdiv", "pheno_sap_agron_2013_2014_2017.csv", "DTA", FLOWERING),
    ("sorghum_sbdiv", "pheno_sap_agron_2013_2014_2017.csv", "TGW", GRAIN),
    ("sorghum_sbdiv", "pheno_sap_agron_2013_2014_2017.csv", "YPP", YIELD),
    ("sorghum_sbdiv", "pheno_sap_agron_2013_2014_2017.csv", "Starch", AMYLOSE),
)
#: Keywords of cloned genes for each term.
KEYWORDS = {
    FLOWERING: ("heading date", "flowering time", "flowering"),
    HEIGHT: ("height", "dwarf"),
    GRAIN: ("grain size", "grain length"),
    AMYLOSE: ("amylose", "starch"),
    YIELD: ("grain yield", "yield"),
}


def cloned_genes(term: str, folder: Path) -> Path:
    """Cloned genes with a keyword for the term, as a list in a folder."""
    places = read_gene_places(data_folder() / "genes/rice_genes_irgsp1_msu7.tsv.xz")
    table = data_folder() / "genes/rice_cloned_genes_tags.tsv.xz"
    names = (name for word in KEYWORDS[term] for name in read_known_genes(table, places, word)[0])
    path = folder / f"{term.replace(':', '')}.txt"
    path.write_text("\n".join(dict.fromkeys(names)) + "\n", encoding="utf-8")
    return path


def sorghum_files(folder: Path) -> tuple[Path, Path]:
    """Places of sorghum genes, and pairs with rice genes under the names that the lists use."""
    places = sorghum_places()
    table, joined = folder / "places.csv", folder / "pairs.csv"
    rows = [f"{name},{place.contig},{place.start + 1},{place.end}" for name, place in places.items()]
    table.write_text("\n".join(["gene,contig,start,end", *rows]) + "\n", encoding="utf-8")
    pairs = read_collinear_pairs(data_folder() / "synteny/os_sb_collinear.collinearity.xz")
    # The blocks name transcripts (Os01t0100100), the lists genes (Os01g0100100).
    rows = [f"{one[:4]}g{one[5:]},{other}" for one, other in pairs if one[:2] == "Os" and other in places]
    joined.write_text("\n".join(["rice,sorghum", *rows]) + "\n", encoding="utf-8")
    return table, joined


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--only", default="", help="part of a panel's or trait's name")
    parser.add_argument("--lists", choices=("ontology", "cloned", "two"), default="ontology")
    parser.add_argument("--species", choices=("rice", "sorghum"), default="rice")
    parser.add_argument("--auto", type=int, default=0, metavar="N", help="divisions for `auto`; 0 for none")
    asked = parser.parse_args()
    data = data_folder()
    columns = ("panel, trait", "genes with markers", "GBLUP", "with known genes", "difference")
    print(f"| {' | '.join(columns)} | less random genes | less genes of other terms |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        places, pairs, reach = data / "genes/rice_genes_irgsp1_msu7.tsv.xz", None, 25_000
        if asked.species == "sorghum":
            places, pairs = sorghum_files(folder)
            reach = 150_000
        for panel, table, trait, term in SORGHUM if asked.species == "sorghum" else TASKS:
            if asked.only not in f"{panel} {trait}":
                continue
            ontology, cloned = (
                (data / "genes/rice_oryzabase.txt.xz", term),
                (cloned_genes(term, folder), None),
            )
            lists = {"ontology": (ontology,), "cloned": (cloned,), "two": (ontology, cloned)}[asked.lists]
            options = GenesOptions(
                files=PanelFiles(
                    genotypes=data / "panels" / panel, phenotypes=data / "panels" / panel / table
                ),
                trait=trait,
                places=places,
                known=tuple(path for path, _ in lists),
                terms=tuple(each for _, each in lists),
                orthologs=pairs,
                reach=reach,
                repeats=5,
            )
            name = f"{panel} {trait} ({table})"
            if asked.auto:
                print(f"| {name} | {auto_gain(options, asked.auto)} |", flush=True)
            else:
                print(row_of(name, genes(options).knowledge), flush=True)


def auto_gain(options: GenesOptions, repeats: int) -> str:
    """r of `auto` without and with the weights, and the paired difference with its interval."""
    panel = read_panel(options.files, options.trait)
    rows, columns = panel.genotypes.order()
    genotypes = panel.genotypes.take(rows).take_markers(columns)
    read = read_lists(options)
    lists = [[read.places[name] for name in names] for names in read.known]
    weights = evidence_weights(genotypes.markers, lists, options.reach)
    means = AccessionMeans.of(trait_values(panel, options.files, options.trait))
    lines = match_phenotyped(genotypes, means.values, options.trait, weights=means.weights)
    found = []
    for further in ({}, {"known genes": weights}):
        kernels = PanelKernels(genotypes, {}, further).take(lines.rows)
        names = kernels.genotypes.accessions
        divisions = tuple(random_folds(names, options.folds, options.seed + k) for k in range(repeats))
        compared = evaluate(
            kernels,
            lines.y,
            Comparison((model_named("gblup"), model_named("auto")), reported="Auto"),
            Scheme("random", divisions),
            trait=options.trait,
            weights=lines.weights,
            seed=options.seed,
        )
        found.append(np.array(next(each.fold_r for each in compared.scores if each.name == "Auto")))
    gain = corrected_interval(found[1] - found[0], 1.0 / (options.folds - 1))
    cells = [f"{each.mean():.3f}" for each in found]
    return " | ".join([*cells, f"{gain.mean:+.3f} ({gain.lower:+.3f} to {gain.upper:+.3f})"])


def row_of(name: str, found: GeneKnowledge) -> str:
    """A row of the table."""
    scores = {score.name: score.mean_r for score in found.evaluation.scores}
    gain = next(each for each in found.evaluation.paired if each.model == KNOWN)
    cells = [name, f"{found.placed} of {found.genes}", f"{scores['GBLUP']:.3f}", f"{scores[KNOWN]:.3f}"]
    for each in (gain, found.against_random, found.against_other_terms):
        cells.append(f"{each.mean:+.3f} ({each.lower:+.3f} to {each.upper:+.3f})" if each else "")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
