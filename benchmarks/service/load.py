"""Load on one machine: clients of mixed sizes for some minutes, every answer compared with the library's own.

Starts the service twice on this machine, in processes of its own, with batches that requests share and with a
batch for each window, and writes requests per second and quantiles of the seconds until the answer. Sequences
are new for every request, so that the cache answers none. Lost and wrong answers are counted; there should be
none. One client in eight sends 64 sequences at once, the others 1 to 4. The tiny encoder (--tiny) shows what
the service itself costs. With --replicas the clients are spread over that many services, one process each.
Memory of the services is sampled every five seconds: its growth over the whole part and over the last two
thirds are written, because libraries and first batches belong to the first third. With --out each part is
added to a file, so that parts can be run apart (--only shared, --only alone).

    OMP_NUM_THREADS=1 python benchmarks/service/load.py --clients 64 --seconds 600
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx
import numpy as np
import psutil

from benchmarks.common.arguments import parser_for
from budwood.inference.embed import embed_sequences
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.service.app import create_app
from budwood.service.server import server_of
from budwood.service.settings import ServiceSettings
from budwood.workflows.setup.encoder import EncoderOptions

LETTERS = np.array(list("ACGT"))
#: Difference allowed between the service and the library, of the vectors' scale: batches change rounding.
ROUNDING = 1e-5
#: Sequences that the library embeds at once for the comparison.
COMPARED_AT_ONCE = 512


@dataclass
class Tally:
    """What the clients saw; the sequences and the vectors themselves go to a file."""

    answers: IO[bytes]
    seconds: list[float] = field(default_factory=list)
    windows: int = 0
    lost: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, sequences: list[str], vectors: np.ndarray, seconds: float) -> None:
        """Count one answer and keep it."""
        with self.lock:
            self.seconds.append(seconds)
            self.windows += len(sequences)
            np.save(self.answers, np.array(sequences))
            np.save(self.answers, vectors)


def client(url: str, number: int, until: float, tally: Tally) -> None:
    """Send one request after another until the time is over."""
    generator = np.random.default_rng(number)
    large = number % 8 == 0
    with httpx.Client(base_url=url, timeout=300) as http:
        while time.monotonic() < until:
            count = 64 if large else int(generator.integers(1, 5))
            lengths = generator.integers(50, 513, count)
            sequences = ["".join(generator.choice(LETTERS, n)) for n in lengths]
            body = {"sequences": [{"name": str(k), "sequence": s} for k, s in enumerate(sequences)]}
            began = time.perf_counter()
            try:
                rows = http.post("/v1/embeddings", json=body).raise_for_status().json()["rows"]
            except (httpx.HTTPError, KeyError, ValueError) as error:
                with tally.lock:
                    tally.lost.append(f"{type(error).__name__}: {error}"[:200])
                continue
            taken = time.perf_counter() - began
            tally.add(sequences, np.array([row["vector"] for row in rows], dtype=np.float32), taken)


def serve(settings: ServiceSettings, port: Connection) -> None:
    """Serve in a process of its own until it is terminated."""
    server = server_of(create_app(settings))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port.send(server.servers[0].sockets[0].getsockname()[1])
    port.recv()
    server.should_exit = True
    thread.join()


@contextmanager
def services(settings: ServiceSettings, replicas: int) -> Iterator[list[tuple[str, psutil.Process]]]:
    """Addresses and processes of services that have answered once."""
    started = multiprocessing.get_context("spawn")
    running, found = [], []
    for number in range(replicas):
        ours, theirs = started.Pipe()
        own = replace(settings, folder=settings.folder / str(number))
        process = started.Process(target=serve, args=(own, theirs))
        process.start()
        running.append((process, ours))
        url = f"http://127.0.0.1:{ours.recv()}"
        warm = {"sequences": [{"name": "a", "sequence": "ACGT"}]}
        httpx.post(f"{url}/v1/embeddings", json=warm, timeout=300).raise_for_status()
        found.append((url, psutil.Process(process.pid)))
    try:
        yield found
    finally:
        for process, ours in running:
            ours.send(None)
            process.join()


def compare(answers: IO[bytes], encoder_options: EncoderOptions) -> tuple[int, int]:
    """Requests compared with the library's own answer, and how many of them differ from it."""
    encoder, compared, wrong = encoder_options.open(), 0, 0
    answers.seek(0)
    batch: list[tuple[list[str], np.ndarray]] = []

    def check() -> int:
        own = embed_sequences([s for names, _ in batch for s in names], encoder, cache=False, show=False)
        parts = np.split(own, np.cumsum([len(names) for names, _ in batch])[:-1])
        pairs = zip(batch, parts, strict=True)
        return sum(bool(np.abs(o - v).max() > ROUNDING * np.abs(o).max()) for (_, v), o in pairs)

    while True:
        try:
            names = np.load(answers)
        except EOFError:
            return compared, wrong + (check() if batch else 0)
        batch.append((names.tolist(), np.load(answers)))
        compared += 1
        if sum(len(names) for names, _ in batch) >= COMPARED_AT_ONCE:
            wrong += check()
            batch = []


