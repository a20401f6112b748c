"""Region probabilities of a genome, window by window: one reading that serves every variant of a window."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import PAD, N
from budwood.inference.threads import OrderedThreads
from budwood.model.checkpoint import Checkpoint
from budwood.model.encoder import EncoderOutput

#: Bases of a window, and from the first of one window to the first of the next: windows overlap, because the
#: encoder knows less about the outermost bases of what it reads. Twice as long as those of embeddings: on
#: genes of rice they rank splice sites and stops a little better and cost the same for each base.
LONG: Final = 1024
OVERLAP: Final = 64
_BASES_AT_ONCE: Final = 8192
# Windows of some 100 kB each, or of 1 MB with their vectors.
_KEPT: Final = 512
_KEPT_WITH_VECTORS: Final = 64

#: A window of a contig: its name and the number of the window along it.
Key = tuple[str, int]


@dataclass(frozen=True, eq=False)
class WindowReading:
    """What the encoder reads in one window of the reference.

    Attributes
    ----------
    start
        Position of the first base on the contig, 0-based.
    codes
        (window,) bases, padded on the right where the contig is shorter.
    regions
        (window, 17) float32 probabilities of the classes of
        :class:`~budwood.genomics.annotation.base_class.BaseClass`.
    vectors
        (window, embedding_size) float32 vectors of single bases, None where they are not kept.
    """

    start: int
    codes: NDArray[np.uint8]
    regions: NDArray[np.float32]
    vectors: NDArray[np.float32] | None = None


class ReferencePass:
    """Reads windows of a genome once and keeps the latest.

    Parameters
    ----------
    assembly
        The genome.
    checkpoint
        The encoder.
    window
        Bases of a window.
    batch_size
        Windows that are read at once; as many as have 8,192 bases where None.
    half_precision
        Whether to multiply in bfloat16.
    keep_vectors
        Whether readings keep the vectors of bases, as alternative alleles need them.

    Examples
    --------
    >>> from budwood.genomics.assembly import InMemoryAssembly
    >>> from budwood.model.checkpoint import load_checkpoint
    >>> genome = InMemoryAssembly({"Chr1": "ACGT" * 300})
    >>> reader = ReferencePass(genome, load_checkpoint(device="cpu"))
    >>> reader.windows("Chr1"), reader.window_of("Chr1", 700)
    (2, 0)
    >>> (reading,) = reader.read([("Chr1", 1)])
    >>> reading.start, reading.regions.shape
    (176, (1024, 17))
    """

    def __init__(
        self,
        assembly: Assembly,
        checkpoint: Checkpoint,
        *,
        window: int = LONG,
        batch_size: int | None = None,
        half_precision: bool = False,
        keep_vectors: bool = False,
    ) -> None:
        self.assembly = assembly
        self.checkpoint = checkpoint
        self.window = window
        self.batch_size = batch_size or max(1, _BASES_AT_ONCE // window)
        self.half_precision = half_precision
        self.keep_vectors = keep_vectors
        self._kept: OrderedDict[Key, WindowReading] = OrderedDict()

    def windows(self, contig: str) -> int:
        """Number of windows of a contig.

        Parameters
        ----------
        contig
            Its name.

        Returns
        -------
        int
            At least 1.
        """
        beyond = self.assembly.contigs[contig] - self.window
        return 1 + max(0, -(-beyond // self._step))

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Number of windows of every contig, in the order of the assembly."""
        lengths = np.array(list(self.assembly.contigs.values()), dtype=np.int64)
        return 1 + np.maximum(0, -(-(lengths - self.window) // self._step))

    def window_of(self, contig: str, position: int) -> int:
        """Number of the window in which a base lies farthest from the ends.

        Parameters
        ----------
        contig, position
            A base of the genome, 0-based.

        Returns
        -------
        int
            Number of the window along the contig.
        """
        return int(self.numbers(np.array([position]), np.array([self.windows(contig)]))[0])

    def numbers(self, positions: NDArray[np.int64], windows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the windows in which bases lie farthest from the ends.

        Parameters
        ----------
        positions
            (n,) positions, 0-based.
        windows
            (n,) or (1,) number of windows of the contig of each.

        Returns
        -------
        ndarray
            (n,) numbers of windows along the contigs.
        """
        return np.clip((positions - OVERLAP // 2) // self._step, 0, windows - 1)

    @property
    def _step(self) -> int:
        return self.window - OVERLAP

    def fresh(self) -> ReferencePass:
        """The same reader without the windows that this one keeps, for another thread.

        Windows are read in batches of those not kept, and in float32 the last digits of a reading depend on
        the batch: work divided among fresh readers gives the same numbers however many threads there are.

        Returns
        -------
        ReferencePass
            With the same genome and encoder.
        """
        return ReferencePass(
            self.assembly,
            self.checkpoint,
            window=self.window,
            batch_size=self.batch_size,
            half_precision=self.half_precision,
            keep_vectors=self.keep_vectors,
        )

    def read(
        self,
        keys: Sequence[Key],
        advance: Callable[[int], None] | None = None,
        threads: OrderedThreads | None = None,
    ) -> list[WindowReading]:
        """Read windows, in batches; those kept are not read again.

        Parameters
        ----------
        keys
            Contigs and numbers of windows, each once.
        advance
            Called with the number of windows just read.
        threads
            Read batches; the caller's own where None.

        Returns
        -------
        list of WindowReading
            One for each key.
        """
        found = {key: self._kept[key] for key in keys if key in self._kept}
        missing = [key for key in keys if key not in found]
        size = self.batch_size
        parts = [missing[begin : begin + size] for begin in range(0, len(missing), size)]
        for part, readings in zip(parts, (threads or OrderedThreads()).map(self._encode, parts), strict=True):
            found.update(zip(part, readings, strict=True))
            if advance is not None:
                advance(len(part))
        for key in keys:
            self._kept[key] = found[key]
            self._kept.move_to_end(key)
        while len(self._kept) > (_KEPT_WITH_VECTORS if self.keep_vectors else _KEPT):
            self._kept.popitem(last=False)
        return [found[key] for key in keys]

    def stretch(self, contig: str, start: int, end: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Bases and region probabilities of a stretch, each base from the window that sees it best.

        Parameters
        ----------
        contig, start, end
            0-based half-open interval, which may reach beyond the contig.

        Returns
        -------
        tuple
            (length,) codes, N beyond the contig, and (length, 17) probabilities, 0 there.
        """
        length = self.assembly.contigs[contig]
        codes = np.full(end - start, N, dtype=np.uint8)
        regions = np.zeros((end - start, self.checkpoint.encoder.config.regions), dtype=np.float32)
        inside = np.arange(max(start, 0), min(end, length))
        numbers = self.numbers(inside, np.array([self.windows(contig)]))
        needed = np.unique(numbers).tolist()
        for number, reading in zip(needed, self.read([(contig, each) for each in needed]), strict=True):
            here = inside[numbers == number]
            codes[here - start] = reading.codes[here - reading.start]
            regions[here - start] = reading.regions[here - reading.start]
        return codes, regions

    def encode(self, codes: NDArray[np.uint8]) -> EncoderOutput:
        """Both strands of windows, joined.

        Parameters
        ----------
        codes
            (windows, length) bases.

        Returns
        -------
        EncoderOutput
            As :meth:`budwood.model.encoder.BudwoodEncoder.forward` gives it.

        Raises
        ------
        BudwoodError
            If the encoder gives numbers that are not finite.
        """
        with self._modes():
            output = self.checkpoint.encoder.read(self._tokens(codes))
        assert output.regions is not None
        self._check(output.regions)
        return output

    def region_logits(self, codes: NDArray[np.uint8]) -> torch.Tensor:
        """Logits of the regions alone, both strands joined, which takes less time than all of :meth:`encode`.

        Parameters
        ----------
        codes
            (windows, length) bases.

        Returns
        -------
        Tensor
            (windows, length, 17) logits.

        Raises
        ------
        BudwoodError
            If the encoder gives numbers that are not finite.
        """
        with self._modes():
            logits = self.checkpoint.encoder.read_regions(self._tokens(codes))
        self._check(logits)
        return logits

    def _tokens(self, codes: NDArray[np.uint8]) -> torch.Tensor:
        return torch.from_numpy(codes.astype(np.int64)).to(self.checkpoint.device)

    def _modes(self) -> ExitStack:
        modes = ExitStack()
        modes.enter_context(torch.inference_mode())
        if self.half_precision:
            modes.enter_context(torch.autocast(self.checkpoint.device.type, torch.bfloat16))
        return modes

    def _check(self, logits: torch.Tensor) -> None:
        if not bool(torch.isfinite(logits).all()):
            raise BudwoodError(
                "the model gives numbers that are not finite",
                where=self.checkpoint.name,
                mend="copy its weights again from their source",
            )

    def codes_of(self, keys: Sequence[Key]) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
        """Starts and bases of windows.

        Parameters
        ----------
        keys
            Contigs and numbers of windows.

        Returns
        -------
        tuple
            (windows,) starts and (windows, window) codes, padded on the right.
        """
        codes = np.full((len(keys), self.window), PAD, dtype=np.uint8)
        starts = np.empty(len(keys), dtype=np.intp)
        for row, (contig, number) in enumerate(keys):
            length = self.assembly.contigs[contig]
            starts[row] = start = max(0, min(number * self._step, length - self.window))
            end = min(start + self.window, length)
            codes[row, : end - start] = self.assembly.sequence(Interval(contig, start, end))
        return starts, codes

    def _encode(self, keys: Sequence[Key]) -> list[WindowReading]:
        starts, codes = self.codes_of(keys)
        if not self.keep_vectors:
            regions = _probabilities(self.region_logits(codes))
            return [
                WindowReading(int(start), *row) for start, *row in zip(starts, codes, regions, strict=True)
            ]
        output = self.encode(codes)
        assert output.regions is not None
        assert output.last_hidden_state is not None
        regions = _probabilities(output.regions)
        vectors = output.last_hidden_state.float().cpu().numpy()
        return [
            WindowReading(int(start), *row)
            for start, *row in zip(starts, codes, regions, vectors, strict=True)
        ]

    def bases(self, contig: str, start: int) -> NDArray[np.uint8]:
        """Bases of a contig from a position on.

        Parameters
        ----------
        contig, start
            Where they begin, 0-based.

        Returns
        -------
        ndarray
            Codes of a window's bases, or of fewer where the contig ends.
        """
        end = min(start + self.window, self.assembly.contigs[contig])
        return self.assembly.sequence(Interval(contig, start, end))


def _probabilities(logits: torch.Tensor) -> NDArray[np.float32]:
    found: NDArray[np.float32] = logits.float().softmax(-1).cpu().numpy()
    return found
