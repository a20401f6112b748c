"""Jobs while the service is killed again and again: each must end exactly once, in a stated state.

Starts ``budwood serve`` on this machine, gives it jobs (choosing lines to phenotype, some with a trait that
does not exist, some cancelled), and kills the server at random moments (SIGKILL), each time starting it
anew. At the end it counts the states, compares the results with the command line, and looks for processes
that were left.

    OMP_NUM_THREADS=1 python benchmarks/service/killed_jobs.py --jobs 50 --kills 10
"""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx
import numpy as np
import psutil

from benchmarks.common.arguments import parser_for

ENDED = {"done", "refused", "failed", "cancelled"}


class Service:
    """``budwood serve`` in a process of its own."""

    def __init__(self, folder: Path, parallel: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._words = [sys.executable, "-m", "budwood", "serve", "--folder", str(folder)]
        self._words += [
            "--port",
            str(self.port),
            "--parallel-jobs",
            str(parallel),
            "--rate",
            "1000000/minute",
        ]
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self._words, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                self.http.get("/v1/health")
                return
            except httpx.HTTPError:
                time.sleep(0.2)
        raise SystemExit("the service does not start")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait()


def write_genotypes(path: Path) -> None:
    generator = np.random.default_rng(1)
    dosage = generator.binomial(2, 0.4, (60, 200))
    lines = ["accession," + ",".join(f"m{j}" for j in range(200))]
    lines += [f"line{i}," + ",".join(map(str, row)) for i, row in enumerate(dosage)]
    path.write_text("\n".join(lines) + "\n")


def submit(service: Service, genotypes: Path, number: int) -> str:
    options = {"verb": "select", "count": 3 + number % 5, "seed": number}
    files = {"genotypes": ("panel.csv", genotypes.read_bytes())}
    if number % 7 == 3:
        options["trait"] = "nothing"
        files["phenotypes"] = ("traits.csv", b"accession,height\nline1,1\nline2,2\n")
    answer = service.http.post("/v1/jobs", data={"options": json.dumps(options)}, files=files)
    answer.raise_for_status()
    return str(answer.json()["id"])


def states(service: Service) -> dict[str, str]:
    jobs = service.http.get("/v1/jobs", params={"most": 1000}).json()["jobs"]
    return {job["id"]: job["state"] for job in jobs}


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--jobs", type=int, default=50)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--patience", type=float, default=3600, help="seconds to wait for the last job")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        genotypes = folder / "panel.csv"
        write_genotypes(genotypes)
        service = Service(folder / "service", arguments.parallel)
        service.start()
        ids = [submit(service, genotypes, number) for number in range(arguments.jobs)]
        cancelled = set(chance.sample(ids, arguments.jobs // 10))
        for id in cancelled:
            service.http.post(f"/v1/jobs/{id}/cancel")
        for _ in range(arguments.kills):
            time.sleep(chance.uniform(0.5, 8))
            service.kill()
            service.start()
        until = time.monotonic() + arguments.patience
        while set(states(service).values()) - ENDED and time.monotonic() < until:
            time.sleep(1)
        found = states(service)
        starts = {id: events(folder, id, "running") for id in ids}
        ends = {id: sum(events(folder, id, state) for state in ENDED) for id in ids}
        service.kill(signal.SIGTERM)
        left = [p.pid for p in psutil.process_iter(["cmdline"]) if str(folder) in str(p.info["cmdline"])]
        print(
            json.dumps(
                {
                    "jobs": len(ids),
                    "kills": arguments.kills,
                    "states": dict(Counter(found[id] for id in ids)),
                    "without_end": sum(found[id] not in ENDED for id in ids),
                    "ended_more_than_once": sum(count > 1 for count in ends.values()),
                    "started_again": sum(count > 1 for count in starts.values()),
                    "cancelled_and_not": sum(found[id] != "cancelled" for id in cancelled),
                    "processes_left": len(left),
                }
            )
        )


def events(folder: Path, id: str, state: str) -> int:
    """How often a job came into a state."""
    lines = (folder / "service" / "jobs" / id / "events.jsonl").read_text().splitlines()
    return sum(json.loads(line).get("state") == state for line in lines)


if __name__ == "__main__":
    main()
