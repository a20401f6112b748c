"""Attribution on simulated species: do the most important windows hold the causal variants?

    python benchmarks/probes/attribution_simulated.py --out attribution.jsonl

For each replicate a species, a panel and a trait with known causal variants are simulated. A model is fitted
to all phenotyped lines, predictions are split into windows, and windows that hold a causal variant are
compared with runs of windows matched by gene density: AUROC, enrichment, p. The same is done with the trait
values permuted among the lines, where nothing may be found. ``gblup+dna`` reads sequence; ``gblup`` has the
markers alone.

Finished replicates are kept in ``--out``; a second run resumes. ``--summary`` prints means and tests over
them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import tempfile
from dataclasses import replace

import numpy as np
from scipy.stats import kstest, ttest_1samp

from benchmarks.common.arguments import parser_for
from benchmarks.common.results_file import append_result, read_results
from budwood.inference.embed import embed_haplotypes
from budwood.model.checkpoint import load_checkpoint
from budwood.panel.files import PanelFiles, read_files_haplotypes, read_panel
from budwood.panel.panel import HaplotypeVectors, Panel
from budwood.prediction.attribution.contributions import attribute_windows
from budwood.prediction.attribution.overlap import gene_density, overlap_regions
from budwood.prediction.trait_model import TraitModel
from budwood.simulate.files import DemoConfig, write_panel
from budwood.simulate.population import PopulationConfig, simulate_population
from budwood.simulate.species import SpeciesConfig, simulate_species
from budwood.simulate.trait import TraitConfig, simulate_trait


def run(seed: int, arguments: Any) -> list[dict[str, Any]]:
    config = DemoConfig(
        species=SpeciesConfig(
            contigs=2, contig_length=arguments.length, genes_per_contig=arguments.length // 8_000, seed=seed
        ),
        population=PopulationConfig(lines=arguments.lines, seed=seed),
        trait=TraitConfig(
            causal=arguments.causal,
            heritability=0.8,
            phenotyped=arguments.lines,
            minimum_frequency=0.1,
            seed=seed,
        ),
    )
    species = simulate_species(config.species)
    population = simulate_population(species, config.population)
    trait = simulate_trait(species, population, config.trait)
    regions = [
        (population.sites[j].contig, population.sites[j].start, population.sites[j].start + 1)
        for j in trait.causal.tolist()
    ]
    with tempfile.TemporaryDirectory() as folder:
        files = write_panel(Path(folder) / "panel", config)
        named = PanelFiles(genotypes=files.genotypes, reference=files.reference)
        panel = read_panel(named)
        if "gblup+dna" in arguments.models:
            panel = with_sequence(panel, named, arguments)
    values = dict(zip(population.accessions, trait.phenotype.tolist(), strict=True))
    shuffled = np.random.default_rng(seed).permutation(trait.phenotype).tolist()
    permuted = dict(zip(population.accessions, shuffled, strict=True))
    records = []
    for model in arguments.models.split(","):
        for what, own in (("trait", values), ("permuted", permuted)):
            fitted = TraitModel(model).fit(panel, own)
            found = attribute_windows(fitted, panel)
            density = gene_density(found.windows, species.annotation)
            overlap = overlap_regions(
                found.windows, found.importance, regions, gene_density=density, seed=seed
            )
            record = {"seed": seed, "model": model, "values": what, "error": found.error, **vars(overlap)}
            records.append(record)
            print({name: record[name] for name in ("seed", "model", "values", "auroc", "enrichment", "p")})
    return records


def with_sequence(panel: Panel, files: PanelFiles, arguments: Any) -> Panel:
    found = read_files_haplotypes(files)
    assert found is not None
    checkpoint = load_checkpoint(arguments.checkpoint)
    vectors = HaplotypeVectors(
        values=embed_haplotypes(found.table, checkpoint),
        checkpoint=checkpoint.name,
        digest=checkpoint.digest,
    )
    return replace(panel, haplotypes=found.table, vectors=vectors)


def mean(records: list[dict[str, Any]], name: str) -> float:
    return float(np.mean([record[name] for record in records]))


def summarise(records: list[dict[str, Any]]) -> None:
    for model, what in dict.fromkeys((record["model"], record["values"]) for record in records):
        own = [r for r in records if (r["model"], r["values"]) == (model, what)]
        auroc = np.array([r["auroc"] for r in own])
        p = np.array([r["p"] for r in own])
        uniform = kstest(p, "uniform").pvalue if len(own) > 1 else np.nan
        better = ttest_1samp(auroc, 0.5, alternative="greater").pvalue if len(own) > 1 else np.nan
        print(
            f"{model:10s} {what:9s} n={len(own)} AUROC {auroc.mean():.3f} (p {better:.2g}) enrichment "
            f"{mean(own, 'enrichment'):.2f}, of windows inside in the top 5 %: {mean(own, 'top_inside'):.3f} "
            f"(matched {mean(own, 'top_expected'):.3f}), "
            f"p <= .05 in {np.mean(p <= 0.05):.2f}, uniform p {uniform:.2g}, largest error "
            f"{max(r['error'] for r in own):.1e}"
        )


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--models", default="gblup,gblup+dna", help="names with commas")
    parser.add_argument("--replicates", type=int, default=20)
    parser.add_argument("--lines", type=int, default=300)
    parser.add_argument("--length", type=int, default=150_000, help="bases of each of two contigs")
    parser.add_argument("--causal", type=int, default=8)
    parser.add_argument("--summary", action="store_true", help="print what is in --out and stop")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines")
    arguments = parser.parse_args()
    known = read_results(arguments.out, "seed", "model", "values")
    if arguments.summary:
        summarise(list(known.values()))
        return
    done = {seed for seed, model, _ in known if model in arguments.models.split(",")}
    for seed in range(1, arguments.replicates + 1):
        if seed not in done:
            for record in run(seed, arguments):
                append_result(arguments.out, record)
    summarise(list(read_results(arguments.out, "seed", "model", "values").values()))


if __name__ == "__main__":
    main()
