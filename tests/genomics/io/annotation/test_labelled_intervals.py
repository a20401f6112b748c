"""Labelled intervals are the same whichever file they come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.annotation.labelled_intervals import read_labelled_intervals

FILES = {
    "a.bed": "c1\t9\t20\topen\nc2\t0\t5\tshut\n",
    "a.gff3": "##gff-version 3\nc1\tx\tsite\t10\t20\t.\t.\t.\tID=1;label=open\n"
    'c2\tx\tsite\t1\t5\t.\t.\t.\tNote="shut"\n',
    "a.csv": "contig,start,end,label\nc1,10,20,open\nc2,1,5,shut\n",
    "a.tsv": "chrom\tchromStart\tchromEnd\tname\nc1\t9\t20\topen\nc2\t0\t5\tshut\n",
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(FILES[name])
    assert [tuple(each) for each in read_labelled_intervals(path)] == [
        ("c1", 9, 20, "open"),
        ("c2", 0, 5, "shut"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "contig,start,end\nc1,5,2\n", "holds no base"),
        ("a.csv", "contig,start,end\nc1,x,2\n", "'x' is no position"),
        ("a.csv", "name,start,end\nc1,1,2\n", "no column 'contig'"),
        ("a.gff3", "##gff-version 3\n", "holds no interval"),
        ("a.gff3", "c1\tx\n", "has 2 columns"),
    ],
)
def test_bad_files_are_refused(name: str, text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BudwoodError, match=said):
        read_labelled_intervals(path)


def test_a_label_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(FILES["a.csv"])
    with pytest.raises(BudwoodError, match="did you mean 'label'"):
        read_labelled_intervals(path, label="labl")
