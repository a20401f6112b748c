"""Lists of several sources' options: once for all, once for each, and none of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from budwood.errors import BudwoodError
from budwood.workflows.transfer.source_lists import SourceLists


def test_models_come_first_and_lists_follow_that_order() -> None:
    model, panel = Path("model"), Path("a.vcf")
    one, other = SourceLists(
        models=[model],
        genotypes=[panel],
        phenotypes=[Path("a.csv")],
        traits=["PH"],
        names=["rice", "maize"],
        orthologs=[None, Path("pairs.csv")],
        provenances=["field", "unknown"],
    ).sources("height")
    assert (one.model, one.files, one.name, one.orthologs) == (model, None, "rice", None)
    assert (other.model, other.name, other.orthologs) == (None, "maize", Path("pairs.csv"))
    assert other.files is not None
    assert (other.files.genotypes, other.files.phenotypes) == (panel, Path("a.csv"))
    assert (one.trait, other.trait, one.provenance, other.provenance) == ("PH", "PH", "field", "")


def test_a_source_without_a_trait_has_the_targets() -> None:
    (only,) = SourceLists(models=[Path("model")]).sources("height")
    assert only.trait == "height"
    assert SourceLists().sources("height") == ()


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        (SourceLists(models=[Path("m")] * 3, names=["a", "b"]), "given 2 times for 3 sources"),
        (SourceLists(models=[Path("m")], references=[Path("g.fa")]), "--source-reference belongs to a panel"),
        (SourceLists(genotypes=[Path("g")] * 3, maps=[Path("m")] * 2), "--source-map is given 2 times"),
        (SourceLists(models=[Path("m")], provenances=["moon"]), "'moon' is not possible"),
    ],
)
def test_refusals(lists: SourceLists, expected: str) -> None:
    with pytest.raises(BudwoodError, match=expected):
        lists.sources("height")
