from __future__ import annotations

import lzma
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import CodingPart, Span
from budwood.genomics.interval import Interval
from budwood.genomics.io.annotation.bed import annotation_of_bed, read_bed
from budwood.genomics.io.annotation.open_annotation import read_annotation


def write(folder: Path, text: str, name: str = "regions.bed") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_three_to_six_columns(tmp_path: Path) -> None:
    text = "track name=x\n#c\nChr1\t0\t10\nChr1\t5\t20\tsecond\nChr2 7 9 third 0 -\nChr2\t7\t9\t.\t0\t.\n"
    records = read_bed(write(tmp_path, text))
    assert [(r.interval, r.name) for r in records] == [
        (Interval("Chr1", 0, 10), "Chr1:1-10"),
        (Interval("Chr1", 5, 20), "second"),
        (Interval("Chr2", 7, 9, "-"), "third"),
        (Interval("Chr2", 7, 9), "Chr2:8-9"),
    ]


names = st.text("abcXYZ019_.-", min_size=1, max_size=8).filter(lambda name: name != ".")


@settings(deadline=None)
@given(
    rows=st.lists(
        st.tuples(names, st.integers(0, 10**9), st.integers(0, 10**6), names, st.sampled_from("+-"))
    )
)
def test_intervals_come_back_as_written(
    rows: list[tuple[str, int, int, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = "".join(f"{c}\t{a}\t{a + n}\t{name}\t0\t{s}\n" for c, a, n, name, s in rows)
    path = write(tmp_path_factory.mktemp("bed"), text + "last\t1\t2\n")
    found = [(r.interval, r.name) for r in read_bed(path)][:-1]
    assert found == [(Interval(c, a, a + n, s), name) for c, a, n, name, s in rows]


def test_twelve_columns_make_genes(tmp_path: Path) -> None:
    line = "c\t10\t100\tg\t0\t-\t25\t85\t0\t3\t10,20,20,\t0,30,70,\n"
    (gene,) = annotation_of_bed(write(tmp_path, line)).genes
    (transcript,) = gene.transcripts
    assert transcript.exons == (Span(10, 20), Span(40, 60), Span(80, 100))
    assert transcript.cds == (CodingPart(40, 60, 1), CodingPart(80, 85, 0))
    assert transcript.utrs == (Span(10, 20), Span(85, 100))


def test_an_empty_thick_stretch_codes_for_nothing(tmp_path: Path) -> None:
    line = "c\t10\t100\tg\t0\t+\t10\t10\t0\t1\t90\t0\n"
    assert annotation_of_bed(write(tmp_path, line)).genes[0].transcripts[0].cds == ()


def test_annotation_files_are_told_apart_by_name(tmp_path: Path) -> None:
    packed = tmp_path / "repeats.bed.xz"
    packed.write_bytes(lzma.compress(b"c\t0\t9\tLTR/Gypsy\n"))
    assert read_annotation(packed).repeats[0].repeat_class == "LTR/Gypsy"
    gff = write(tmp_path, "c\tx\tCDS\t1\t9\t.\t+\t0\tID=p\n", "genes.bedlam.gff3.txt")
    assert read_annotation(gff).genes[0].name == "p"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("c\t5", "start and end should be whole numbers, found 5"),
        ("c\t-5\t9", "start and end should be whole numbers, found -5, 9"),
        ("c\t9\t5", "the end 5 lies before the start 9"),
        ("c\t1\t5\tn\t0\tplus", "strand 'plus' is not valid"),
        ("c\t1\t50\tn\t0\t+\t1\t5\t0\t2\t5,5\t0", "blockStarts should be whole numbers"),
        ("c\t1\t50\tn\t0\t+\t1\t5\t0\t1\t90\t0", "the blocks do not lie within the interval"),
    ],
)
def test_a_broken_line_is_told_with_its_number(line: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match=f"{sentence}.*regions.bed, line 2"):
        read_bed(write(tmp_path, f"c\t0\t1\n{line}\n"))


def test_a_file_without_intervals_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match="holds no interval"):
        read_bed(write(tmp_path, "# nothing\n"))
