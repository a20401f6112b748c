"""The example overwrites nothing of the user's."""

from __future__ import annotations

import pytest

from budwood.errors import BudwoodError
from budwood.panel.example import write_example


@pytest.mark.parametrize("name", ["genome.fa", "traits.csv", "panel.vcf"])
@pytest.mark.parametrize("content", [b"", b"mine\n"])
def test_files_of_the_user_stay(tmp_path, name, content) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BudwoodError, match="another content"):
        write_example(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == content


def test_a_folder_of_that_name_stays(tmp_path) -> None:
    (tmp_path / "genome.fa").mkdir()
    with pytest.raises(BudwoodError, match="another content"):
        write_example(tmp_path)
    assert not list((tmp_path / "genome.fa").iterdir())


def test_the_same_call_may_be_made_again(tmp_path) -> None:
    files = write_example(tmp_path)
    before = files.genotypes.read_bytes()
    assert write_example(tmp_path) == files
    with pytest.raises(BudwoodError, match="another content"):
        write_example(tmp_path, seed=1)
    assert files.genotypes.read_bytes() == before


def test_what_is_no_folder_is_refused(tmp_path) -> None:
    file = tmp_path / "pheno.csv"
    file.write_text("accession,height\n")
    for odd in (file, file / "below", None, 3, "", b"here"):
        with pytest.raises(BudwoodError):
            write_example(odd)
    assert file.read_text() == "accession,height\n"
