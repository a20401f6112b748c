"""Plausible results to report."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from budwood.prediction.evaluation.results import (
    Evaluation,
    Heritability,
    ModelScore,
    PairedDifference,
    PermutationTest,
    TraitPrediction,
)
from budwood.report.context import ReportContext

DNA = "GBLUP + DNA model"


def make_prediction(n: int = 60, labelled: int = 25, seed: int = 1, **changes: Any) -> TraitPrediction:
    """A panel of three subpopulations, the first lines in a random order labelled."""
    rng = np.random.default_rng(seed)
    names = tuple(f"NSF-{k:04d}" for k in rng.permutation(n) + 1)
    group = rng.choice(3, size=n, p=[0.5, 0.35, 0.15])
    centres = np.array([[-4.0, 1.0], [3.0, 3.0], [2.5, -6.0]])
    genetic = 118 + 9 * (group == 1) - 7 * (group == 2) + rng.normal(0, 9, n)
    observed = np.full(n, np.nan)
    chosen = rng.permutation(n)[:labelled]
    observed[chosen] = genetic[chosen] + rng.normal(0, 8, labelled)
    error = rng.uniform(3.5, 8.5, n)
    predicted = 118 + 0.65 * (genetic - 118) + rng.normal(0, 3, n)
    rank = np.empty(n, dtype=np.int64)
    rank[np.argsort(-predicted, kind="stable")] = np.arange(1, n + 1)
    spread = 1.645 * np.sqrt(error**2 + 64)
    relatedness = rng.beta(3, 3, n)
    fields: dict[str, Any] = {
        "trait": "Plant_height",
        "accessions": names,
        "observed": observed,
        "prediction": predicted,
        "standard_error": error,
        "reliability": np.clip(1 - (error / 10) ** 2, 0, 1),
        "lower_90": predicted - spread,
        "upper_90": predicted + spread,
        "rank": rank,
        "nearest_training_accession": tuple(names[k] for k in rng.choice(chosen, n))
        if labelled
        else ("",) * n,
        "relatedness": relatedness,
        "extrapolation": relatedness < 0.2,
        "variance_shares": {"relationship": 0.41, "embedding": 0.034, "residual": 0.556},
        "structure": centres[group] + rng.normal(0, 1.1, (n, 2)),
        "structure_explained": np.array([0.342, 0.097]),
        "notes": (
            "1,204 markers with over 60 % missing and 3,377 with a minor allele under 1 % were dropped.",
            "Missing calls (1.9 %) were replaced by the mean dosage of the marker.",
            "Heterozygous calls were kept as they stand; 6 windows needed a phase assumption.",
        ),
    }
    return TraitPrediction(**{**fields, **changes})


def make_evaluation(prediction: TraitPrediction, seed: int = 2, **changes: Any) -> Evaluation:
    """GBLUP, the DNA model and a forest on 5 folds, repeated twice."""
    rng = np.random.default_rng(seed)
    known = np.flatnonzero(np.isfinite(prediction.observed))
    observed = prediction.observed[known]
    held_out = observed.mean() + 0.5 * (observed - observed.mean()) + rng.normal(0, 6, len(known))
    fold_r = [tuple(rng.normal(mean, 0.05, 10).tolist()) for mean in (0.64, 0.66, 0.58)]
    numbers = [
        ("GBLUP", 0.89, 9.1, 0.97, 1.2),
        (DNA, 0.91, 8.9, 1.02, 41.0),
        ("random forest", 0.86, 9.6, 1.3, 212.0),
    ]
    scores = tuple(
        ModelScore(
            name,
            r,
            float(np.mean(r)),
            coverage,
            rmse,
            slope,
            seconds,
            accuracy=float(np.mean(r)) / 0.55**0.5,
            intercept=118.0 * (1.0 - slope),
            bias=0.21,
            interval_width=29.4,
            top_quarter=0.52,
            gain=6.3,
            gain_sd=0.61,
        )
        for (name, coverage, rmse, slope, seconds), r in zip(numbers, fold_r, strict=True)
    )
    fields: dict[str, Any] = {
        "trait": prediction.trait,
        "scheme": "random",
        "folds": 5,
        "repeats": 2,
        "scores": scores,
        "paired": (
            PairedDifference(DNA, "GBLUP", 0.018, -0.006, 0.042, -0.004, 0.039),
            PairedDifference("random forest", "GBLUP", -0.061, -0.1, -0.021, -0.09, -0.033),
        ),
        "permutation": PermutationTest(DNA, 0.004, -0.11, 0.12),
        "held_out_prediction": held_out,
        "held_out_observed": observed,
        "held_out_accessions": tuple(prediction.accessions[k] for k in known),
        "conclusion": "The DNA model adds nothing that can be told from chance: r differs from GBLUP by "
        "+0.018, 95 % interval −0.006 to 0.042.",
        "heritability": Heritability(0.55, "genomic h2 estimated by REML of GBLUP on all phenotyped lines"),
        "possible_gain": 11.9,
        "top_quarter_chance": 0.25,
        "notes": ("Two lines without a family take no part.",),
    }
    return Evaluation(**{**fields, **changes})


def make_context(**changes: Any) -> ReportContext:
    fields: dict[str, Any] = {
        "model": DNA,
        "created": datetime(2025, 11, 21, 12, 30, tzinfo=UTC),
        "inputs": {
            "genotypes": "rice.bed: 374 accessions x 36,901 markers, diploid",
            "phenotypes": "heights.csv: 34 traits, 150 accessions",
            "reference": "chr02_piece.fa: 1 contig, 1.0 Mb; REF agrees at 170 of 170",
        },
        "identity": (
            "150 accessions are in genotypes and phenotypes, 650 in the genotypes only.",
            "No near-misses and no duplicates were found.",
        ),
        "checkpoint": "budwood-encoder-4m (sha256 3f2a91c0)",
        "versions": {"budwood": "0.1.0", "python": "3.11.9", "numpy": "2.4.0", "torch": "2.13.0"},
        "command": "budwood predict --genotypes rice.bed --phenotypes heights.csv --trait Plant_height "
        "--reference chr02_piece.fa --haplotypes chr02_first_1Mb.vcf.gz --out out",
    }
    return ReportContext(**{**fields, **changes})
