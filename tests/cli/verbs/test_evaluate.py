"""``budwood evaluate``."""

from __future__ import annotations

import json

import pytest

from budwood.cli.verbs.evaluate import Models
from budwood.panel.files import PanelFiles, read_panel
from budwood.prediction.compare import Design
from budwood.prediction.models.registry import MODEL_NAMES
from budwood.workflows.setup.cost import model_cost
from cli.conftest import LINES

#: Measures that scripts find in evaluation.json for every model.
MEASURES = {
    *("mean_r", "accuracy", "slope", "intercept", "bias", "rmse", "top_quarter", "gain", "gain_sd", "auroc"),
    *("coverage_90", "interval_width", "seconds"),
}


def test_models_on_the_same_folds(run, panel, tiny_checkpoint, tmp_path) -> None:
    out = tmp_path / "out"
    words = ("--reference", panel.reference, "--checkpoint", tiny_checkpoint, "--models", "gblup,gblup+dna")
    design = ("--folds", 3, "--repeats", 2, "--seed", 7)
    ran = run("evaluate", *panel.words(), *words, *design, "--out", out, "--json")
    assert ran.code == 0, ran.err
    told = json.loads((out / "evaluation.json").read_text())
    assert list(told["models"]) == ["GBLUP", "GBLUP + DNA model"]
    assert (told["scheme"], told["folds"], told["repeats"]) == ("random", 3, 2)
    for score in told["models"].values():
        assert len(score["fold_r"]) == 6
        assert score["mean_r"] == pytest.approx(sum(score["fold_r"]) / 6)
        assert set(score) == {*MEASURES, "fold_r"}
        assert 0.0 <= score["top_quarter"] <= 1.0
        assert score["gain"] <= told["possible_gain"]
        assert score["accuracy"] == pytest.approx(score["mean_r"] / told["heritability"]["value"] ** 0.5)
        assert score["auroc"] is None
    (difference,) = told["paired_differences"]
    assert difference["lower"] <= difference["mean"] <= difference["upper"]
    assert difference["bootstrap_lower"] < difference["bootstrap_upper"]
    assert "REML of GBLUP on all phenotyped lines" in told["heritability"]["source"]
    assert told["permutation_control"]["model"] == "GBLUP + DNA model"
    assert len(told["held_out"]) == 36
    assert {line["fold"] for line in told["held_out"]} == {1, 2, 3}
    assert json.loads(ran.out)["models"] == told["models"]
    assert run("verify", out).code == 0


def test_the_help_names_every_model() -> None:
    told = Models.__metadata__[0].help
    assert all(f" {name}" in told for name in MODEL_NAMES)


def test_models_that_are_no_kernels(run, panel, tmp_path) -> None:
    words = ("--models", "elastic-net,lightgbm,gblup", "--folds", 2, "--repeats", 1, "--json")
    ran = run("evaluate", *panel.words(), *words, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert len(told["models"]) == 3
    assert told["paired_differences"][0]["baseline"] == next(iter(told["models"]))


def test_clusters_are_held_out_whole(run, panel, tmp_path) -> None:
    words = ("--scheme", "clusters", "--folds", 4, "--models", "gblup", "--out", tmp_path / "out")
    ran = run("evaluate", *panel.words(), *words)
    assert ran.code == 0, ran.err
    told = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert (told["scheme"], told["repeats"]) == ("clusters", 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--models", "gblup,forest"], "there is no trait model 'forest'"),
        (["--models", "gblup,gblup"], "the models are not distinct"),
        (["--models", "gblup,gblup+dna"], "give the reference genome"),
        (["--scheme", "leave-one-out"], "there is no scheme 'leave-one-out'"),
        (["--folds", "1"], "see budwood evaluate --help"),
        (["--folds", "30"], "fold 1 of 30, repeat 1, holds 2 of 36 phenotyped accessions"),
        (["--folds", "40"], "fewer lines (36) than folds (40)"),
        (["--scheme", "families"], "needs a table of groups: give --groups"),
        (["--group-column", "family"], "give --groups as well"),
        (["--h2", "0"], "0 is no heritability"),
        (["--h2", "1.5"], "1.5 is no heritability"),
    ],
)
def test_what_cannot_be_evaluated(words: list[str], told: str, refused, panel) -> None:
    assert told in refused("evaluate", *panel.words(), *words)


FAST = ("--models", "gblup", "--folds", 3, "--repeats", 1)


