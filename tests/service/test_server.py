"""The service on a real socket: slow and endless bodies, and an address that is taken."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPResponse

import pytest

from budwood.errors import BudwoodError
from budwood.service.app import create_app
from budwood.service.server import run_server, server_of
from budwood.service.settings import ServiceSettings


@contextmanager
def running(settings: ServiceSettings) -> Iterator[tuple[str, int]]:
    server = server_of(create_app(settings))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()
    finally:
        server.should_exit = True
        thread.join()


def answer(connection: socket.socket) -> tuple[int, dict[str, str]]:
    connection.settimeout(20)
    # By its length, as clients read: what was sent in vain resets the connection behind the answer.
    response = HTTPResponse(connection)
    response.begin()
    return response.status, json.loads(response.read())["error"]


HEAD = b"POST /v1/embeddings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


def test_slow_and_endless_bodies(settings: ServiceSettings) -> None:
    small = replace(settings, slow_seconds=0.3, largest_json=50_000)
    with running(small) as place:
        with socket.create_connection(place) as silent:
            silent.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
            status, error = answer(silent)
        assert status == 408
        assert error["mend"]
        with socket.create_connection(place) as endless:
            endless.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            chunk = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
            for _ in range(8):
                endless.sendall(chunk)
            status, error = answer(endless)
        assert status == 413
        assert "50,000 bytes" in error["what"]


def test_a_client_that_is_gone_leaves_nothing(settings: ServiceSettings) -> None:
    with running(settings) as place:
        with socket.create_connection(place) as gone:
            head = HEAD.replace(b"/v1/embeddings", b"/v1/jobs")
            head = head.replace(b"application/json", b"multipart/form-data; boundary=x")
            gone.sendall(head + b"Content-Length: 100000\r\n\r\n--x\r\nContent-Disposition: form-data; ")
        body = json.dumps({"sequences": [{"name": "a", "sequence": "ACGT" * 100}]}).encode()
        for _ in range(3):
            with socket.create_connection(place) as gone:
                gone.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        with socket.create_connection(place) as there:
            more = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
            there.sendall(HEAD + more + body)
            there.settimeout(60)
            received = b""
            while block := there.recv(65536):
                received += block
        assert received.startswith(b"HTTP/1.1 200")
    jobs = settings.folder / "jobs"
    assert not jobs.is_dir() or list(jobs.iterdir()) == []


def test_an_address_that_is_taken_is_refused(settings: ServiceSettings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BudwoodError, match="cannot listen there"):
            run_server(replace(settings, port=taken.getsockname()[1]))
