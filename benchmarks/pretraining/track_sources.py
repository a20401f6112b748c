"""Write the interval tracks that recipes/tracks.toml adds: chromatin and transposons of two species.

    python benchmarks/pretraining/track_sources.py --derived runs/derived

Arabidopsis Chr1 (TAIR10): leaf DNase sites, nine chromatin states, and its transposons. Brazil nut:
transposons that EDTA found, without those of the last tenth of the scaffold, which is scored. Each track is a
BED file; ``transposon`` is any transposon. Chromatin of Brazil nut is unknown.
"""

from __future__ import annotations

import lzma
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder

#: Superfamilies of at least .3 Mb on Arabidopsis Chr1, by EDTA's name of the same.
SUPERFAMILIES = {
    "DNA/Helitron": "RC/Helitron",
    "DNA/DTM": "DNA/MuDR",
    "MITE/DTM": "DNA/MuDR",
    "LTR/Gypsy": "LTR/Gypsy",
    "LTR/Copia": "LTR/Copia",
}
ANY = "transposon"
Place = tuple[str, str, int, int]


def rows(path: Path) -> Iterator[list[str]]:
    """Cells of a table's lines that are no comments."""
    with lzma.open(path, "rt") as handle:
        for line in handle:
            if not line.startswith("#"):
                yield line.rstrip("\n").split("\t")


def arabidopsis_states(contig: str = "Chr1") -> Iterator[Place]:
    """DNase sites and chromatin states: track, contig, start and end, 0-based, end excluded."""
    folder = data_folder() / "genomes/arabidopsis_thaliana/tair10_tracks"
    files = {"open chromatin": "frag_DHS"} | {f"state {n}": f"frag_state{n}" for n in range(1, 10)}
    for name, file in files.items():
        for cells in rows(folder / f"{file}.gff.xz"):
            if cells[0] == contig:
                yield name, contig, int(cells[3]) - 1, int(cells[4])


def arabidopsis_transposons(
    superfamilies: Iterable[str] | None = None, contig: str = "Chr1"
) -> Iterator[Place]:
    """Transposons of a contig, those of the given superfamilies (all where None) under their names too."""
    chosen = None if superfamilies is None else set(superfamilies)
    path = data_folder() / "genomes/arabidopsis_thaliana/tair10_tracks/TAIR10_Buisine_TEs_ann_all.txt.xz"
    for cells in rows(path):
        if cells[0] == contig:
            for name in (ANY, *([cells[6]] if chosen is None or cells[6] in chosen else [])):
                yield name, contig, int(cells[1]) - 1, int(cells[2])


def brazil_nut_transposons() -> Iterator[Place]:
    """Transposons of Brazil nut before the scored tenth."""
    folder = data_folder() / "genomes/bertholletia_excelsa"
    features = [cells for cells in rows(folder / "transposons_edta.gff3.xz") if len(cells) == 9]
    last = max(int(cells[4]) for cells in features) * 9 // 10  # the last one ends before the scaffold does
    for cells in features:
        kind = cells[8].removeprefix("ID=").split(";")[0]
        if int(cells[4]) <= last and "/" in kind:
            for name in (ANY, *([SUPERFAMILIES[kind]] if kind in SUPERFAMILIES else [])):
                yield name, cells[0], int(cells[3]) - 1, int(cells[4])


def covered(places: Iterable[Place], length: int) -> dict[str, NDArray[np.bool_]]:
    """Whether each base of a contig lies in an interval of each track."""
    found: dict[str, NDArray[np.bool_]] = defaultdict(lambda: np.zeros(length, dtype=bool))
    for name, _, start, end in places:
        found[name][start:end] = True
    return dict(found)


def write_tracks(places: Iterable[Place], folder: Path) -> dict[str, str]:
    """Write a BED file for each track; return their paths by name."""
    found: dict[str, list[str]] = {}
    for name, contig, start, end in places:
        found.setdefault(name, []).append(f"{contig}\t{start}\t{end}\n")
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, lines in found.items():
        path = folder / f"{name.replace('/', '_').replace(' ', '_')}.bed"
        path.write_text("".join(lines), encoding="utf-8")
        files[name] = str(path)
    return files


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--derived", type=Path, default=Path("runs/derived"))
    folder = parser.parse_args().derived / "tracks"
    superfamilies = list(dict.fromkeys(SUPERFAMILIES.values()))
    for species, places in {
        "arabidopsis": [*arabidopsis_states(), *arabidopsis_transposons(superfamilies)],
        "brazil_nut": [*brazil_nut_transposons()],
    }.items():
        for name, path in write_tracks(places, folder / species).items():
            print(f"{species}: {name}: {path}")


if __name__ == "__main__":
    main()
