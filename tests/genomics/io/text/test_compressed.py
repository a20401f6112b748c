from __future__ import annotations

import gzip
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from budwood.corpus.recipe.recipe_table import read_tables as read_recipe_table
from budwood.errors import BudwoodError
from budwood.genomics.io.annotation.open_annotation import read_annotation
from budwood.genomics.io.kind import file_format
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotype_table
from budwood.genomics.io.text import compressed
from budwood.genomics.io.variants.open_genotypes import open_calls

READ = """
import resource, sys
from pathlib import Path
from budwood.errors import BudwoodError
from budwood.genomics.io.variants.open_genotypes import read_genotypes
try:
    read_genotypes(Path(sys.argv[1]))
except BudwoodError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def drain(path: Path) -> None:
    with compressed.open_bytes(path) as handle:
        while handle.read(1 << 16):
            pass


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
@pytest.mark.parametrize("unit", [b"0,", b"1,2,0\n", b"\n"])
def test_a_file_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: object, unit: bytes
) -> None:
    monkeypatch.setattr(compressed, "CHECKED_FROM", 1 << 20)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(pack(b"line,a,b\n" + unit * (1 << 22)))  # type: ignore[operator]
    with pytest.raises(BudwoodError, match="more than 500 times its size"):
        drain(path)


def test_ordinary_packed_files_are_read_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * 3000
    for name, pack in {"a.gz": gzip.compress, "a.xz": lzma.compress}.items():
        (tmp_path / name).write_bytes(pack(data))
        with compressed.open_bytes(tmp_path / name) as handle:
            assert handle.read() == data


@pytest.mark.slow
def test_the_memory_that_such_a_file_takes_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as handle:
        handle.write(b"line,a,b\n")
        for _ in range(2000):
            handle.write(b"0," * (1 << 19))
    told = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    sentence, peak = told.stdout.splitlines()
    assert "times its size" in sentence
    assert int(peak) < 2000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of POSIX systems")
@pytest.mark.parametrize(
    "read", [open_calls, open_fasta, read_phenotype_table, read_annotation, file_format, read_recipe_table]
)
def test_pipes_are_refused_before_a_byte_is_taken(tmp_path: Path, read: Callable[[Path], object]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(BudwoodError, match="cannot be read twice"):
        read(pipe)
