"""Multi-environment models on real trials."""

from pathlib import Path

import numpy as np
import pytest

from budwood.genomics.environments import Environments
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.genomics.phenotypes import Phenotypes
from budwood.prediction.environments.evaluation.compare import compare_environment_models


@pytest.mark.real
def test_maize_new_hybrids_in_known_environments(real_data: Path) -> None:
    """Eight environments of 2012, watered and rainfed; deviations of environments are worth having."""
    folder = real_data / "panels" / "maize_drops"
    every = read_phenotypes(folder / "pheno_met.csv")
    kept = np.array(
        [name[3:5] == "12" and name[:3] in ("Gai", "Kar", "Ner", "Bol") for name in every.environment]
    )
    columns = ("accession", "trait", "environment", "value", "standard_error")
    phenotypes = Phenotypes(*(getattr(every, name)[kept] for name in columns))
    names = tuple(sorted(set(phenotypes.environment)))
    environments = Environments(
        names, ("2012",) * 8, tuple(n[:3] for n in names), tuple(n[5] for n in names), ("field",) * 8
    )
    genotypes = read_genotypes(folder)
    thinned = genotypes.take_markers(np.arange(0, len(genotypes.markers), 20))
    found = compare_environment_models(
        thinned,
        phenotypes,
        "grain.yield",
        environments=environments,
        models=["main", "deviations", "reaction-norm"],
        folds=5,
    )
    main, deviations, _ = found.scores
    assert 0.4 < main.mean_r < deviations.mean_r < 0.7
    assert 0.86 < deviations.coverage_90 < 0.94
    assert abs(found.permutation.mean_r) < 0.08
