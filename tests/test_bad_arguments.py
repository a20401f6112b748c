"""Every public entry refuses, in one sentence, what nothing can be computed from."""

import re

import numpy as np
import pandas as pd
import pytest

import budwood
from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.interval import Interval
from budwood.panel.example import write_example
from budwood.workflows.embed import EmbedOptions
from budwood.workflows.embed import embed as embed_files

RNG = np.random.default_rng(0)
DOSAGE = RNG.integers(0, 3, (40, 30)).astype(np.int8)
NAMES = [f"l{i}" for i in range(40)]
GENOTYPES = Genotypes.from_matrix(NAMES, DOSAGE)
Y = np.where(np.arange(40) < 30, DOSAGE[:, :4].sum(axis=1) + RNG.normal(size=40), np.nan)
TWO = np.full(40, 2, dtype=np.int8)
ONCE = budwood.RandomKFold(5, 1)
LINES = {f"l{i}": float(i % 7) for i in range(20)}
OTHERS = {f"l{i}": float(i % 5) for i in range(20)}


def _raw(names, dosage, ploidy) -> Genotypes:
    m = dosage.shape[1]
    empty = np.full(m, "", dtype=object)
    identifier = np.array([f"marker{j + 1}" for j in range(m)], dtype=object)
    return Genotypes(tuple(names), Markers(identifier, empty, np.full(m, -1), empty, empty), dosage, ploidy)


def _with(value: float, dtype: type) -> Genotypes:
    dosage = DOSAGE.astype(dtype)
    dosage[3, 4] = value
    return _raw(NAMES, dosage, TWO)


PANELS = {
    "no lines": _raw([], DOSAGE[:0], TWO[:0]),
    "no markers": _raw(NAMES, DOSAGE[:, :0], TWO),
    "infinite": _with(np.inf, np.float32),
    "minus infinite": _with(-np.inf, np.float32),
    "negative": _with(-2, np.int8),
    "negative fraction": _with(-1.0, np.float32),
    "above ploidy": _with(3, np.int8),
    "above ploidy by a half": _with(2.5, np.float32),
    "ploidy 0": _raw(NAMES, DOSAGE, 0 * TWO),
    "duplicate names": _raw(["l1"] * 40, DOSAGE, TWO),
    "ids that are numbers": _raw(range(40), DOSAGE, TWO),
    "text": _raw(NAMES, DOSAGE.astype(str), TWO),
    "nothing": None,
    "a path": "panel.vcf",
}


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
def test_odd_genotypes_are_refused_everywhere(panel) -> None:
    fitted = budwood.TraitModel("gblup").fit(GENOTYPES, Y)
    entries = (
        lambda: budwood.Panel(genotypes=panel),
        lambda: budwood.TraitModel("gblup").fit(panel, Y),
        lambda: fitted.predict(panel),
        lambda: budwood.cross_validate("gblup", panel, Y, cv=ONCE),
        lambda: budwood.select_training_set(panel, 3),
    )
    for entry in entries:
        with pytest.raises(BudwoodError):
            entry()


VALUES = {
    "short": Y[:5],
    "missing": np.full(40, np.nan),
    "infinite": np.where(np.arange(40) == 3, np.inf, Y),
    "table": Y[:, None],
    "text": ["a"] * 40,
    "complex": Y + 1j,
    "one number": 3.0,
    "none": None,
    "constant": np.ones(40),
    "one line": np.where(np.arange(40) == 3, Y, np.nan),
    "too large": 1e200 * Y,
    "words by name": {"l1": "x"},
    "none by name": {"l1": None},
    "empty": {},
    "others": {"q": 1.0},
    "a trait": "height",
}


@pytest.mark.parametrize("y", VALUES.values(), ids=VALUES)
def test_odd_values_are_refused(y) -> None:
    for panel in (GENOTYPES, budwood.Panel(genotypes=GENOTYPES)):
        with pytest.raises(BudwoodError):
            budwood.TraitModel("gblup").fit(panel, y)
        with pytest.raises(BudwoodError):
            budwood.cross_validate("gblup", panel, y, cv=ONCE)


def _refused(entry) -> str:
    with pytest.raises(BudwoodError) as caught:
        entry()
    return str(caught.value)


@pytest.mark.parametrize("share", [np.nan, -1, 2, np.inf, "a", None, True])
def test_a_share_that_is_none_is_refused(share) -> None:
    fitted = budwood.TraitModel("gblup").fit(GENOTYPES, Y)
    assert "no share" in _refused(lambda: fitted.predict(GENOTYPES, minimum_share=share))


def test_a_misspelt_model_is_refused_at_construction() -> None:
    assert "did you mean 'gblup'" in _refused(lambda: budwood.TraitModel("gblub"))
    for name in ("", None, 3, "auto:own"):
        _refused(lambda name=name: budwood.TraitModel(name))
    for seed in (-1, 1.5, None, "a", True):
        _refused(lambda seed=seed: budwood.TraitModel("gblup", seed=seed))
    assert budwood.TraitModel("gblup", seed=np.int64(3)).seed == 3


