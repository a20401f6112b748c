"""Tables of environments."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.environments import Environments
from budwood.genomics.io.tables.phenotypes.environments import read_environments


def written(folder: Path, text: str) -> Path:
    path = folder / "environments.csv"
    path.write_text(text)
    return path


def test_columns_by_meaning(tmp_path: Path) -> None:
    text = (
        "rain,Environment,Year,loc,treatment,provenance\n"
        "412.5,Kar12W,2012,Karlsruhe,watered,field\n7,Box,2013,,NA,Greenhouse\n"
    )
    found = read_environments(written(tmp_path, text))
    assert found.names == ("Kar12W", "Box")
    assert (found.year, found.location) == (("2012", "2013"), ("Karlsruhe", ""))
    assert (found.treatment, found.provenance) == (("watered", ""), ("field", "controlled"))
    assert list(found.covariates) == ["rain"]
    assert found.covariates["rain"].tolist() == [412.5, 7.0]
    assert found.take([1]).names == ("Box",)
    assert found.take([1]).covariates["rain"].tolist() == [7.0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the table is empty"),
        (",,\n,,\n", "the table is empty"),
        ("environment,year\n", "the table has no environment"),
        ("environment,year\na,2012\na,2013\n", "environment 'a' occurs twice"),
        ("environment,year\n,2012\n", "environment number 1 has no name"),
        ("environment,rain\na,wet\n", "covariate 'rain' of environment 'a': 'wet' is no number"),
        ("environment,rain\na,NA\n", "covariate 'rain' of environment 'a' has no value"),
        ("environment,rain\na,inf\n", "'inf' is no number"),
        ("environment,provenance\na,moon\n", "provenance 'moon' is not known"),
        ("environment,year\na,2012,3\n", "the row has 3 cells, the header has 2"),
        ("environment,rain,rain\na,1,2\n", "column 'rain' occurs twice"),
    ],
)
def test_bad_tables_are_told_in_a_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BudwoodError, match=told):
        read_environments(written(tmp_path, text))


def test_unknown_environments_are_refused() -> None:
    with pytest.raises(BudwoodError, match="environment 'e3' is not in the environment table"):
        Environments.named(["e1", "e2"]).check_known(["e1", "e3"])


names = st.lists(st.text("abcXYZ-12 é", min_size=1).map(str.strip).filter(bool), min_size=1, unique=True)


@given(names=names, data=st.data())
def test_what_is_written_is_read(names: list[str], data: st.DataObject, tmp_path_factory) -> None:
    rain = data.draw(st.lists(st.floats(-1e6, 1e6), min_size=len(names), max_size=len(names)))
    lines = [f"{name}\t{value!r}" for name, value in zip(names, rain, strict=True)]
    path = written(tmp_path_factory.mktemp("table"), "\n".join(["environment\train", *lines]))
    found = read_environments(path)
    assert found.names == tuple(names)
    assert found.covariates["rain"].tolist() == rain
