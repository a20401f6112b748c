"""``budwood transfer`` as a contract: files, columns, JSON, refusals."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from budwood.artifacts import verify_artifact
from budwood.artifacts.manifest import write_manifest
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.library.model_library import ModelLibrary
from budwood.prediction.trait_model import TraitModel
from budwood.simulate.clade.clade import simulate_clade
from budwood.simulate.clade.config import CladeConfig
from budwood.simulate.clade.files import write_clade
from budwood.simulate.clade.trait import CladeTraitConfig, simulate_clade_trait
from budwood.simulate.population import PopulationConfig
from budwood.workflows.transfer.map import COLUMNS as MAP_COLUMNS
from budwood.workflows.transfer.record import COLUMNS


@pytest.fixture(scope="module")
def clade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two close species, 90 lines each, and a trait that acts through the same genes."""
    folder = tmp_path_factory.mktemp("clade") / "files"
    lines = PopulationConfig(lines=90, pool_size=150, founder_size=300, mutation_rate=2e-6)
    found = simulate_clade(
        CladeConfig(tree="(x:0.02,y:0.02);", contigs=2, genes_per_contig=25, population=lines)
    )
    trait = simulate_clade_trait(found, CladeTraitConfig(genes=10, heritability=0.8))
    write_clade(folder, found, [("height", trait)])
    return folder


def words(clade: Path, *more: object) -> list[object]:
    return [
        *("transfer", "evaluate", "--target-genotypes", clade / "y/genotypes.vcf.gz"),
        *("--target-phenotypes", clade / "y/field.csv", "--trait", "height"),
        *(() if "--sizes" in more else ("--sizes", "0,25,50")),
        *("--draws", "3", "--reach", "500", "--quiet"),
        *more,
    ]


def files(clade: Path) -> list[object]:
    return [
        *("--source-genotypes", clade / "x/genotypes.vcf.gz"),
        *("--source-phenotypes", clade / "x/controlled.csv"),
    ]


def genes(clade: Path) -> list[object]:
    return [
        *("--orthologs", clade / "orthologs.csv", "--source-genes", clade / "x/annotation.gff3"),
        *("--target-genes", clade / "y/annotation.gff3"),
    ]


def test_a_pair_of_species_and_the_map(clade: Path, run: Callable, tmp_path: Path) -> None:
    scores = ["--source-scores", clade / "x/scores.csv", "--target-scores", clade / "y/scores.csv"]
    names = ["--source-name", "x", "--target-name", "y", "--source-provenance", "controlled"]
    out = tmp_path / "results" / "xy"
    given = words(clade, *files(clade), *genes(clade), *scores, *names, "--target-provenance", "field")
    ran = run(*given, "--out", out, "--json")
    assert ran.code == 0, ran.err
    record = json.loads(ran.out)
    assert record["outcome"]
    assert set(record["heads"]) == {"gene burdens", "locus importance"}
    assert any(note.startswith("Warning: the source's phenotypes") for note in record["notes"])
    assert set(record["gain"]) == {"0", "25", "50"}
    arms = record["arms"]
    for control in ("random source trait", "shuffled orthology"):
        assert f"gene burdens: GBLUP + source, {control}" in arms
    assert {"principal components alone", "Gaussian kernel, target alone", "stack"} <= set(arms)
    with (out / "accuracy.csv").open() as handle:
        assert tuple(next(csv.reader(handle))) == COLUMNS
    with (out / "scores.csv").open() as handle:
        assert len(list(csv.reader(handle))) == 91
    assert len((out / "next_lines.csv").read_text().splitlines()) == 26
    page = (out / "report.html").read_text()
    assert "What to phenotype first" in page
    assert "All lines of the target are phenotyped. Had none been" in page
    assert "Stack: all ways and the target alone together" in page
    assert "Pooled embeddings" not in page
    assert "http" not in page.split("</style>")[1]
    assert not verify_artifact(out)

    ran = run("transfer", "map", tmp_path / "results", "--species", "z", "--out", tmp_path / "map", "--json")
    assert ran.code == 0, ran.err
    outcomes = [each["outcome"] for each in json.loads(ran.out)["cells"]]
    assert outcomes.count("untested") == 5
    with (tmp_path / "map/map.csv").open() as handle:
        assert tuple(next(csv.reader(handle))) == MAP_COLUMNS
    assert not verify_artifact(tmp_path / "map")