def measure(
    settings: ServiceSettings, clients: int, seconds: float, replicas: int
) -> dict[str, float | int | dict[str, int] | list[int]]:
    """Serve, load, stop, and compare."""
    with tempfile.TemporaryFile() as answers:
        tally = Tally(answers)
        with services(settings, replicas) as running:

            def memory() -> int:
                return sum(process.memory_info().rss for _, process in running)

            began, sizes = time.monotonic(), [memory()]
            until = began + seconds
            threads = [
                threading.Thread(target=client, args=(running[number % replicas][0], number, until, tally))
                for number in range(clients)
            ]
            for each in threads:
                each.start()
            while time.monotonic() < until:
                time.sleep(5)
                sizes.append(memory())
            for each in threads:
                each.join()
            elapsed = time.monotonic() - began
            used = sum(sum(process.cpu_times()[:2]) for _, process in running)
        compared, wrong = compare(answers, settings.encoder)
    p50, p95, p99 = np.quantile(tally.seconds, [0.5, 0.95, 0.99]).tolist()
    return {
        "replicas": replicas,
        "clients": clients,
        "requests": len(tally.seconds),
        "lost": len(tally.lost),
        "reasons": dict(Counter(tally.lost).most_common(5)),
        "compared": compared,
        "wrong": wrong,
        "requests_per_second": round(len(tally.seconds) / elapsed, 2),
        "windows_per_second": round(tally.windows / elapsed, 2),
        "windows_per_processor_second": round(tally.windows / used, 2),
        "p50": round(p50, 3),
        "p95": round(p95, 3),
        "p99": round(p99, 3),
        "seconds": round(elapsed, 1),
        "memory_mb": round(sizes[-1] / 1e6, 1),
        "memory_mb_by_minute": [round(size / 1e6) for size in sizes[::12]],
        "memory_growth_mb": round((sizes[-1] - sizes[0]) / 1e6, 1),
        "memory_growth_last_two_thirds_mb": round((sizes[-1] - sizes[len(sizes) // 3]) / 1e6, 1),
    }


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--tiny", action="store_true", help="a small untrained encoder")
    parser.add_argument("--replicas", type=int, default=1, help="services that share the clients")
    parser.add_argument("--only", choices=("shared", "alone"), help="one of the two settings")
    parser.add_argument("--out", type=Path, help="file to add each part to, as a line of JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        encoder = EncoderOptions(device="cpu")
        if arguments.tiny:
            shape = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
            random_checkpoint(shape, seed=1).encoder.save_pretrained(folder / "tiny")
            encoder = EncoderOptions(checkpoint=folder / "tiny", device="cpu")
        settings = ServiceSettings(
            folder=folder / "service", encoder=encoder, rate="100000000/minute", parallel_jobs=0
        )
        for name, each in (("shared", settings), ("alone", replace(settings, batch_windows=1, batch_wait=0))):
            if arguments.only not in (None, name):
                continue
            line = json.dumps(
                {"batches": name, **measure(each, arguments.clients, arguments.seconds, arguments.replicas)}
            )
            print(line, flush=True)
            if arguments.out:
                with arguments.out.open("a") as handle:
                    handle.write(line + "\n")


if __name__ == "__main__":
    main()
