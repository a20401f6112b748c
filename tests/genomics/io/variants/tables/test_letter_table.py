from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import MISSING
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.genomics.io.variants.tables.letter_table import open_letter_table


def write(path: Path, *rows: str, header: str = "Marker,Chrom,Position,x,y,z") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_tetraploid_letters(tmp_path: Path) -> None:
    source = open_letter_table(write(tmp_path / "t.csv", "m1,1,10,AAAG,GGGG,NA", "m2,1,20,TTCC,NNNN,TTTT"))
    (block,) = source.blocks()
    assert source.ploidy == 4
    assert [site.alleles for site in block.sites] == [("A", "G"), ("C", "T")]
    assert block.alleles[0].tolist() == [[0, 0, 0, 1], [1, 1, 1, 1], [MISSING] * 4]
    assert (block.alleles[1] == 1).sum(axis=1).tolist() == [2, 0, 4]


def test_a_and_b_are_names_where_both_occur(tmp_path: Path) -> None:
    source = open_letter_table(write(tmp_path / "ab.csv", "m1,1,10,AAAB,BBBB,NA", "m2,2,20,AAAA,AAAA,AABB"))
    first, second = source.blocks()
    assert not source.has_letters
    assert first.sites[0].alleles == ("", "")
    assert first.alleles[0].tolist() == [[0, 0, 0, 1], [1, 1, 1, 1], [MISSING] * 4]
    assert (second.alleles[0] == 1).sum(axis=1).tolist() == [0, 0, 2]


def test_diploid_letters_and_other_delimiters(tmp_path: Path) -> None:
    path = write(tmp_path / "d.tsv", "m1\tchr1\t10\tAG\tNN\tG", header="SNP\tChr\tPos\tx\ty\tz")
    (block,) = open_letter_table(path, ploidy=2).blocks()
    assert block.alleles[0].tolist() == [[0, 1], [MISSING, MISSING], [1, 1]]


@settings(max_examples=40, deadline=None)
@given(
    ploidy=st.sampled_from([3, 4, 6, 8]),
    data=st.lists(st.lists(st.integers(-1, 8), min_size=3, max_size=3), min_size=1, max_size=6),
)
def test_dosages_survive(
    tmp_path_factory: pytest.TempPathFactory, ploidy: int, data: list[list[int]]
) -> None:
    dosages = [[min(d, ploidy) for d in row] for row in [[0, 1, -1], *data]]
    cells = [["NA" if d < 0 else "C" * (ploidy - d) + "T" * d for d in row] for row in dosages]
    rows = [",".join([f"m{j}", "1", str(j + 1), *row]) for j, row in enumerate(cells)]
    blocks = open_letter_table(write(tmp_path_factory.mktemp("l") / "l.csv", *rows)).blocks(2)
    sites = list(itertools.chain.from_iterable(zip(b.sites, b.alleles, strict=True) for b in blocks))
    for (site, alleles), row in zip(sites, dosages, strict=True):
        for calls, dosage in zip(alleles, row, strict=True):
            letters = [site.alleles[index] if index >= 0 else "N" for index in calls]
            assert letters.count("T") == max(dosage, 0)
            assert letters.count("N") == (ploidy if dosage < 0 else 0)


def test_malformed_tables_get_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    for rows, sentence in [
        (["m1,1,10,AAAG,AAAA,AG"], "the call 'AG' of accession z cannot be read with ploidy 4"),
        (["m1,1,10,AAAG,AAAA"], "does not have 3 calls"),
        (["m1,1,10,NA,NA,NA"], "holds no call"),
        (["m1,1,x,AAAG,AAAA,AAAA"], "position 'x'"),
    ]:
        write(path, *rows)
        with pytest.raises(BudwoodError, match=sentence):
            list(open_letter_table(path).blocks())
    write(path, "m1,1,10,AAAG,AAAA,AAAA")
    with pytest.raises(BudwoodError, match="4 copies where ploidy 2 was given"):
        open_letter_table(path, ploidy=2)
    write(path, "m1,AAAG,AAAA,AAAA", header="marker,x,y,z")
    with pytest.raises(BudwoodError, match="Marker, Chrom and Position"):
        open_letter_table(path)


@pytest.mark.real
def test_potato_letters_equal_their_tidy_dosages(real_data: Path) -> None:
    folder = real_data / "panels" / "potato_gwaspoly"
    letters, tidy = read_genotypes(folder / "raw" / "TableS1.csv.xz"), read_genotypes(folder)
    assert letters.accessions == tidy.accessions
    assert set(letters.ploidy) == set(tidy.ploidy) == {4}
    column = {name: j for j, name in enumerate(tidy.markers.identifier)}
    order = np.array([column[name] for name in letters.markers.identifier])
    np.testing.assert_array_equal(letters.dosage, tidy.dosage[:, order])
    np.testing.assert_array_equal(letters.markers.counted, tidy.markers.counted[order])
    assert len(order) == len(tidy.markers) - 1  # one marker does not vary