def test_lines_to_phenotype_are_those_that_are_not(clade: Path, run: Callable, tmp_path: Path) -> None:
    table = (clade / "y/field.csv").read_text().splitlines(keepends=True)
    known = {line.split(",")[0] for line in table[1:41]}
    some = tmp_path / "some.csv"
    some.write_text("".join(table[:41]))
    out = tmp_path / "out"
    given = ["--target-genotypes", clade / "y/genotypes.vcf.gz", "--target-phenotypes", some, "--draws", 2]
    given += ["--trait", "height", "--reach", 500, "--quiet", "--out", out]
    ran = run("transfer", "evaluate", *given, *files(clade), *genes(clade))
    assert ran.code == 0, ran.err
    with (out / "next_lines.csv").open() as handle:
        chosen = [row["accession"] for row in csv.DictReader(handle)]
    assert len(chosen) == 25
    assert not known & set(chosen)
    assert f"phenotype next: {', '.join(chosen[:5])} ..." in ran.out
    assert "Beside the 40 lines that are phenotyped" in (out / "report.html").read_text()
    assert "20 is the largest number that was tried; of the 40 phenotyped lines 20 are kept" in ran.out
    assert "plateau" not in ran.out


def test_references_and_orthologs_give_embeddings_by_locus(
    clade: Path, tiny_checkpoint: Path, run: Callable, tmp_path: Path
) -> None:
    references = [
        *("--source-reference", clade / "x/reference.fa", "--target-reference", clade / "y/reference.fa"),
        *("--checkpoint", tiny_checkpoint, "--device", "cpu", "--next", 0, "--sizes", "0,25"),
    ]
    out = tmp_path / "out"
    ran = run(*words(clade, *files(clade), *genes(clade), *references, "--out", out, "--json"))
    assert ran.code == 0, ran.err
    record = json.loads(ran.out)
    embeddings = {"pooled embeddings", "embeddings by locus"}
    assert set(record["heads"]) == {"gene burdens", "locus importance", *embeddings}
    assert any("orthologous genes have embeddings that differ" in note for note in record["notes"])
    controls = ("random source trait", "shuffled orthology", "random weights")
    for control in controls:
        assert f"embeddings by locus: source alone, {control}" in record["arms"]
        assert f"embeddings by locus: GBLUP + source, {control}" in record["arms"]
    for name in embeddings:
        assert {f"{name}: from scratch", f"{name}: from scratch, random weights"} <= set(record["arms"])
    assert "pooled embeddings: source alone, shuffled orthology" not in record["arms"]
    header = (out / "scores.csv").read_text().splitlines()[0]
    assert header.endswith("score by pooled embeddings,score by embeddings by locus")
    assert "embeddings by locus" in (out / "report.html").read_text()


