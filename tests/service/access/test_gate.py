"""Who may come in: addresses, keys, scopes, rates, sizes; and what every refusal looks like."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from budwood.errors import BudwoodError
from budwood.service.access.keys import KeyRing
from budwood.service.settings import ServiceSettings

SEQUENCES = {"sequences": [{"name": "a", "sequence": "ACGT"}]}


@pytest.fixture
def ring(settings: ServiceSettings) -> KeyRing:
    return KeyRing(settings.folder / "keys.sqlite")


@pytest.fixture
def closed(serve: Callable[..., TestClient], settings: ServiceSettings) -> TestClient:
    """A service that listens on an address of the network."""
    return serve(settings, host="192.0.2.7")


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def error_of(answer: Any, status: int) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error: dict[str, str] = answer.json()["error"]
    assert set(error) == {"what", "where", "mend"}
    assert error["what"]
    assert error["mend"]
    return error


def test_on_loopback_no_key_is_needed(client: TestClient) -> None:
    assert client.post("/v1/embeddings", json=SEQUENCES).status_code == 200
    assert client.get("/v1/health").json()["status"] == "ok"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "breeder.example.org"])
def test_on_any_other_address_a_key_is_needed(
    serve: Callable[..., TestClient], settings: ServiceSettings, host: str
) -> None:
    client = serve(settings, host=host)
    answer = client.post("/v1/embeddings", json=SEQUENCES)
    error_of(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert client.get("/v1/health").status_code == 200


def test_a_key_opens_its_scopes_alone(closed: TestClient, ring: KeyRing) -> None:
    key = bearer(ring.add("embedder", ["embed"]))
    assert closed.post("/v1/embeddings", json=SEQUENCES, headers=key).status_code == 200
    for method, path in (
        ("GET", "/v1/models"),
        ("POST", "/v1/models/x/predictions"),
        ("GET", "/v1/jobs"),
        ("GET", "/metrics"),
        ("GET", "/brapi/v2/serverinfo"),
    ):
        assert "scope" in error_of(closed.request(method, path, headers=key), 403)["what"]


@pytest.mark.parametrize(
    "headers",
    [
        bearer("bw_wrong"),
        bearer(""),
        {"Authorization": "Basic YTpi"},
        {"Authorization": "bw_wrong"},
        {"X-API-Key": "wrong"},
        {"Authorization": "Bearer \N{LATIN SMALL LETTER E WITH ACUTE}".encode("latin-1").decode("latin-1")},
    ],
)
def test_wrong_keys_are_refused_everywhere(
    closed: TestClient, client: TestClient, headers: dict[str, str]
) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    error_of(closed.get("/v1/models", headers=encoded), 401)
    error_of(client.get("/v1/models", headers=encoded), 401)


def test_a_revoked_key_opens_nothing(closed: TestClient, ring: KeyRing) -> None:
    key = bearer(ring.add("once", ["predict"]))
    assert closed.get("/v1/models", headers=key).status_code == 200
    ring.revoke("once")
    error_of(closed.get("/v1/models", headers=key), 401)


def test_many_requests_have_to_wait(
    serve: Callable[..., TestClient], settings: ServiceSettings, ring: KeyRing
) -> None:
    client = serve(settings, host="192.0.2.7")
    hasty, calm = (
        bearer(ring.add("hasty", ["predict"], rate="3/minute")),
        bearer(ring.add("calm", ["predict"])),
    )
    assert [client.get("/v1/models", headers=hasty).status_code for _ in range(5)] == [200] * 3 + [429] * 2
    answer = client.get("/v1/models", headers=hasty)
    error_of(answer, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert client.get("/v1/models", headers=calm).status_code == 200
    # A page that could not be shown comes by itself; a form is not sent again.
    refused = client.get("/models", headers=hasty)
    assert refused.status_code == 429
    assert f'http-equiv="refresh" content="{refused.headers["retry-after"]}"' in refused.text
    assert "refresh" not in client.post("/models/x/apply", headers=hasty).text


def test_guessing_keys_has_to_wait(serve: Callable[..., TestClient], settings: ServiceSettings) -> None:
    client = serve(settings, host="192.0.2.7", rate="5/minute")
    statuses = [client.get("/v1/models", headers=bearer(f"bw_{k}")).status_code for k in range(8)]
    assert statuses == [401] * 5 + [429] * 3


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/v1/health", 405),
        ("GET", "/v1/embeddings", 405),
        ("POST", "/v1/embeddings", 422),
    ],
)
def test_every_error_has_one_shape(client: TestClient, method: str, path: str, status: int) -> None:
    error_of(client.request(method, path), status)


def test_json_that_is_none_is_refused(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    for text in (b"{", b"\xff", b'{"sequences": ' + b"[" * 20_000, b"NaN", b""):
        answer = client.post("/v1/embeddings", content=text, headers=headers)
        error_of(answer, 400 if answer.status_code == 400 else 422)
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post("/v1/models/x/predictions", content=b"--y\r\n\r\n", headers=broken)
    error_of(answer, 400 if answer.status_code == 400 else 422)


def test_a_large_body_is_refused_while_it_arrives(
    serve: Callable[..., TestClient], settings: ServiceSettings
) -> None:
    client = serve(settings, largest_json=10_000, largest_upload=100_000)
    read = 0

    def chunks(size: int) -> Iterator[bytes]:
        nonlocal read
        for _ in range(size // 1000):
            read += 1000
            yield b"x" * 1000

    headers = {"Content-Type": "application/json"}
    error_of(client.post("/v1/embeddings", content=b"x" * 10_001, headers=headers), 413)
    error_of(client.post("/v1/embeddings", content=chunks(5_000_000), headers=headers), 413)
    for length in ("99999999", "9" * 5000, "0" * 5000 + "99999"):
        error_of(
            client.post("/v1/embeddings", content=b"1", headers=headers | {"Content-Length": length}), 413
        )
    big = {"genotypes": ("big.vcf", b"x" * 200_000)}
    error_of(client.post("/v1/models/x/predictions", files=big), 413)


def test_pages_of_other_sites_are_refused(client: TestClient) -> None:
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        error_of(client.post("/v1/embeddings", json=SEQUENCES, headers=headers), 403)
    own = {"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/v1/embeddings", json=SEQUENCES, headers=own).status_code == 200
    # A name that a foreign site points at this machine.
    error_of(client.get("/v1/models", headers={"Host": "evil.example"}), 421)


def test_the_log_holds_no_sequence(client: TestClient, settings: ServiceSettings) -> None:
    unusual = "ACGTTGCATTTGCAACG" * 3
    client.post("/v1/embeddings?format=json", json={"sequences": [{"name": "secret", "sequence": unusual}]})
    client.get("/v1/models?trait=secret")
    text = (settings.folder / "requests.jsonl").read_text()
    assert unusual not in text
    assert "secret" not in text
    first = json.loads(text.splitlines()[0])
    assert (first["path"], first["status"], first["caller"]) == ("/v1/embeddings", 200, "local")
    assert first["received"] > len(unusual)


def test_figures_count_requests(client: TestClient) -> None:
    client.get("/v1/health")
    client.get("/v1/unknown-1")
    figures = client.get("/metrics").text
    assert 'budwood_requests_total{method="GET",route="/v1/health",status="200"} 1.0' in figures
    assert "unknown-1" not in figures


@pytest.mark.parametrize(
    "rate",
    ["often", "0/minute", "-5/minute", "9" * 20 + "/minute", "5 per 99999999999 years"],
)
def test_limits_that_are_none(ring: KeyRing, rate: str) -> None:
    with pytest.raises(BudwoodError, match="is no limit"):
        ring.add("x", ["embed"], rate=rate)
    assert ring.listed() == []


def test_a_key_is_kept_as_a_digest_alone(ring: KeyRing, settings: ServiceSettings) -> None:
    secret = ring.add("x", ["embed"])
    assert len(secret) >= 3 + 43
    assert secret.encode() not in (settings.folder / "keys.sqlite").read_bytes()
    assert (settings.folder / "keys.sqlite").stat().st_mode & 0o077 == 0
    assert ring.find(secret) is not None
    assert ring.find(secret[:-1]) is None


def test_sessions_end(ring: KeyRing) -> None:
    key = ring.find(ring.add("x", ["jobs"]))
    assert key is not None
    token = ring.open_session(key)
    assert ring.find_session(token) == key
    ring.close_session(token)
    assert ring.find_session(token) is None
    token = ring.open_session(key)
    ring.revoke("x")
    assert ring.find_session(token) is None
