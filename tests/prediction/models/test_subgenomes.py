"""Variance by subgenome: shares go where the trait is, and add up."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.panel.subgenome_weights import subgenome_weights
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.prediction.models.subgenomes import SUBGENOMES
from budwood.prediction.predict import predict_trait

SUBGENOME_OF = {f"{number}{letter}": letter for number in range(1, 8) for letter in "ABD"}


def hexaploid(seed: int, n: int = 160, m: int = 630) -> Genotypes:
    """Lines of an inbred wheat: 21 chromosomes, the last markers on none of them."""
    rng = np.random.default_rng(seed)
    contigs = np.array([*SUBGENOME_OF, "Un"], dtype=object)[np.arange(m) % 22]
    names, blank = np.array([f"m{j}" for j in range(m)], dtype=object), np.full(m, "", dtype=object)
    markers = Markers(names, contigs, np.arange(m), blank, blank)
    dosage = 2 * rng.binomial(1, rng.uniform(0.2, 0.8, m), (n, m)).astype(np.int8)
    return Genotypes(tuple(map(str, range(n))), markers, dosage, np.full(n, 2, dtype=np.int8))


def trait(genotypes: Genotypes, letters: str, seed: int, noise: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    carries = np.isin([SUBGENOME_OF.get(contig, "") for contig in genotypes.markers.contig], list(letters))
    genetic = genotypes.dosage[:, carries] @ rng.standard_normal(carries.sum())
    return genetic + rng.normal(0, noise * genetic.std(), len(genetic))


@pytest.mark.parametrize("letter", ["A", "D"])
def test_the_subgenome_that_carries_the_trait_has_the_variance(letter: str) -> None:
    genotypes = hexaploid(1)
    weights = subgenome_weights(genotypes.markers, SUBGENOME_OF)
    predictors = PanelKernels(genotypes, weights=weights.by_kernel)
    shares = SUBGENOMES.fit(predictors, np.arange(160), trait(genotypes, letter, 2)).variance_shares
    assert list(shares) == ["subgenome A", "subgenome B", "subgenome D", "residual"]
    assert sum(shares.values()) == pytest.approx(1.0)
    own = shares.pop(f"subgenome {letter}")
    shares.pop("residual")
    assert own > 0.5
    assert own > 4 * sum(shares.values())


def test_shares_of_a_trait_of_all_subgenomes_are_alike_on_average() -> None:
    genotypes = hexaploid(3)
    weights = subgenome_weights(genotypes.markers, SUBGENOME_OF)
    predictors = PanelKernels(genotypes, weights=weights.by_kernel)
    rows = np.arange(160)
    found = [
        SUBGENOMES.fit(predictors, rows, trait(genotypes, "ABD", seed)).variance_shares for seed in range(6)
    ]
    means = np.mean([[shares[f"subgenome {letter}"] for letter in "ABD"] for shares in found], axis=0)
    assert means.min() > 0.15
    assert means.max() < 0.45


def test_a_prediction_tells_shares_and_markers_by_subgenome() -> None:
    genotypes = hexaploid(5, n=60, m=220)
    y = trait(genotypes, "B", 6)
    values = {name: float(value) for name, value in zip(genotypes.accessions[:50], y, strict=False)}
    weights = subgenome_weights(genotypes.markers, SUBGENOME_OF)
    prediction, evaluation = predict_trait(genotypes, values, "yield", weights=weights, repeats=1, folds=2)
    assert evaluation.permutation.model == "Subgenomes"
    assert [score.name for score in evaluation.scores] == ["GBLUP", "Gaussian kernel", "Subgenomes"]
    assert set(prediction.variance_shares) == {"subgenome A", "subgenome B", "subgenome D", "residual"}
    assert "Markers by subgenome: A 70, B 70, D 70; 10 lie on contigs of none (Un)." in prediction.notes
    assert any("homeologous" in sentence for sentence in prediction.notes)


def test_a_panel_without_subgenomes_is_told() -> None:
    genotypes = hexaploid(7, n=30, m=66)
    with pytest.raises(BudwoodError, match="the panel has no subgenomes"):
        model_named("subgenomes").fit(PanelKernels(genotypes), np.arange(30), trait(genotypes, "A", 8))
    values = dict.fromkeys(genotypes.accessions, 1.0)
    with pytest.raises(BudwoodError, match="the panel has no subgenomes"):
        predict_trait(genotypes, values, "yield", model="subgenomes")
    with pytest.raises(BudwoodError, match="the markers lie on 1 subgenome"):
        subgenome_weights(genotypes.markers, {"1A": "A"})
