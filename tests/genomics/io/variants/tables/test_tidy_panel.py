from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.variants.tables.tidy_panel import read_tidy_panel

IDS = np.array(["a", "b"])
DOSAGE = np.array([[0, 4, -1], [1, 2, 3]], dtype=np.int8)
MAP = "marker,chrom,pos,allele0,allele1\nm1,1,10,A,G\nm2,1,20,,\nm3,2,5,C,T\n"


def write(folder: Path, markers: str = MAP, **arrays: np.ndarray) -> Path:
    np.savez_compressed(folder / "geno.npz", **arrays)
    (folder / "markers.csv").write_text(markers)
    return folder


def test_a_panel_is_read_from_its_folder_or_its_arrays(tmp_path: Path) -> None:
    write(tmp_path, ids=IDS, dosage=DOSAGE)
    for path in (tmp_path, tmp_path / "geno.npz"):
        panel = read_tidy_panel(path).genotypes
        assert panel.accessions == ("a", "b")
        assert panel.markers.position.tolist() == [9, 19, 4]
        assert panel.markers.counted.tolist() == ["G", "", "T"]
        assert panel.ploidy.tolist() == [4, 4]
        np.testing.assert_array_equal(panel.dosage, DOSAGE)


def test_objects_are_never_loaded(tmp_path: Path) -> None:
    write(tmp_path, ids=IDS.astype(object), dosage=DOSAGE)
    with pytest.raises(BudwoodError, match="stored as Python objects, which are not loaded"):
        read_tidy_panel(tmp_path)


def test_malformed_panels_get_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match=r"no geno\.npz"):
        read_tidy_panel(tmp_path)
    for arrays, sentence in [
        ({"ids": IDS}, "lacks an array: .*dosage"),
        ({"ids": IDS, "dosage": DOSAGE[:1]}, "does not fit 2 ids x 3 markers"),
        ({"ids": IDS, "dosage": DOSAGE.astype(float)}, "dosage is float64"),
        ({"ids": IDS[[0, 0]], "dosage": DOSAGE}, "accession 'a' occurs twice"),
        ({"ids": IDS, "dosage": DOSAGE - 1}, "below -1"),
    ]:
        write(tmp_path, **arrays)
        with pytest.raises(BudwoodError, match=sentence):
            read_tidy_panel(tmp_path)
    write(tmp_path, ids=IDS, dosage=DOSAGE)
    data = (tmp_path / "geno.npz").read_bytes()
    for cut in (0, 10, len(data) // 2, len(data) - 3):
        (tmp_path / "geno.npz").write_bytes(data[:cut])
        with pytest.raises(BudwoodError, match="truncated or damaged"):
            read_tidy_panel(tmp_path)
    write(tmp_path, ids=IDS, dosage=DOSAGE)
    (tmp_path / "markers.csv").unlink()
    with pytest.raises(BudwoodError, match=r"no markers\.csv\.gz"):
        read_tidy_panel(tmp_path)


@pytest.mark.real
def test_every_panel_of_the_collection_is_read(real_data: Path) -> None:
    shapes = {}
    for folder in sorted((real_data / "panels").iterdir()):
        source = read_tidy_panel(folder)
        shapes[folder.name] = (source.genotypes.dosage.shape, source.has_letters, source.genotypes.ploidy[0])
    assert len(shapes) == 13
    assert shapes["wheat_cimmyt599"] == ((599, 1279), False, 2)
    assert shapes["soynam"] == ((5180, 4312), True, 2)
    assert shapes["potato_gwaspoly"] == ((221, 3522), True, 4)
