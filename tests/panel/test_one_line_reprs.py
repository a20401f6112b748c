"""What is printed of genotypes, phenotypes, haplotypes and results is one short line."""

from __future__ import annotations

import numpy as np
import pytest

import budwood
from budwood.errors import BudwoodError
from budwood.panel.example import example_panel, write_example


def test_objects_and_results_print_one_short_line(tmp_path) -> None:
    panel, files = example_panel(), write_example(tmp_path)
    predicted = [budwood.TraitModel("gblup").fit(panel, trait).predict(panel) for trait in panel.traits]
    printed = {
        "Genotypes(60 accessions x 120 markers, ploidy 2)": panel.genotypes,
        "Markers(120)": panel.genotypes.markers,
        "Phenotypes(80 values of 40 accessions, traits: height, yield)": panel.phenotypes,
        "HaplotypeTable(60 accessions x 12 windows, ": budwood.build_haplotypes(
            files.genotypes, files.reference
        ),
        "IdentityReport(40 accessions in both, 20 only genotyped, 0 only phenotyped)": panel.identity,
        "AccessionMeans(40 accessions)": panel.accession_means("height"),
        "TraitPrediction(height, 60 accessions, 20 candidates among them)": predicted[0],
        "IndexRanking(60 accessions, traits: height, yield)": budwood.selection_index(
            predicted, desired={"height": 1, "yield": 1}
        ),
        "Evaluation(height, 40 lines, 5 folds (random) x 1: GBLUP r ": budwood.cross_validate(
            "gblup", panel, "height", cv=budwood.RandomKFold(5, 1)
        ),
        "PhenotypeNext(3 of 20 candidates, expected accuracy ": budwood.select_training_set(
            panel, 3, trait="height"
        ),
    }
    for start, thing in printed.items():
        text = repr(thing)
        assert text.startswith(start)
        assert str(thing) == text
        assert "\n" not in text
        assert len(text) < 200


@pytest.mark.parametrize("ploidies", [[2], [2, 4], [1, 2, 6], []])
def test_ploidies_are_printed_as_a_range(ploidies) -> None:
    n = len(ploidies)
    given = budwood.genomics.genotypes.Genotypes.from_matrix(["a"] * n, np.zeros((n, 1), dtype=np.int8))
    object.__setattr__(given, "ploidy", np.array(ploidies, dtype=np.int8))
    ends = f", ploidy {' to '.join(map(str, dict.fromkeys([ploidies[0], ploidies[-1]])))}" if n else ""
    noun = "accession" if n == 1 else "accessions"
    assert repr(given) == f"Genotypes({n} {noun} x 1 marker{ends})"


def test_messages_hold_no_whole_object() -> None:
    panel = example_panel()
    table = [panel.genotypes] * 50
    for entry in (
        lambda: budwood.build_haplotypes(panel.genotypes, "genome.fa"),
        lambda: budwood.build_haplotypes("panel.vcf", "genome.fa", aliases=table),
        lambda: budwood.cross_validate([table], panel, "height"),
        lambda: budwood.cross_validate("gblup", panel, "height", cv=table),
        lambda: budwood.cross_validate("gblup", panel, dict.fromkeys(panel.accessions, table)),
        lambda: budwood.embed("ACGT", checkpoint=table),
        lambda: budwood.embed("ACGT", batch_size=table),
        lambda: budwood.embed("ACGT", pool=table, cache=False),
        lambda: budwood.TraitModel(table),
        lambda: budwood.TraitModel("gblup", seed=table),
        lambda: budwood.RandomKFold(table),
        lambda: budwood.selection_index({}, desired=table),
        lambda: budwood.select_training_set(panel, table),
        lambda: budwood.select_training_set(panel, 3, trait="height", heritability=table),
        lambda: budwood.TraitModel("gblup").fit(panel, "height").predict(panel, minimum_share=table),
        lambda: panel.take(table),
        lambda: panel.values("x" * 5_000),
    ):
        with pytest.raises(BudwoodError) as caught:
            entry()
        assert len(str(caught.value)) < 700
