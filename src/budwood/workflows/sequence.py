"""Sequence joins a panel: haplotypes of its windows and their embeddings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from budwood.panel.files import PanelFiles, read_files_haplotypes
from budwood.panel.panel import HaplotypeVectors, Panel
from budwood.workflows.cost import Announce, announce_embedding, silent

if TYPE_CHECKING:
    from budwood.model.backbone import Backbone


def add_sequence(
    panel: Panel, files: PanelFiles, checkpoint: Path | None = None, *, announce: Announce = silent
) -> Panel:
    """The panel with its haplotypes and their vectors; as it was where the files name no reference.

    Parameters
    ----------
    panel
        What was read from the files.
    files
        Reference genome and the file whose variants make the windows.
    checkpoint
        Folder of the encoder; the packaged one where None.
    announce
        Receives what the embedding will take.

    Raises
    ------
    BudwoodError
        If a file cannot be read, alleles do not fit the reference, or haplotypes lack accessions.
    """
    found = read_files_haplotypes(files)
    if found is None:
        return panel
    from budwood.inference.embed import embed_haplotypes

    panel = replace(panel, haplotypes=found.table, reference_check=found.check)
    encoder = open_checkpoint(checkpoint)
    announce_embedding(found.table.n_sequences, encoder, announce)
    vectors = HaplotypeVectors(
        values=embed_haplotypes(found.table, encoder), checkpoint=encoder.name, digest=encoder.digest
    )
    return replace(panel, vectors=vectors)


def open_checkpoint(folder: Path | None) -> Backbone:
    """A checkpoint, by default the packaged one, without the loading bar of transformers."""
    from transformers.utils import logging

    from budwood.model.backbone import load_backbone

    logging.disable_progress_bar()
    return load_backbone(folder)
