"""Which lines to phenotype next: who may be chosen, what is told, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.phenotype_next import SelectionRules, phenotype_next
from budwood.stats.relationship.kernel_scaling import kernel_spread
from budwood.stats.relationship.relationship import relationship


def test_lines_with_a_value_stay_and_are_not_chosen(panel) -> None:
    found = phenotype_next(panel.genotypes, 5, values=panel.values)
    chosen = [line.accession for line in found.lines]
    assert (found.candidates, found.phenotyped, len(set(chosen))) == (20, 60, 5)
    assert not set(chosen) & set(panel.values)
    assert found.heritability_source.startswith("estimated from the 60")
    assert 0.0 < found.accuracy_before < found.accuracy_after < 1.0
    assert all(line.gain >= -1e-12 for line in found.lines)
    after = [line.expected_accuracy_after for line in found.lines]
    assert all(a <= b + 1e-12 for a, b in pairwise(after))
    assert after[-1] == found.accuracy_after
    assert found.settled


def test_without_phenotypes_heritability_is_assumed(panel) -> None:
    found = phenotype_next(panel.genotypes, 30)
    assert (found.heritability, found.phenotyped, found.accuracy_before) == (0.5, 0, 0.0)
    assert [point.count for point in found.curve] == [25, 50]
    assert all(point.chosen > point.random for point in found.curve)
    assert any("assumed" in told for told in found.notes)
    assert phenotype_next(panel.genotypes, 30, heritability=0.9).accuracy_after > found.accuracy_after


def test_the_expected_accuracy_is_met(panel) -> None:
    """Traits simulated from the model are predicted as well as promised, on average."""
    kernel = relationship(panel.genotypes.dosage, panel.genotypes.ploidy)
    found = phenotype_next(panel.genotypes, 30, heritability=0.6)
    rows = np.array([panel.genotypes.row[line.accession] for line in found.lines])
    rest = np.setdiff1d(np.arange(80), rows)
    ratio = kernel_spread(kernel) * 0.4 / 0.6
    generator = np.random.default_rng(1)
    u = np.linalg.cholesky(kernel + 1e-6 * np.eye(80)) @ generator.standard_normal((80, 4000))
    y = u[rows] + np.sqrt(ratio) * generator.standard_normal((30, 4000))
    inverse = np.linalg.inv(kernel[np.ix_(rows, rows)] + ratio * np.eye(30))
    projection = inverse - np.outer(inverse.sum(0), inverse.sum(0)) / inverse.sum()
    guess = kernel[:, rows] @ projection @ y
    a, b = (guess - guess.mean(axis=0))[rest], (u - u.mean(axis=0))[rest]
    accuracy = np.vdot(a, b) / np.sqrt(np.vdot(a, a) * np.vdot(b, b))
    assert accuracy == pytest.approx(found.accuracy_after, abs=0.02)


def test_candidates_limit_the_choice(panel) -> None:
    names = panel.genotypes.accessions
    found = phenotype_next(panel.genotypes, 4, values=panel.values, candidates=names[55:72])
    assert found.candidates == 12
    assert {line.accession for line in found.lines} <= set(names[60:72])
    assert "5 of the candidates are phenotyped already." in found.notes
    assert any(told.startswith("8 genotyped accessions are neither") for told in found.notes)


def test_rules_hold_and_are_told(panel) -> None:
    names = panel.genotypes.accessions
    groups = {name: "abc"[i % 3] for i, name in enumerate(names)}
    costs = {name: 1.0 + i % 4 for i, name in enumerate(names)}
    rules = SelectionRules(groups, {"a": (4, 4), "c": (0, 1)}, costs, 15.0)
    found = phenotype_next(panel.genotypes, 10, rules=rules)
    taken = [line.group for line in found.lines]
    assert (taken.count("a"), taken.count("c") <= 1) == (4, True)
    assert sum(line.cost for line in found.lines) <= 15.0
    assert all(line.group == groups[line.accession] for line in found.lines)
    assert all("at its minimum of 4" in line.reason for line in found.lines if line.group == "a")
    short = phenotype_next(panel.genotypes, 10, rules=SelectionRules(costs=costs, budget=6.0))
    assert f"The budget pays for {len(short.lines)} of the 10 lines asked for." in short.notes


def test_reasons_account_for_the_lines_left(panel) -> None:
    found = phenotype_next(panel.genotypes, 6)
    stands_for = [line.reason.split()[3] for line in found.lines]
    assert sum(int(word) for word in stands_for if word.isdigit()) == 74


def test_few_phenotypes_do_not_give_a_heritability(panel) -> None:
    few = dict(list(panel.values.items())[:8])
    found = phenotype_next(panel.genotypes, 5, values=few | {"stranger": 2.0})
    assert (found.phenotyped, found.heritability) == (8, 0.5)


def test_tetraploids_and_missing_calls() -> None:
    generator = np.random.default_rng(3)
    dosage = generator.integers(0, 5, (30, 50)).astype(np.int8)
    dosage[generator.random((30, 50)) < 0.2] = -1
    genotypes = Genotypes.from_matrix([f"p{i}" for i in range(30)], dosage, ploidy=4)
    found = phenotype_next(genotypes, 5, criterion="pevmean")
    assert found.criterion == "pevmean"
    assert all(line.gain > 0.0 for line in found.lines[1:])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"candidates": ["nobody", "1000"]}, "1 candidates are not in the genotypes, for example 'nobody'"),
        ({"candidates": ["1000"]}, "nothing to choose"),
        ({"heritability": 1.2}, "heritability of 1.2 is impossible"),
        ({"count": 80}, "80 of 80 candidates"),
        ({"rules": SelectionRules(quotas={"a": (1, None)})}, "quotas need groups"),
        ({"rules": SelectionRules(groups={"1000": "a"})}, "79 candidates have no group"),
        ({"rules": SelectionRules(costs={"1000": 2.0})}, "79 candidates have no cost"),
    ],
)
def test_bad_requests_are_one_sentence(panel, arguments, told) -> None:
    with pytest.raises(BudwoodError, match=told):
        phenotype_next(panel.genotypes, **{"count": 5} | arguments)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (SelectionRules({}, {}, {"x": -1.0}), "cost of 'x' is no positive number"),
        (SelectionRules({"x": "a"}, {"b": (1, 2)}), "no candidate is in group 'b'"),
    ],
)
def test_rules_that_make_no_sense(panel, rules, told) -> None:
    names = panel.genotypes.accessions
    full = SelectionRules(
        rules.groups and dict.fromkeys(names, "a") | dict(rules.groups),
        rules.quotas,
        rules.costs and dict.fromkeys(names, 1.0) | dict(rules.costs),
    )
    with pytest.raises(BudwoodError, match=told):
        phenotype_next(panel.genotypes, 5, rules=full)


def test_an_accession_twice_is_refused() -> None:
    dosage = np.random.default_rng(1).integers(0, 3, (4, 20)).astype(np.int8)
    with pytest.raises(BudwoodError, match="occurs twice"):
        phenotype_next(Genotypes.from_matrix(["a", "b", "a", "c"], dosage), 2)


def test_a_trait_without_genetics_has_a_small_heritability(panel) -> None:
    noise = dict(zip(panel.values, np.tile([1.0, -1.0], 30), strict=True))
    found = phenotype_next(panel.genotypes, 5, values=noise)
    assert 0.05 <= found.heritability < 0.4
    flat = phenotype_next(panel.genotypes, 5, values=dict.fromkeys(panel.values, 3.0))
    assert (flat.heritability, flat.phenotyped) == (0.5, 60)