@pytest.mark.parametrize("number", [0, -1, 1.5, "a", None, np.nan, True])
def test_odd_numbers_are_refused(number) -> None:
    _refused(lambda: budwood.RandomKFold(5, number))
    _refused(lambda: budwood.cross_validate(number, GENOTYPES, Y))
    _refused(lambda: budwood.select_training_set(GENOTYPES, number if number is not True else 0))
    _refused(lambda: Genotypes.from_matrix(NAMES, DOSAGE, ploidy=number if number is not True else 0))
    for entry in (budwood.RandomKFold, budwood.ClusterKFold):
        _refused(lambda entry=entry: entry(number))
    if number != 0 and number is not None:
        _refused(lambda: budwood.RandomKFold(5, 1, number))
        _refused(lambda: budwood.select_training_set(GENOTYPES, 3, seed=number))
        _refused(lambda: budwood.select_training_set(GENOTYPES, 3, heritability=number))
        _refused(lambda: budwood.select_training_set(GENOTYPES, 3, candidates=number))
        _refused(lambda: budwood.cross_validate("gblup", GENOTYPES, Y, cv=number))


@pytest.mark.parametrize(
    ("predictions", "goal"),
    [
        ({}, {"a": 1}),
        ({"a": LINES}, {"a": 1}),
        ({"a": {**LINES, "l1": np.nan}, "b": OTHERS}, {"a": 1, "b": 1}),
        ({"a": {**LINES, "l1": np.inf}, "b": OTHERS}, {"a": 1, "b": 1}),
        ({"a": {**LINES, "l1": "x"}, "b": OTHERS}, {"a": 1, "b": 1}),
        ({"a": {**LINES, "l1": None}, "b": OTHERS}, {"a": 1, "b": 1}),
        ({"a": LINES, "b": OTHERS}, {"a": np.nan, "b": 1}),
        ({"a": LINES, "b": OTHERS}, {"a": "x", "b": 1}),
        ({"a": LINES, "b": OTHERS}, {"a": 0, "b": 0}),
        ({"a": LINES, "b": OTHERS}, {"a": 1, "c": 1}),
        ({"a": LINES, "b": OTHERS}, [1, 2]),
        ({"a": {"l1": 1.0}, "b": OTHERS}, {"a": 1, "b": 1}),
        ({"a": LINES, "b": LINES}, {"a": 1, "b": 2}),
        ([1, 2], {"a": 1}),
        (None, {"a": 1}),
    ],
)
def test_odd_predictions_have_no_index(predictions, goal) -> None:
    _refused(lambda: budwood.selection_index(predictions, desired=goal))


FRAME = pd.DataFrame({"trait": ["a", "a"], "prediction": [1.0, 2.0]})
INDEX = {"desired": {"a": 1.0, "b": 1.0}}
WRONG_TYPES = {
    **{
        f"{name} {kind}": (lambda read=read, odd=odd: read(odd), "of type|is empty")
        for name, read in {
            "genotypes": budwood.read_genotypes,
            "phenotypes": budwood.read_phenotypes,
            "genome": budwood.open_fasta,
            "recipe": lambda path: budwood.pretrain(path, "run"),
            "run": lambda path: budwood.pretrain("recipe.toml", path),
            "haplotypes": lambda path: budwood.build_haplotypes(path, "genome.fa"),
            "reference": lambda path: budwood.build_haplotypes("panel.vcf", path),
            "variants": lambda path: budwood.score_variants(path, "genome.fa"),
            "scored genome": lambda path: budwood.score_variants("panel.vcf", path),
        }.items()
        for kind, odd in {
            "none": None,
            "number": 3,
            "bytes": b"panel.vcf",
            "list": ["panel.vcf"],
            "table": FRAME,
            "object": GENOTYPES,
            "empty": "",
        }.items()
    },
    "phenotypes table": (lambda: budwood.Panel(genotypes=GENOTYPES, phenotypes=FRAME), "read_phenotypes"),
    "haplotypes path": (lambda: budwood.Panel(genotypes=GENOTYPES, haplotypes="g.fa"), "build_haplotypes"),
    "no models": (lambda: budwood.cross_validate([], GENOTYPES, Y), "no model is named"),
    "tables": (lambda: budwood.selection_index([FRAME, FRAME], **INDEX), "no predictions of traits"),
    "a table": (lambda: budwood.selection_index(FRAME, **INDEX), "no predictions of traits"),
    "tables by trait": (lambda: budwood.selection_index({"a": FRAME, "b": FRAME}, **INDEX), "of trait 'a'"),
    "arrays by trait": (lambda: budwood.selection_index({"a": Y, "b": Y}, **INDEX), "of trait 'a'"),
    "no predictions": (lambda: budwood.selection_index([], **INDEX), "no predictions of traits"),
    "one number": (lambda: budwood.selection_index(3, **INDEX), "no predictions of traits"),
    "a goal in a list": (lambda: budwood.selection_index([], desired=[FRAME]), "of type list"),
    "numbers for scores": (lambda: budwood.score_variants("a.vcf", "b.fa", scores=[1]), "list of names"),
    "a number for scores": (lambda: budwood.score_variants("a.vcf", "b.fa", scores=1), "list of names"),
    "aliases": (lambda: budwood.score_variants("a.vcf", "b.fa", aliases=[1]), "of type list"),
}


