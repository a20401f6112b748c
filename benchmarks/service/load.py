"""Load on one machine: clients of mixed sizes for some minutes, every answer compared with the library's own.

Starts the service twice on this machine, with batches that requests share and with a batch for each
window, and writes requests per second and quantiles of the seconds until the answer. Sequences are new for
every request, so that the cache answers none. Lost and wrong answers are counted; there should be none. One
client in eight sends 64 sequences at once, the others 1 to 4. The tiny encoder (--tiny) shows what the
service itself costs. Memory is sampled every five seconds: its growth over the whole part and over the last
two thirds are written, because libraries and first batches belong to the first third. With --out each part is
added to a file, so that ten minutes can be run in parts (--only shared, --only alone).

    OMP_NUM_THREADS=1 python benchmarks/service/load.py --clients 64 --seconds 600
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx
import numpy as np
import psutil
import uvicorn

from benchmarks.common.arguments import parser_for
from budwood.inference.embed import embed_sequences
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.service.app import create_app
from budwood.service.settings import ServiceSettings
from budwood.workflows.setup.encoder import EncoderOptions

LETTERS = np.array(list("ACGT"))
#: Difference allowed between the service and the library, of the vectors' scale: batches change rounding.
ROUNDING = 1e-5


@dataclass
class Tally:
    """What the clients saw."""

    seconds: list[float] = field(default_factory=list)
    windows: int = 0
    lost: int = 0
    answers: list[tuple[list[str], np.ndarray]] = field(default_factory=list)


def client(url: str, number: int, until: float, tally: Tally, lock: threading.Lock) -> None:
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
                answer = http.post("/v1/embeddings", json=body)
                rows = answer.json()["rows"]
            except (httpx.HTTPError, KeyError, ValueError):
                with lock:
                    tally.lost += 1
                continue
            taken = time.perf_counter() - began
            vectors = np.array([row["vector"] for row in rows], dtype=np.float32)
            with lock:
                tally.seconds.append(taken)
                tally.windows += count
                if len(tally.answers) < 2000:
                    tally.answers.append((sequences, vectors))


def measure(settings: ServiceSettings, clients: int, seconds: float) -> dict[str, float | int | str]:
    """Serve, load, compare, and stop."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings), port=0, log_level="error", access_log=False, ws="none")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    httpx.post(f"{url}/v1/embeddings", json={"sequences": [{"name": "a", "sequence": "ACGT"}]}, timeout=300)
    tally, lock, process = Tally(), threading.Lock(), psutil.Process()
    began, memory = time.monotonic(), process.memory_info().rss
    until = began + seconds
    threads = [
        threading.Thread(target=client, args=(url, number, until, tally, lock)) for number in range(clients)
    ]
    for each in threads:
        each.start()
    sizes = [memory]
    while time.monotonic() < until:
        time.sleep(5)
        sizes.append(process.memory_info().rss)
    for each in threads:
        each.join()
    elapsed = time.monotonic() - began
    grown, later = sizes[-1] - memory, sizes[-1] - sizes[len(sizes) // 3]
    server.should_exit = True
    thread.join()
    encoder, wrong = settings.encoder.open(), 0
    for sequences, vectors in tally.answers:
        own = embed_sequences(sequences, encoder, cache=False, show=False)
        wrong += bool(np.abs(own - vectors).max() > ROUNDING * np.abs(own).max())
    p50, p95, p99 = np.quantile(tally.seconds, [0.5, 0.95, 0.99]).tolist()
    return {
        "clients": clients,
        "requests": len(tally.seconds),
        "lost": tally.lost,
        "compared": len(tally.answers),
        "wrong": wrong,
        "requests_per_second": round(len(tally.seconds) / elapsed, 2),
        "windows_per_second": round(tally.windows / elapsed, 2),
        "p50": round(p50, 3),
        "p95": round(p95, 3),
        "p99": round(p99, 3),
        "seconds": round(elapsed, 1),
        "memory_growth_mb": round(grown / 1e6, 1),
        "memory_growth_last_two_thirds_mb": round(later / 1e6, 1),
    }


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--tiny", action="store_true", help="a small untrained encoder")
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
            line = json.dumps({"batches": name, **measure(each, arguments.clients, arguments.seconds)})
            print(line, flush=True)
            if arguments.out:
                with arguments.out.open("a") as handle:
                    handle.write(line + "\n")


if __name__ == "__main__":
    main()
