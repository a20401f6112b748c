"""Values and weights of accessions from records in environments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.genomics.phenotypes import Phenotypes
from budwood.panel.accession_means import accession_means


def records(*rows: tuple[str, str, float], errors: list[float] | None = None) -> Phenotypes:
    """Phenotypes of one trait from (accession, environment, value)."""
    accession, environment, value = zip(*rows, strict=True)
    return Phenotypes(
        np.array(accession, dtype=object),
        np.full(len(rows), "yield", dtype=object),
        np.array(environment, dtype=object),
        np.array(value, dtype=np.float64),
        np.full(len(rows), np.nan) if errors is None else np.array(errors),
    )


def test_one_value_for_each_accession_is_taken_as_it_is() -> None:
    found = accession_means(records(("b", "", 2.5), ("a", "", 1.0)), "yield")
    assert (found.values, found.weights, found.notes) == ({"b": 2.5, "a": 1.0}, {}, ())


def test_accessions_of_one_environment_each_are_warned_of() -> None:
    found = accession_means(records(("b", "e1", 2.5), ("a", "e2", 1.0)), "yield")
    assert found.values == {"b": 2.5, "a": 1.0}
    assert found.notes[0].startswith("Warning: every accession was observed in one environment only")


def test_standard_errors_give_weights_in_one_environment() -> None:
    found = accession_means(
        records(("a", "", 1.0), ("b", "", 2.0), ("c", "", 3.0), errors=[0.1, 0.2, 2.0]), "yield"
    )
    assert found.values == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert found.weights["a"] > found.weights["b"] > found.weights["c"]
    assert np.mean(list(found.weights.values())) == pytest.approx(1.0)


def test_replicates_give_weights() -> None:
    rows = [(name, "", float(i + j)) for i, name in enumerate("abcd") for j in range(2 + 4 * (name == "a"))]
    found = accession_means(records(*rows), "yield")
    assert found.values["b"] == 1.5
    assert found.weights["a"] > found.weights["b"] == found.weights["c"]
    assert any("averaged" in note for note in found.notes)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_of_records_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        (f"line{i}", f"e{j}", float(rng.normal() + 5 * j))
        for i in range(8)
        for j in range(4)
        for _ in range(rng.integers(3))
    ]
    rows = [
        *rows,
        *(("check", f"e{j}", 5.0 * j) for j in range(4)),
        *(("other", f"e{j}", 4.0 * j) for j in range(4)),
    ]
    plain = accession_means(records(*rows), "yield")
    mixed = accession_means(records(*(rows[i] for i in rng.permutation(len(rows)))), "yield")
    assert plain.notes == mixed.notes
    for one, two in ((plain.values, mixed.values), (plain.weights, mixed.weights)):
        assert one.keys() == two.keys()
        np.testing.assert_allclose(list(one.values()), [two[name] for name in one], rtol=1e-4, atol=1e-6)


def test_checks_without_genotypes_connect_environments() -> None:
    rows = [("check", "wet", 50.0), ("check", "dry", 20.0), ("check2", "wet", 52.0), ("check2", "dry", 22.0)]
    rows += [(f"w{i}", "wet", 50.0 + i) for i in range(5)] + [(f"d{i}", "dry", 20.0 + i) for i in range(5)]
    found = accession_means(records(*rows), "yield")
    assert [found.values[f"w{i}"] for i in range(5)] == pytest.approx(
        [found.values[f"d{i}"] for i in range(5)]
    )
    assert "adjusted for 2 environments" in " ".join(found.notes)


def test_unconnected_environments_and_lone_accessions_are_named() -> None:
    rows = [(f"a{i}", f"e{j}", float(i + 9 * j)) for i in range(3) for j in range(2)]
    rows += [(f"b{i}", f"f{j}", float(i + 30 * j)) for i in range(3) for j in range(2)]
    found = accession_means(records(*rows, ("alone", "g", 99.0)), "yield")
    told = " ".join(found.notes)
    assert "3 sets that share no accession" in told
    assert "alone; they take no part" in told
    assert "alone" not in found.values


def test_unweighted_means_do_not_claim_weights() -> None:
    rows = [(name, "", float(i + j)) for i, name in enumerate("abcd") for j in range(2 + 4 * (name == "a"))]
    found = accession_means(records(*rows), "yield")
    assert any("are weighted" in note for note in found.notes)
    plain = found.unweighted()
    assert (plain.values, plain.weights) == (found.values, {})
    assert not any("are weighted" in note for note in plain.notes)
    assert plain.notes[-1] == "Accessions differ in the precision of their values and count the same here."
    assert plain.unweighted() is plain