def test_several_sources_are_joined_in_any_order(clade: Path, run: Callable, tmp_path: Path) -> None:
    table = np.genfromtxt(clade / "y/field.csv", delimiter=",", dtype=str)
    half = tmp_path / "half.csv"
    np.savetxt(half, table[:46], delimiter=",", fmt="%s")
    other = ["--source-genotypes", clade / "y/genotypes.vcf.gz", "--source-phenotypes", half]
    records = []
    for order in (1, -1):
        sides = [files(clade), other][::order]
        pairs = [clade / "orthologs.csv", "-"][::order]
        places = [clade / "x/annotation.gff3", "-"][::order]
        given = [
            *(word for side in sides for word in side),
            *(word for path in pairs for word in ("--orthologs", path)),
            *(word for path in places for word in ("--source-genes", path)),
            *(word for name in ["x", "half"][::order] for word in ("--source-name", name)),
            *("--target-genes", clade / "y/annotation.gff3", "--next", 0, "--sizes", "0,25"),
        ]
        ran = run(*words(clade, *given, "--out", tmp_path / f"out{order}", "--json"))
        assert ran.code == 0, ran.err
        records.append(json.loads(ran.out))
    one, other_way = records
    assert set(one["heads"]) == {
        *("gene burdens of x", "locus importance of x"),
        *("shared markers of half", "locus importance of half"),
    }
    assert one["source"]["name"] == "x + half"
    assert [each["name"] for each in one["sources"]] == ["x", "half"]
    assert one["main_arm"] == "stack"
    assert "all sources: source alone" in one["arms"]
    for size, gain in one["gain"].items():
        assert gain["mean"] == pytest.approx(other_way["gain"][size]["mean"], abs=1e-6)
    header = (tmp_path / "out1/scores.csv").read_text().splitlines()[0]
    assert header == "accession,observed,score by gene burdens of x,score by shared markers of half"
    assert set(one["geometry"]) == set(one["heads"])
    page = (tmp_path / "out1/report.html").read_text()
    assert "axis lies among" in page
    # On a phone the head of a table is hidden, and every number has its label instead.
    assert '<td class="number">' not in page
    assert 'data-label="r with the main axis"' in page
    ran = run("transfer", "map", tmp_path / "out1", "--out", tmp_path / "map", "--json")
    assert ran.code == 0, ran.err
    cells = json.loads(ran.out)["cells"]
    assert [each["sources"] for each in cells if each["source"] == "x + half"] == [["x", "half"]]
    assert not [each for each in cells if each["target"] == "x + half"]
    assert "2 sources<small>x</small><small>half</small>" in (tmp_path / "map/report.html").read_text()


def test_pairs_that_are_lost_and_values_that_are_not_weighted_are_stated(
    clade: Path, run: Callable, tmp_path: Path
) -> None:
    _, *rows = (clade / "orthologs.csv").read_text().splitlines()
    pairs = tmp_path / "pairs.csv"
    # Without a header, a row twice, and ten pairs with the numbers of transcripts.
    pairs.write_text("\n".join([*rows[:-10], rows[0], *(f"{row}.1" for row in rows[-10:])]) + "\n")
    measured = tmp_path / "measured.csv"
    measured.write_text((clade / "y/field.csv").read_text() + "line01,100\n")
    given = [*files(clade), *genes(clade)[2:], "--orthologs", pairs, "--next", 0]
    out = tmp_path / "xy"
    ran = run(
        *("transfer", "evaluate", "--target-genotypes", clade / "y/genotypes.vcf.gz", "--trait", "height"),
        *("--target-phenotypes", measured, "--sizes", "0,25", "--draws", 2, "--reach", 500, "--quiet"),
        *(*given, "--out", out, "--json"),
    )
    assert ran.code == 0, ran.err
    notes = json.loads(ran.out)["notes"]
    count = len(rows)
    assert f"{count - 10} of {count} pairs of orthologous genes have both genes placed." in notes
    assert any("count the same here" in note for note in notes)
    assert not any("are weighted" in note for note in notes)
    assert any(note.startswith("Source and target are both called 'genotypes'") for note in notes)

    # The same result under two paths and a copy of it make one cell.
    shutil.copytree(out, tmp_path / "copy")
    folders = [out, tmp_path / "x" / ".." / "xy", tmp_path / "copy"]
    (tmp_path / "x").mkdir()
    ran = run("transfer", "map", *folders, "--out", tmp_path / "map", "--json")
    assert ran.code == 0, ran.err
    record = json.loads(ran.out)
    assert len(record["cells"]) == 1
    assert "A folder holds a copy of another result and is left out." in record["notes"]
    assert any("bear one name: genotypes" in note for note in record["notes"])


@pytest.mark.parametrize(
    ("score", "expected"), [("-1", "has a score below 0"), ("0", "no marker of the genotypes has a score")]
)
def test_scores_without_use_are_refused(
    clade: Path, refused: Callable, tmp_path: Path, score: str, expected: str
) -> None:
    header, *rows = (clade / "x/scores.csv").read_text().splitlines()
    path = tmp_path / "scores.csv"
    path.write_text("\n".join([header, *(f"{row.split(',')[0]},{score}" for row in rows)]) + "\n")
    given = [*files(clade), *genes(clade), "--source-scores", path]
    assert expected in refused(*words(clade, *given))