@pytest.mark.parametrize(("entry", "sentence"), WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_arguments_of_another_type_are_refused_in_a_short_sentence(entry, sentence) -> None:
    message = _refused(entry)
    assert re.search(sentence, message)
    assert len(message) < 250
    assert "\n" not in message


def test_a_series_of_predictions_by_id_has_an_index() -> None:
    series = {"a": pd.Series(LINES), "b": pd.Series(OTHERS)[::-1]}
    expected = budwood.selection_index({"a": LINES, "b": OTHERS}, **INDEX)
    assert budwood.selection_index(series, **INDEX).accessions == expected.accessions


def test_genotypes_and_genomes_are_no_trait_values(tmp_path) -> None:
    files = write_example(tmp_path)
    assert "VCF or BCF" in _refused(lambda: budwood.read_phenotypes(files.genotypes))
    assert "FASTA" in _refused(lambda: budwood.read_phenotypes(files.reference))
    hapmap = tmp_path / "panel.hmp.txt"
    columns = "rs# alleles chrom pos strand assembly# center protLSID assayLSID panelLSID QCcode l1 l2"
    hapmap.write_text(
        "\t".join(columns.split()) + "\n" + "\t".join(["m", "A/C", "1", "5", *"+......", "AA", "CC"])
    )
    assert "HapMap" in _refused(lambda: budwood.read_phenotypes(hapmap))
    assert budwood.read_phenotypes(files.phenotypes).traits == ("height", "yield")


@pytest.mark.parametrize("letters", ["MKLV", "AC-GT", "AC.GT", "ACGT*", "AC GT", "#", "ACGT\n", "ÄCGT", "1"])
def test_letters_that_are_no_nucleotides_are_refused(letters) -> None:
    message = _refused(lambda: budwood.embed(["ACGT", letters], cache=False, show=False))
    assert "no nucleotide letter (sequence 2)" in message


def test_sequences_without_a_base_are_named(tmp_path) -> None:
    with pytest.warns(UserWarning, match="1 sequence holds no known base .*: sequence 2"):
        found = budwood.embed(["acgtRYu", "NNnn"], cache=False, show=False)
    assert found.shape[0] == 2
    fasta = tmp_path / "blank.fa"
    fasta.write_text(">a\nNNNN\n>b\nACGT\n>c\n")
    notes = embed_files(EmbedOptions(fasta=fasta)).notes
    assert any("no known base (N alone), and its vector describes no sequence: a." in note for note in notes)
    assert any("has no base and no row: c." in note for note in notes)
    interval = Interval("a", 1, 3)
    with pytest.warns(UserWarning, match="a:2-3"):
        budwood.embed([interval], assembly=budwood.open_fasta(fasta), cache=False, show=False)


def test_files_and_sequences_that_are_none_are_refused(tmp_path) -> None:
    files = write_example(tmp_path)
    for odd in (None, 3, "", "nofile.vcf", tmp_path):
        _refused(lambda odd=odd: budwood.build_haplotypes(odd, files.reference))
        _refused(lambda odd=odd: budwood.build_haplotypes(files.genotypes, odd))
    for odd in (0, -1, 1.5, "a", 200, np.nan):
        _refused(lambda odd=odd: budwood.build_haplotypes(files.genotypes, files.reference, ploidy=odd))
    assembly = budwood.open_fasta(files.reference)
    interval = Interval("chr1", 0, 10**9)
    odd_sequences = ("", [""], None, 3, [3], ["ACGT", None], [np.zeros(0, np.uint8)], [np.array([1.5])])
    for odd in (*odd_sequences, [np.array([99], np.uint8)], [np.array([-1], np.int8)], [interval]):
        _refused(lambda odd=odd: budwood.embed(odd, assembly=assembly, cache=False, show=False))
    for setting in (
        {"pool": "x"},
        {"device": "x"},
        {"batch_size": 0},
        {"batch_size": 1.5},
        {"checkpoint": 3},
    ):
        _refused(lambda setting=setting: budwood.embed("ACGT", cache=False, show=False, **setting))
