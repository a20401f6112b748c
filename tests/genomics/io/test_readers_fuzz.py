"""Whatever a file holds, its reader ends in success or in one sentence for the user."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budwood.corpus.recipe.recipe import read_corpus_recipe
from budwood.errors import BudwoodError
from budwood.genomics.io.annotation.bed import annotation_of_bed
from budwood.genomics.io.annotation.gff import read_gff
from budwood.genomics.io.annotation.labelled_intervals import read_labelled_intervals
from budwood.genomics.io.sequence.alignment_fasta import read_alignment_fasta
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.sequence.fasta_collection import open_collection
from budwood.genomics.io.sequence.maf import read_maf
from budwood.genomics.io.tables.accession_table import read_accession_list, read_accession_numbers
from budwood.genomics.io.tables.genes.gene_places import read_gene_places
from budwood.genomics.io.tables.newick import read_newick
from budwood.genomics.io.tables.phenotypes.environments import read_environments
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotype_table
from budwood.genomics.io.tables.species_table import read_species_table
from budwood.training.recipe.recipe import read_recipe
from budwood.training.recipe.recipe_check import check_recipe


def read_and_check_recipe(path: Path) -> None:
    check_recipe(read_recipe(path), str(path))


#: Readers with a small file that each can read.
READERS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "phenotypes": (read_phenotype_table, "line,yield,env\na,1.5,x\nb,NA,y\nc,2,x\n"),
    "long phenotypes": (read_phenotype_table, "id\ttrait\tvalue\tse\na\th\t1\t0.5\nb\th\t2,5\t\n"),
    "environments": (read_environments, "environment;year;rain\ne1;2012;3,5\ne2;2013;4\n"),
    "accession numbers": (read_accession_numbers, "id,cost\na,1\nb,2.5\n"),
    "accession list": (read_accession_list, "accession\na\nb\n"),
    "species": (read_species_table, "name\tspecies\torder\ns1\tZea mays\tPoales\n"),
    "newick": (read_newick, "((A_a:1,'b c':2e-1)x:3,[note]D:6);"),
    "fasta": (open_fasta, ">a one\nACGT\nac\n>b\r\nNN\n"),
    "collection": (open_collection, ">a\nACGT\n>a\nACGT\n"),
    "alignment": (read_alignment_fasta, ">Zea_mays|x\nAC-T\n>Vitis_sp\nACGT\n"),
    "maf": (read_maf, "##maf\na score=1\ns sol.c 0 4 + 9 ACGT\ns zea.d 1 3 - 9 AC-T\n\n"),
    "bed": (annotation_of_bed, "c\t0\t90\tg\t0\t+\t5\t80\t0\t2\t10,20\t0,70\n"),
    "gff": (read_gff, "c\tx\tgene\t1\t9\t.\t+\t.\tID=g\nc\tx\tCDS\t1\t9\t.\t+\t0\tParent=g\n"),
    "gtf": (read_gff, 'c\tx\texon\t1\t9\t.\t-\t.\tgene_id "g"; transcript_id "t";\n'),
    "labelled intervals": (read_labelled_intervals, "contig,start,end,label\nc,1,90,x\nc,100,150,y\n"),
    "gene places": (read_gene_places, "gene\tcontig\tstart\tend\ng1\tc\t1\t90\ng2\tc\t100\t190\n"),
    "gene places of MCScanX": (read_gene_places, "c\tg1\t1\t90\nc\tg2\t100\t190\n"),
    "corpus recipe": (
        read_corpus_recipe,
        '[[assembly]]\nspecies = "A"\nfasta = "a.fa"\n[split]\nvalidation = 0.1\n',
    ),
    "training recipe": (
        read_and_check_recipe,
        'name = "t"\nseed = 1\n'
        '[[genome]]\nspecies = "A"\nfasta = "a.fa"\n[schedule]\nsteps = 2\n[encoder]\nheads = 2\n',
    ),
}
#: What peers' files were seen to hold, and what breaks readers.
ODD = [
    *(
        "",
        "\0",
        "\ufeff",
        "\u2028",
        "\x85",
        "\x0b",
        "\x1c",
        "\r",
        "\r\n",
        "\n\n",
        "\t",
        " ",
        ",",
        ";",
        '"',
        "'",
    ),
    *(
        "9" * 5000,
        "1e400",
        "1e30",
        str(2**63),
        str(-(2**63) - 1),
        "-9",
        "nan",
        "inf",
        "0x1F",
        "1_0",
        "٣",
        "²",
        "−1",
    ),
    *(
        "(" * 3000,
        "[" * 3000,
        "{" * 3000,
        "=1+1",
        ">",
        "#",
        "a=",
        "ID=",
        "Parent=;",
        "%00",
        "\\",
        "-1",
        "0",
        "[]",
    ),
    *('"' * 41, "é", "\udc80", "\U0001f33d", "true", "1979-05-27", "{}", "=", ".", "NA", "1,5", "1.234,5"),
]
MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["put", "drop", "repeat", "replace", "swap"]),
        st.floats(0, 1),
        st.integers(1, 12),
        st.one_of(st.sampled_from(ODD), st.text(max_size=6)),
    ),
    max_size=5,
)


def mutated(text: str, mutations: list[tuple[str, float, int, str]]) -> bytes:
    for kind, place, length, odd in mutations:
        at = int(place * len(text))
        piece = text[at : at + length]
        text = {
            "put": text[:at] + odd + text[at:],
            "drop": text[:at] + text[at + length :],
            "repeat": text[:at] + piece * 3 + text[at:],
            "replace": text.replace(piece, odd, 2) if piece else text,
            "swap": text[at:] + text[:at],
        }[kind]
    return text.encode("utf-8", "surrogateescape" if "\udc80" in text else "surrogatepass")


#: "1 cells", which a count of one makes of a sentence that was written for many.
ONE_IN_THE_PLURAL = re.compile(
    r"(?<![\w.,:'\"-])1 (accessions|alleles|bases|cells|columns|contigs|lines|markers|numbers|records|rows|"
    r"sequences|sites|values|environments|traits|samples)\b"
)


def ends_well(name: str, content: bytes, folder: Path) -> None:
    """The reader succeeds or raises BudwoodError, whose sentence can be printed."""
    read, _ = READERS[name]
    path = folder / "file.toml"
    path.write_bytes(content)
    try:
        read(path)
    except BudwoodError as error:
        sentence = error.sentence
        assert sentence
        assert len(sentence) < 4_000
        assert not ONE_IN_THE_PLURAL.search(sentence), sentence


@pytest.mark.parametrize("name", READERS)
def test_the_small_files_are_read(name: str, tmp_path: Path) -> None:
    read, text = READERS[name]
    path = tmp_path / "file.toml"
    path.write_text(text, newline="")
    read(path)


def settle(examples: int) -> Callable[[Any], Any]:
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, suppress_health_check=checks)


@pytest.mark.parametrize("name", READERS)
@settle(int(os.environ.get("BUDWOOD_FUZZ", "60")))
@given(mutations=MUTATIONS)
def test_mutated_files_end_well(
    name: str, mutations: list[tuple[str, float, int, str]], tmp_path: Path
) -> None:
    ends_well(name, mutated(READERS[name][1], mutations), tmp_path)


@pytest.mark.parametrize("name", READERS)
@settle(20)
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=80).map(lambda t: t.encode("utf-16"))))
def test_any_bytes_end_well(name: str, content: bytes, tmp_path: Path) -> None:
    ends_well(name, content, tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_numbers_that_python_does_not_read_end_well(name: str, tmp_path: Path) -> None:
    text = READERS[name][1]
    for number in re.finditer(r"[0-9]+", text):
        for odd in ("9" * 5000, "1e400", "²", "٣", "1_0", "nan", "-inf", "-1", str(2**63), "0x1F"):
            changed = text[: number.start()] + odd + text[number.end() :]
            ends_well(name, changed.encode(), tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_rows_of_one_cell_are_counted_in_the_singular(name: str, tmp_path: Path) -> None:
    lines = READERS[name][1].splitlines(keepends=True)
    for row in range(len(lines)):
        for cell in ("a", "a,", "1", ""):
            content = "".join([*lines[:row], f"{cell}\n", *lines[row + 1 :]])
            ends_well(name, content.encode(), tmp_path)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("odd", ["", "\n", "\ufeff", ",,\n,,\n", "\t\t\n", "\0", ";;", ">", "#", "\r\r", "a"])
def test_blank_and_nearly_blank_files_end_well(name: str, odd: str, tmp_path: Path) -> None:
    ends_well(name, odd.encode(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
@settle(3_000)
@given(mutations=MUTATIONS)
def test_many_mutated_files_end_well(
    name: str, mutations: list[tuple[str, float, int, str]], tmp_path: Path
) -> None:
    ends_well(name, mutated(READERS[name][1], mutations), tmp_path)
