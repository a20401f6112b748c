"""The map: untested cells stay untested, and a predictor must beat the mean."""

from __future__ import annotations

import numpy as np

from budwood.genomics.io.tables.newick import parse_newick
from budwood.report.pages.transfer_map import render_map
from budwood.stats.evaluation.paired_difference import ConfidenceInterval
from budwood.transfer.compatibility_map import Cell, CompatibilityMap, MappedModel, compatibility_map
from budwood.workflows.transfer.map import MapResult

TREE = parse_newick("((((a:1,b:1):1,c:2):1,d:3):1,e:4);")


def cells(noise: float, slope: float, seed: int = 1) -> list[Cell]:
    distance = compatibility_map([Cell(source="a", target="b", trait="h", outcome="useful")], TREE, "cde")
    rng = np.random.default_rng(seed)
    known = {(c.source, c.target): c.distance for c in distance.cells}
    found = []
    for (source, target), far in known.items():
        if "e" not in (source, target) or source == "a":
            r = 0.8 - slope * far + noise * rng.normal()
            gain = {0: ConfidenceInterval(r, r - 0.1, r + 0.1)}
            found.append(Cell(source=source, target=target, trait="h", outcome="no gain", gain=gain))
    return found


def page(found: CompatibilityMap) -> str:
    result = MapResult(found=found, notes=())
    return render_map(result.record(), result.sentences())


def test_every_pair_has_a_cell_and_the_unmeasured_ones_are_untested() -> None:
    one = Cell(source="a", target="b", trait="h", outcome="useful")
    found = compatibility_map([one], TREE, ["c"])
    assert len(found.cells) == 6
    assert [c.outcome for c in found.cells].count("untested") == 5
    assert {c.distance for c in found.cells if {c.source, c.target} == {"a", "c"}} == {4.0}


def test_a_predictor_that_beats_the_mean_fills_untested_cells_which_stay_untested() -> None:
    found = compatibility_map(cells(noise=0.01, slope=0.08), TREE)
    assert found.predictor is not None
    assert found.predictor.beats_mean
    untested = [c for c in found.cells if not c.is_tested]
    assert untested
    assert all(np.isfinite(c.predicted) for c in untested)
    text = page(found)
    assert text.count('class="untested"') == len(untested)
    assert 'class="useful"' not in text


def test_distance_that_does_not_matter_predicts_nothing() -> None:
    beaten = 0
    for seed in range(10):
        found = compatibility_map(cells(noise=0.2, slope=0.0, seed=seed), TREE)
        assert found.predictor is not None
        beaten += not found.predictor.beats_mean
        if not found.predictor.beats_mean:
            assert all(np.isnan(c.predicted) for c in found.cells)
    assert beaten >= 6


def test_under_six_pairs_nothing_is_predicted() -> None:
    found = compatibility_map(cells(noise=0.0, slope=0.1)[:4], TREE)
    assert found.predictor is None
    assert all(np.isnan(c.predicted) for c in found.cells)


def test_every_pair_of_models_has_a_cell_and_measured_ones_bear_their_outcome() -> None:
    models = [
        MappedModel(name="rice", trait="PH", term="TO:0000207", species="a"),
        MappedModel(name="maize", trait="height", term="TO:0000207", species="c"),
        MappedModel(name="wheat", trait="yield"),
    ]
    one = Cell(source="rice", target="maize", trait="height", outcome="harmful")
    other = Cell(source="a", target="b", trait="h", outcome="useful")
    found = compatibility_map([one, other], TREE, ["c"], models)
    cells = {(c.source, c.target): c for c in found.cells}
    assert {pair for pair in cells if {*pair} <= {"rice", "maize", "wheat"}} == {
        (x.name, y.name) for x in models for y in models if x is not y
    }
    assert (cells["rice", "maize"].trait, cells["rice", "maize"].outcome) == ("height", "harmful")
    assert cells["maize", "rice"].outcome == "untested"
    assert cells["rice", "maize"].distance == 4.0
    assert np.isnan(cells["rice", "wheat"].distance)
    assert cells["maize", "wheat"].trait == "height to yield"
    assert len([c for c in found.cells if c.trait == "h"]) == 6


def test_joined_sources_have_a_row_with_all_their_names_and_are_no_target() -> None:
    names = ("rice-height", "maize-height")
    gain = {0: ConfidenceInterval(0.2, 0.1, 0.3)}
    one = Cell(
        source=" + ".join(names), target="sorghum", trait="h", outcome="useful", gain=gain, sources=names
    )
    alone = Cell(source="rice-height", target="sorghum", trait="h", outcome="no gain")
    found = compatibility_map([one, alone])
    assert not [c for c in found.cells if c.target == one.source]
    assert [c.target for c in found.cells if c.sources] == ["sorghum"]
    pairs = {(c.source, c.target) for c in found.cells if not c.sources}
    assert pairs == {(a, b) for a in (*names, "sorghum") for b in (*names, "sorghum") if a != b}
    text = page(found)
    assert "2 sources<small>rice-height</small><small>maize-height</small></th>" in text
    assert one.source not in text
    record = MapResult(found=found, notes=()).record()["cells"]
    assert [each["sources"] for each in record if each["source"] == one.source] == [list(names)]
