"""Families whose species are scored, and the genera of each among the genomes and rows of alignments."""

from __future__ import annotations

GRASS_NAMES = """
    Aristida Cymbopogon Deschampsia Eleusine Hordeum Microstegium Neurachne Panicum Paraneurachne Sorghum
    Thyridolepis Triodia Uniola
"""
#: Genera of Poaceae among the rows, Oryza apart, which is in no training.
GRASSES = frozenset(GRASS_NAMES.split())

ASTERACEAE_NAMES = """
    Anthemis Aster Bidens Cicerbita Erigeron Flaveria Helenium Inula Lactuca Leontopodium Senecio Silybum
    Solidago Tanacetum Tragopogon
"""
#: Genera by family.
FAMILIES: dict[str, frozenset[str]] = {
    "Brassicaceae": frozenset({"Arabidopsis", "Arabis", "Brassica", "Draba", "Sinapis"}),
    "Asteraceae": frozenset(ASTERACEAE_NAMES.split()),
    "Lecythidaceae": frozenset({"Bertholletia"}),
    "Poaceae": GRASSES | {"Oryza"},
}