def test_a_saved_model_of_the_same_species(clade: Path, run: Callable, tmp_path: Path) -> None:
    table = np.genfromtxt(clade / "y/field.csv", delimiter=",", dtype=str)
    half = tmp_path / "half.csv"
    np.savetxt(half, table[:46], delimiter=",", fmt="%s")
    panel = ["--genotypes", clade / "y/genotypes.vcf.gz", "--phenotypes", half, "--trait", "height"]
    model = tmp_path / "model"
    ran = run(
        "predict", *panel, "--out", tmp_path / "p", "--save-model", model, "--quiet", "--model", "gblup"
    )
    assert ran.code == 0, ran.err
    out = tmp_path / "transfer"
    ran = run(*words(clade, "--source", model, "--next", 0, "--out", out, "--json"))
    assert ran.code == 0, ran.err
    record = json.loads(ran.out)
    assert set(record["heads"]) == {"shared markers", "locus importance"}
    assert record["heads"]["shared markers"]["related"]
    assert not (out / "next_lines.csv").exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (lambda c: [], "a transfer needs a source"),
        (lambda c: ["--source", c, *files(c)], "this is no artifact"),
        (lambda c: [*files(c), "--target", c], "a transfer needs one target"),
        (lambda c: [*files(c), "--source-name", "a", "--source-name", "b"], "given 2 times for 1 source"),
        (lambda c: [*files(c), "--source-provenance", "moon"], "'moon' is not possible"),
        (lambda c: [*files(c), "--orthologs", c / "orthologs.csv"], "need the places of both sides' genes"),
        (lambda c: [*files(c), "--source-genes", c / "x/annotation.gff3"], "gene tables need gene pairs"),
        (lambda c: [*files(c), *genes(c), "--blocks", c / "orthologs.csv"], "exclude each other"),
        (lambda c: [*files(c), "--sizes", "a,b"], "are no whole numbers"),
        (lambda c: [*files(c), "--sizes", "0,2"], "no model can be fitted to 2 phenotyped lines"),
        (lambda c: files(c), "nothing of the source can be carried"),
        (lambda c: [*files(c)[:2]], "needs phenotypes"),
    ],
)
def test_refusals(clade: Path, refused: Callable, given: Callable, expected: str) -> None:
    assert expected in refused(*words(clade, *given(clade)))


