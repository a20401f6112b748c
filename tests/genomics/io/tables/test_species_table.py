"""Which species a sequence of a collection comes from."""

from __future__ import annotations

import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.species_table import SpeciesRow, read_species_table


def test_species_and_lineage_by_sequence(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("accession\tspecies\torder\tfamily\nX1\tCoffea arabica\tGentianales\tRubiaceae\n")
    rows = read_species_table(path)
    assert rows == {"X1": SpeciesRow("Coffea arabica", ("Gentianales", "Rubiaceae", "Coffea"))}


@pytest.mark.parametrize(
    "text",
    ["a,b\n1,2\n", "a,species\n", "a,species\nx,\n", "a,species\nx,Y z\nx,Y w\n", "a,species\nx\n", ""],
)
def test_tables_that_say_no_species_are_refused(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(BudwoodError):
        read_species_table(path)
