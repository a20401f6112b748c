"""A panel's notes name the phenotyped accessions without genotypes, and names that are nearly alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from budwood.panel.example import example_panel
from budwood.panel.panel import Panel

PANEL = example_panel()


def _with_renamed(renamed: dict[str, str]) -> Panel:
    phenotypes = PANEL.phenotypes
    names = np.array([renamed.get(name, name) for name in phenotypes.accession], dtype=object)
    return Panel(genotypes=PANEL.genotypes, phenotypes=replace(phenotypes, accession=names))


@pytest.mark.parametrize("spelled", ["LINE07", "Line_07", "line-7", " line07"])
def test_near_misses_are_named(spelled) -> None:
    panel = _with_renamed({"line07": spelled})
    assert panel.notes[0] == f"1 phenotyped accession has no genotypes and takes no part: {spelled}."
    assert f"Spelled almost alike in genotypes and phenotypes: 'line07' and {spelled!r}" in panel.notes[1]
    again = replace(panel, identity=None)
    assert again.notes == panel.notes
    assert panel.take(["line01", "line02"]).notes == panel.notes


def test_accessions_without_genotypes_are_named_shortly() -> None:
    panel = _with_renamed({f"line{i:02d}": f"other {i}" for i in range(1, 31)})
    (note,) = panel.notes
    assert note.startswith("30 phenotyped accessions have no genotypes and take no part: other 1, ")
    assert note.endswith(" and 22 more.")


def test_nothing_is_noted_where_all_have_genotypes() -> None:
    assert PANEL.notes == ()