def _manifest(folder: Path, **changes: object) -> None:
    """An artifact that a valid manifest lists, as its owner may have forged it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "transfer.json").write_text(str(changes.pop("content", "{}")))
    write_manifest(
        folder,
        {"kind": "transfer-evaluate", "inputs": [], "parameters": {}, "seeds": {}, "metrics": {}} | changes,
    )


def _record(name: object = "x", mean: object = 0.1, lower: object = 0.0) -> str:
    """A result as transfer.json has it, with values that its owner may have forged."""
    gain = {"0": {"mean": mean, "lower": lower, "upper": 0.2}}
    sides = {"source": {"name": name, "trait": "t"}, "target": {"name": "y", "trait": "t"}}
    return json.dumps({**sides, "gain": gain, "outcome": "useful"})


def test_a_gain_that_could_not_be_measured_is_left_out(run: Callable, tmp_path: Path) -> None:
    _manifest(tmp_path / "given", content=_record(mean=None, lower=None))
    ran = run("transfer", "map", tmp_path / "given", "--out", tmp_path / "map", "--json")
    assert ran.code == 0, ran.err
    assert [each["gain"] for each in json.loads(ran.out)["cells"] if each["source"] == "x"] == [{}]


@pytest.mark.parametrize(
    ("make", "more", "expected"),
    [
        (lambda f: f.mkdir(), (), "no result of transfer evaluate"),
        (lambda f: f.write_text("x"), (), "no result of transfer evaluate"),
        (lambda f: None, (), "no result of transfer evaluate"),
        (lambda f: (f.mkdir(), (f / "transfer.json").write_text("{}")), (), "no artifact"),
        (lambda f: _manifest(f, kind="predict"), (), "no result of transfer evaluate"),
        (lambda f: _manifest(f, schema_version=1), (), "transfer.json"),
        (lambda f: _manifest(f, content="[1]"), (), "transfer.json"),
        (lambda f: _manifest(f, content='{"gain": 7}'), (), "transfer.json"),
        (lambda f: _manifest(f, content=_record(name=None)), (), "transfer.json"),
        (lambda f: _manifest(f, content=_record(lower=None)), (), "transfer.json"),
        (lambda f: _manifest(f, content=_record(mean="much")), (), "transfer.json"),
        (lambda f: _manifest(f, content="[" * 10_000), (), "transfer.json"),
        (lambda f: (_manifest(f), (f / "transfer.json").write_text("{} ")), (), "changed"),
        (lambda f: _manifest(f / "inner"), (), "transfer.json"),
        (lambda f: f.mkdir(), ("--species", "a,,b"), "--species"),
    ],
)
def test_the_map_refuses(
    refused: Callable, tmp_path: Path, make: Callable, more: tuple[str, ...], expected: str
) -> None:
    make(tmp_path / "given")
    assert expected in refused("transfer", "map", tmp_path / "given", *more)


@pytest.mark.parametrize("tree", ["(" * 3000, "", "(a:x,b);", "\0"])
def test_the_map_refuses_a_tree(refused: Callable, tmp_path: Path, tree: str) -> None:
    (tmp_path / "tree.nwk").write_text(tree)
    record = {
        "source": {"name": "x", "trait": "t"},
        "target": {"name": "y", "trait": "t"},
        "gain": {},
        "outcome": "neutral",
        "r_without_phenotypes": None,
    }
    _manifest(tmp_path / "given", content=json.dumps(record))
    told = refused("transfer", "map", tmp_path / "given", "--tree", tmp_path / "tree.nwk")
    assert "tree.nwk" in told or "transfer.json" in told


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of two populations of one species, and one of another species that shares nothing."""
    folder = tmp_path_factory.mktemp("models")
    rng = np.random.default_rng(1)
    held = ModelLibrary(folder / "library")
    frequency = rng.uniform(0.2, 0.8, 120)
    effects = rng.normal(size=120)
    for name, species, place in (("north", "Oryza x", 0), ("south", "Oryza x", 0), ("far", "Zea y", 10**6)):
        dosage = (2 * rng.binomial(1, frequency, (70, 120))).astype(np.int8)
        at = place + np.arange(120, dtype=np.int64) * 1000
        letters = [np.full(120, word, dtype=object) for word in ("1", "A", "G")]
        words = np.array([f"{name[0]}{j}" for j in range(120)], dtype=object)
        markers = Markers(words, letters[0], at, *letters[1:])
        lines = tuple(f"{name}{i}" for i in range(70))
        genotypes = Genotypes(lines, markers, dosage, np.full(70, 2, dtype=np.int8))
        y = dosage @ effects + 5.0 * rng.normal(size=70)
        TraitModel("gblup").fit(genotypes, y).save(folder / name)
        held.add(folder / name, name, species=species)
    return held.folder


def test_the_map_over_a_library_shows_every_pair(library: Path, run: Callable, tmp_path: Path) -> None:
    folders = [library / name / "model" for name in ("north", "south")]
    out = tmp_path / "result"
    few = ["--sizes", "0,25,60", "--draws", 2, "--next", 0, "--quiet"]
    ran = run(
        "transfer", "evaluate", "--source", folders[0], "--target", folders[1], *few, "--out", out, "--json"
    )
    assert ran.code == 0, ran.err
    record = json.loads(ran.out)
    assert (record["source"]["name"], record["target"]["name"]) == ("north", "south")
    lost = "Not tried of --sizes: 60; 50 of 70 phenotyped lines are left beside the 20 test lines."
    assert (record["sizes"], record["notes"][-1]) == ([0, 25], lost)
    assert record["target"]["model"] == ModelLibrary(library).card("south").digest

    tree = tmp_path / "tree.nwk"
    tree.write_text("(Oryza_x:1,Zea_y:2);")
    cells = {}
    for name, words in (("folder", [out]), ("library", [])):
        if name == "library":
            assert run("library", "add", out, "north-to-south", "--library", library).code == 0
        given = [*words, "--library", library, "--tree", tree, "--out", tmp_path / name, "--json"]
        ran = run("transfer", "map", *given)
        assert ran.code == 0, ran.err
        cells[name] = json.loads(ran.out)["cells"]
    assert cells["folder"] == cells["library"]
    by = {(each["source"], each["target"]): each for each in cells["library"]}
    assert len(by) == len(cells["library"]) == 6
    assert by["north", "south"]["outcome"] == record["outcome"] != "untested"
    assert [each["outcome"] for each in by.values()].count("untested") == 5
    assert (by["north", "south"]["distance"], by["north", "far"]["distance"]) == (0.0, 3.0)
    assert not verify_artifact(tmp_path / "library")
    card = ModelLibrary(library).card("north-to-south")
    assert any("gain at 25 lines" in each.measure for each in card.accuracy)
    assert not ModelLibrary(library).problems("north-to-south")

    for name in ("north", "far"):
        shutil.copytree(library / name, tmp_path / "less" / name)
    ran = run("transfer", "map", out, "--library", tmp_path / "less", "--out", tmp_path / "apart")
    assert ran.code == 0, ran.err
    assert "no trait model of the library is called, in rows and columns of their own: south. " in ran.out


