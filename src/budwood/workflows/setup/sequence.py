"""Sequence joins a panel: haplotypes of its windows and their embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from budwood.artifacts import read_manifest
from budwood.panel.files import PanelFiles, read_files_haplotypes
from budwood.panel.panel import HaplotypeVectors, Panel
from budwood.workflows.setup.cost import Announce, announce_embedding, silent
from budwood.workflows.setup.encoder import EncoderOptions


def add_sequence(
    panel: Panel,
    files: PanelFiles,
    encoder: EncoderOptions | None = None,
    *,
    announce: Announce = silent,
) -> Panel:
    """The panel with its haplotypes and their vectors; as it was where the files name no reference.

    Parameters
    ----------
    panel
        What was read from the files.
    files
        Reference genome and the file whose variants make the windows.
    encoder
        Which encoder, and where it runs; the packaged one where None.
    announce
        Receives what the embedding will take.

    Returns
    -------
    Panel
        A panel that embeddings can be made of.

    Raises
    ------
    BudwoodError
        If a file cannot be read, alleles do not fit the reference, or haplotypes lack accessions.
    """
    found = read_files_haplotypes(files)
    if found is None:
        return panel if encoder is None else _with_notes(panel, _unused(encoder))
    from budwood.inference.embed import embed_haplotypes

    panel = replace(panel, haplotypes=found.table, reference_check=found.check)
    encoder = encoder or EncoderOptions()
    opened = encoder.open()
    announce_embedding(found.table.n_sequences, opened, announce)
    vectors = HaplotypeVectors(
        values=embed_haplotypes(found.table, opened, batch_size=encoder.batch_size),
        checkpoint=opened.name,
        digest=opened.digest,
        device=str(opened.device),
    )
    return _with_notes(replace(panel, vectors=vectors), _learnt_from(encoder, panel))


def _with_notes(panel: Panel, notes: Sequence[str]) -> Panel:
    return replace(panel, notes=tuple(dict.fromkeys((*panel.notes, *notes))))


def _unused(encoder: EncoderOptions) -> list[str]:
    """An encoder that was chosen reads nothing without a genome, which a ranking does not show."""
    given = {"--checkpoint": encoder.checkpoint is not None, "--adapter": bool(encoder.adapter)}
    named = " and ".join(option for option, is_given in given.items() if is_given)
    return [f"{named} had no effect: without a reference genome no sequence is read."] if named else []


def _learnt_from(encoder: EncoderOptions, panel: Panel) -> list[str]:
    """A sentence for each adapter that has learnt from trait values of these accessions."""
    notes = []
    for folder in encoder.adapter:
        path = folder / "accessions.txt"
        if not path.is_file():
            continue
        learnt = set(path.read_text(encoding="utf-8").splitlines()) & set(panel.accessions)
        trait = read_manifest(folder)["parameters"]["adapter"].get("trait", "a trait")
        if learnt:
            notes.append(
                f"The adapter {folder.name} has learnt from values of {trait} of {len(learnt):,} of these "
                f"accessions: accuracies of {trait} with the sequence are too high."
            )
    return notes