def write_trait(panel, cells: list[object]) -> None:
    """Give line00, line01, ... the trait t instead of a height."""
    rows = "".join(f"{name},{cell}\n" for name, cell in zip(LINES, cells, strict=False))
    panel.phenotypes.write_text("accession,t\n" + rows)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["NA"] * 36, "holds no trait value"),
        ([*range(35), "inf"], "'inf' is no number"),
        ([*range(35), "1e400"], "'1e400' is no number"),
        ([*range(35), "1e200"], "the values of trait 't' are too large to compute with"),
        ([f"{k}e-150" for k in range(36)], "the values of trait 't' are too close to one another"),
        ([7] * 36, "trait 't' has the same value, 7, in all 36 phenotyped accessions"),
        (list(range(8)), "only 8 accessions have both genotypes and a value"),
        ([0] * 35 + [1], "have the same trait value, 0, so predictions of them cannot be judged: use fewer"),
        ([0, 1] + [0] * 34, "have the same trait value, 0"),
    ],
)
def test_traits_that_cannot_be_evaluated(cells: list[object], told: str, refused, panel) -> None:
    write_trait(panel, cells)
    assert told in refused("evaluate", *panel.words("t"), *FAST)


def test_a_trait_without_a_value(refused, panel) -> None:
    panel.phenotypes.write_text(
        "accession,t,u\n" + "".join(f"{name},NA,{k}\n" for k, name in enumerate(LINES))
    )
    assert "every value of trait 't' is missing" in refused("evaluate", *panel.words("t"), *FAST)
    assert "trait 'v' is not in the phenotypes" in refused("evaluate", *panel.words("v"), *FAST)