def test_a_library_without_measured_pairs_is_all_untested(
    library: Path, run: Callable, tmp_path: Path
) -> None:
    copy = tmp_path / "library"
    for name in ("north", "far"):
        shutil.copytree(library / name, copy / name)
    ran = run("transfer", "map", "--library", copy, "--out", tmp_path / "map", "--json")
    assert ran.code == 0, ran.err
    assert [each["outcome"] for each in json.loads(ran.out)["cells"]] == ["untested", "untested"]
    assert "None of 2 pairs was measured" in (tmp_path / "map/report.html").read_text()


@pytest.mark.parametrize(
    ("given", "expected"),
    [([], "measured transfers or a library"), (["--library", "nowhere"], "no such library")],
)
def test_the_map_refuses_nothing_to_show(refused: Callable, given: list[str], expected: str) -> None:
    assert expected in refused("transfer", "map", *given)


def test_a_damaged_result_is_not_added_to_a_library(run: Callable, tmp_path: Path) -> None:
    _manifest(tmp_path / "given", content='{"source": {"name": "x"}, "gain": 7}')
    ran = run("library", "add", tmp_path / "given", "one", "--library", tmp_path / "library")
    assert ran.code == 2
    assert "transfer.json is damaged" in ran.err
    assert not (tmp_path / "library").exists()


@pytest.mark.parametrize(("trait", "untested"), [("unnamed trait", 5), ("another", 6)])
def test_a_name_alone_makes_no_measured_pair(
    library: Path, run: Callable, tmp_path: Path, trait: str, untested: int
) -> None:
    """A result under the names of two entries counts for them where it is of their traits as well."""
    sides = {side: {"name": name, "trait": trait} for side, name in (("source", "north"), ("target", "far"))}
    _manifest(tmp_path / "given", content=json.dumps({**sides, "gain": {}, "outcome": "useful"}))
    bare = tmp_path / "library"
    for name in ("north", "south", "far"):
        shutil.copytree(library / name, bare / name)
    ran = run("transfer", "map", tmp_path / "given", "--library", bare, "--out", tmp_path / "map", "--json")
    assert ran.code == 0, ran.err
    cells = [each for each in json.loads(ran.out)["cells"] if each["trait"] == "unnamed trait"]
    assert [each["outcome"] for each in cells].count("untested") == untested
    assert len(cells) == 6


@pytest.mark.parametrize("option", ["--target-map", "--target-phenotypes", "--source-map"])
def test_files_that_would_go_unread_are_refused(library: Path, refused: Callable, option: str) -> None:
    model = library / "north" / "model"
    told = refused("transfer", "evaluate", "--source", model, "--target", model, option, model / "x.csv")
    assert f"{option} belongs to a panel" in told


def test_the_map_names_cards_that_cannot_be_read(library: Path, refused: Callable, tmp_path: Path) -> None:
    shutil.copytree(library / "north", tmp_path / "library" / "north")
    (tmp_path / "library" / "north" / "card.json").write_text("")
    told = refused("transfer", "map", "--library", tmp_path / "library")
    assert "damaged cards: north" in told
