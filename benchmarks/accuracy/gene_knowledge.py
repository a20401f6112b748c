"""What genes known for a trait add to GBLUP on rice panels, beside as many random genes.

Genes with a Trait Ontology term in Oryzabase, placed on IRGSP-1.0, and the markers within 25 kb of them as a
second kernel; 5-fold cross-validation, five divisions, three sets of random genes.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/gene_knowledge.py      # minutes; needs BUDWOOD_DATA
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from budwood.panel.files import PanelFiles
from budwood.workflows.genes import GenesOptions, genes

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


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--only", default="", help="part of a panel's or trait's name")
    only = parser.parse_args().only
    data = data_folder()
    print("| panel, trait | genes with markers | GBLUP | with known genes | difference | less random genes |")
    print("|---|--:|--:|--:|--:|--:|")
    for panel, table, trait, term in TASKS:
        if only not in f"{panel} {trait}":
            continue
        folder = data / "panels" / panel
        options = GenesOptions(
            files=PanelFiles(genotypes=folder, phenotypes=folder / table),
            trait=trait,
            places=data / "genes/rice_genes_irgsp1_msu7.tsv.xz",
            known=(data / "genes/rice_oryzabase.txt.xz",),
            terms=(term,),
            repeats=5,
        )
        found = genes(options).knowledge
        scores = {score.name: score.mean_r for score in found.evaluation.scores}
        gain = next(each for each in found.evaluation.paired if each.model == "GBLUP + known genes")
        cells = [f"{panel} {trait} ({table})", f"{found.placed} of {found.genes}", f"{scores['GBLUP']:.3f}"]
        cells += [f"{scores['GBLUP + known genes']:.3f}"]
        for each in (gain, found.against_random):
            cells.append(f"{each.mean:+.3f} ({each.lower:+.3f} to {each.upper:+.3f})")
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