def test_a_binary_trait_is_told_and_judged_by_auroc(run, panel, tmp_path) -> None:
    write_trait(panel, [k % 2 for k in range(36)])
    ran = run("evaluate", *panel.words("t"), *FAST, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert "has two values only, 0 (18 accessions) and 1 (18 accessions)" in ran.out
    text = (tmp_path / "out" / "evaluation.json").read_text()
    assert "NaN" not in text
    told = json.loads(text)
    assert 0.5 < told["models"]["GBLUP"]["auroc"] <= 1.0
    assert "analysed as a number" in told["notes"][0]


@pytest.mark.parametrize("share", [0.0, 1e-6])
def test_a_trait_that_markers_say_nothing_of_leaves_no_nan(run, panel, tmp_path, share: float) -> None:
    write_trait(panel, [100 + share * k + (k // 4) % 2 for k in range(36)])
    ran = run("evaluate", *panel.words("t"), *FAST, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    text = (tmp_path / "out" / "evaluation.json").read_text()
    assert "NaN" not in text
    assert "nan" not in ran.out


def write_families(panel, names: dict[str, str]) -> tuple[object, ...]:
    table = panel.folder / "families.csv"
    table.write_text("line,year,cross\n" + "".join(f"{line},2020,{name}\n" for line, name in names.items()))
    return ("--scheme", "families", "--groups", table, "--group-column", "cross")


def test_families_are_held_out_whole(run, panel, tmp_path) -> None:
    families = {name: f"cross {k % 3}" for k, name in enumerate(LINES[:33])}
    words = write_families(panel, families)
    ran = run("evaluate", *panel.words(), *words, "--models", "gblup,gaussian", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert "within families" in ran.out
    told = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert (told["scheme"], told["folds"], told["repeats"]) == ("families", 3, 1)
    assert [family["name"] for family in told["families"]] == ["cross 0", "cross 1", "cross 2"]
    fold = {family["name"]: family["fold"] for family in told["families"]}
    assert {line["accession"]: line["fold"] for line in told["held_out"]} == {
        name: fold[family] for name, family in families.items()
    }
    assert told["models"]["GBLUP"]["mean_family_r"] == pytest.approx(told["models"]["GBLUP"]["mean_r"])
    assert "3 phenotyped accessions without a group take no part." in told["notes"]
    assert run("verify", tmp_path / "out").code == 0


def test_small_families_share_folds(run, panel, tmp_path) -> None:
    words = write_families(panel, {name: f"cross {k % 9}" for k, name in enumerate(LINES)})
    for more, folds in (((), 3), (("--folds", 4), 4)):
        out = tmp_path / f"out{folds}"
        ran = run("evaluate", *panel.words(), *words, *more, "--models", "gblup", "--out", out)
        assert ran.code == 0, ran.err
        told = json.loads((out / "evaluation.json").read_text())
        assert told["folds"] == folds
        assert all(family["r"]["GBLUP"] is None for family in told["families"])
        assert f"9 of 9 families are held out together with others, in {folds} of {folds} folds" in ran.out


def test_families_that_cannot_be_held_out(refused, panel) -> None:
    words = write_families(panel, dict.fromkeys(LINES, "one"))
    assert "all lines are of one group" in refused("evaluate", *panel.words(), *words)
    assert "there is no column" in refused("evaluate", *panel.words(), *words[:-1], "father")
    words = write_families(panel, {f"other{k}": f"cross {k % 3}" for k in range(30)})
    assert "no accession has both a value and a group" in refused("evaluate", *panel.words(), *words)
    words = write_families(panel, {name: f"cross {k // 34}" for k, name in enumerate(LINES)})
    told = refused("evaluate", *panel.words(), *words, "--folds", 2)
    assert "fold 1 of 2, repeat 1, leaves 2 of 36 phenotyped accessions where 3 are needed" in told


def test_lower_can_be_better(run, panel, tmp_path) -> None:
    told = []
    for words in ((), ("--lower-is-better",)):
        out = tmp_path / f"out{len(words)}"
        ran = run("evaluate", *panel.words(), *FAST, *words, "--h2", 0.5, "--json", "--out", out)
        assert ran.code == 0, ran.err
        told.append(json.loads(ran.out))
    high, low = (each["models"]["GBLUP"] for each in told)
    assert high["mean_r"] == low["mean_r"]
    assert high["gain"] != low["gain"]
    assert low["gain"] > 0.0
    assert told[1]["heritability"] == {"value": 0.5, "source": "given by the user"}
    assert low["accuracy"] == pytest.approx(low["mean_r"] / 0.5**0.5)


def test_further_relationships(run, panel, tmp_path) -> None:
    """The model of subgenomes tells their shares, and multi-kernel takes every further kernel."""
    body = [line for line in panel.genotypes.read_text().splitlines() if not line.startswith("##contig")]
    moved = [line.replace("chr1", "2A" if j < 60 else "2B", 1) for j, line in enumerate(body)]
    panel.genotypes.write_text("\n".join(moved) + "\n")
    table = tmp_path / "weights.csv"
    table.write_text("marker,weight\n" + "".join(f"m{j},{1 + j % 3}\n" for j in range(120)))
    words = ("--subgenomes-by-name", "--marker-weights", table, "--models", "gblup,multi-kernel,subgenomes")
    design = ("--folds", 2, "--repeats", 1, "--out", tmp_path / "out", "--json")
    ran = run("evaluate", *panel.words(), *words, *design)
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert list(told["models"]) == ["GBLUP", "Multi-kernel", "Subgenomes"]
    assert any(note.startswith("Shares of the variance") and "subgenome A" in note for note in told["notes"])
    assert any("weighs 120 of 120 markers" in note for note in told["notes"])


@pytest.mark.parametrize("names", ["", ",", "gblup,", " "])
def test_a_model_without_a_name_is_refused(refused, panel, names) -> None:
    assert "a name is empty" in refused("evaluate", *panel.words(), "--models", names)


def test_ids_that_are_spelled_almost_alike_are_shown(run, panel, tmp_path) -> None:
    panel.phenotypes.write_text(panel.phenotypes.read_text().replace("line03,", "LINE-03,"))
    ran = run("evaluate", *panel.words(), "--models", "gblup", "--out", tmp_path / "out")
    assert "35 accessions have both genotypes and phenotypes" in ran.out
    assert "Spelled almost alike in genotypes and phenotypes: 'line03' and 'LINE-03'" in ran.out


def test_the_estimate_counts_repeats_and_folds(panel) -> None:
    read = read_panel(PanelFiles(genotypes=panel.genotypes, phenotypes=panel.phenotypes), "height")
    said = [
        model_cost(read, "height", Design(("gblup", "gaussian"), repeats=repeats, folds=folds).fits)
        for repeats, folds in ((5, 5), (100, 5), (100, 20), (2000, 5))
    ]
    assert "about 1 s" in said[0]
    assert "about 11 s" in said[1]
    assert "about 42 s" in said[2]
    assert "about 3 min" in said[3]


def test_what_was_read_of_tracks_is_said_once(run, panel, tmp_path) -> None:
    track = tmp_path / "open.bed"
    with panel.genotypes.open() as handle:
        site = next(line for line in handle if not line.startswith("#")).split("\t")
    track.write_text(f"{site[0]}\t{max(int(site[1]) - 500, 0)}\t{int(site[1]) + 500}\n")
    words = (*panel.words(), "--tracks", track, "--models", "gblup", "--folds", 3, "--repeats", 1)
    ran = run("evaluate", *words, "--out", tmp_path / "e", "--quiet")
    assert ran.code == 0, ran.err
    assert ran.out.count("open.bed weighs") == 1
    notes = json.loads((tmp_path / "e" / "evaluation.json").read_text())["notes"]
    assert len(notes) == len(set(notes))
    assert [note.split()[0] for note in notes if "over 1,001 bases" in note] == ["open.bed"]
