"""Predicted tracks join a panel: weights of its markers where the user has measured none."""

from __future__ import annotations

from dataclasses import replace

from budwood.panel.files import PanelFiles, read_marker_weights
from budwood.panel.panel import Panel
from budwood.workflows.setup.cost import Announce, announce_tracks, silent
from budwood.workflows.setup.encoder import EncoderOptions


def add_predicted_tracks(
    panel: Panel, files: PanelFiles, encoder: EncoderOptions, *, announce: Announce = silent
) -> Panel:
    """The panel with weights by predicted tracks; as it was where the files ask for none.

    Parameters
    ----------
    panel
        What was read from the files.
    files
        Names of the tracks, and the reference genome.
    encoder
        Which checkpoint, and where it runs. Adapters are left out: the head was not trained with them.
    announce
        Receives what the prediction will take.

    Returns
    -------
    Panel
        With a function-weighted relationship.

    Raises
    ------
    BudwoodError
        If the checkpoint predicts no tracks or none of a name, no marker lies on the genome, or a track
        weighs all markers alike.
    """
    names = files.predicted_tracks
    if not names:
        return panel
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.inference.tracks import count_tiles
    from budwood.panel.predicted_tracks import places_around, predicted_tracks
    from budwood.progress import progress

    assert files.reference is not None, "checked with the files"
    checkpoint = encoder.open_tracks()
    checkpoint.head.rows(names)
    assembly = open_fasta(files.reference)
    places = places_around(panel.genotypes.markers, assembly.contigs, aliases=files.aliases)
    tiles = count_tiles(assembly.contigs, places)
    announce_tracks(tiles, checkpoint, announce)
    with progress("predicting tracks", total=tiles) as advance:
        tracks = predicted_tracks(
            assembly, checkpoint, names, places, batch_size=encoder.batch_size, advance=advance
        )
    return replace(panel, weights=read_marker_weights(files, panel.genotypes, tracks))
