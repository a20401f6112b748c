"""What the service counts, in the format of Prometheus."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_WINDOWS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters of one service; two services in one process do not share them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("budwood_requests", "Requests answered", labels, registry=self._registry)
        self._seconds = Histogram(
            "budwood_request_seconds",
            "Seconds until the answer",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._batches = Histogram(
            "budwood_batch_windows",
            "Windows in each encoder batch",
            buckets=_WINDOWS,
            registry=self._registry,
        )
        self._shared = Counter(
            "budwood_batch_requests", "Requests that encoder batches answered", registry=self._registry
        )
        self._jobs = Counter("budwood_jobs", "Jobs that ended", ("verb", "state"), registry=self._registry)
        self._running = Gauge("budwood_jobs_running", "Jobs that run now", registry=self._registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Parameters
        ----------
        method, route, status
            What was asked for, and the status of the answer.
        seconds
            How long it took.
        """
        known = method if method in ("GET", "HEAD", "POST", "PUT", "DELETE") else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def batch(self, windows: int, requests: int) -> None:
        """Count an encoder batch.

        Parameters
        ----------
        windows, requests
            What it held, and how many requests it answered.
        """
        self._batches.observe(windows)
        self._shared.inc(requests)

    def job_started(self) -> None:
        """Count a job that begins to run."""
        self._running.inc()

    def job_ended(self, verb: str, state: str) -> None:
        """Count a job that has run.

        Parameters
        ----------
        verb, state
            What it was, and how it ended.
        """
        self._running.dec()
        self._jobs.labels(verb, state).inc()

    def text(self) -> bytes:
        """All figures, as Prometheus reads them.

        Returns
        -------
        bytes
            The text that /metrics answers.
        """
        return generate_latest(self._registry)
