"""Whatever the description allows or forbids, no request makes the service fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.running import RunningService


def test_every_route_describes_its_errors(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        *("/v1/health", "/v1/embeddings", "/v1/embeddings/intervals", "/v1/genomes"),
        *("/v1/models", "/v1/models/{name}", "/v1/models/{name}/predictions"),
        *("/v1/jobs", "/v1/jobs/{id}", "/v1/jobs/{id}/events", "/v1/jobs/{id}/cancel"),
        "/v1/jobs/{id}/files/{name}",
        *("/brapi/v2/serverinfo", "/brapi/v2/studies", "/brapi/v2/germplasm"),
        *("/brapi/v2/variables", "/brapi/v2/observations", "/brapi/v2/lists", "/brapi/v2/lists/{id}"),
        *("/v1/variants", "/v1/library", "/v1/library/{name}", "/v1/transfers", "/v1/transfers/map"),
    }
    for path, methods in paths.items():
        for method, described in methods.items():
            error = described["responses"]["422"]["content"]["application/json"]["schema"]["$ref"]
            assert error == "#/components/schemas/ErrorAnswer", (path, method)
            assert described["summary"]


def test_no_documentation_of_other_sites(client: TestClient) -> None:
    for path in ("/docs", "/redoc"):
        assert client.get(path).status_code == 404


@pytest.mark.slow
def test_schemathesis_finds_no_fault_of_the_server(tmp_path: Path, tiny_checkpoint: Path) -> None:
    service = RunningService(
        tmp_path / "service", "--checkpoint", str(tiny_checkpoint), "--parallel-jobs", "0"
    )
    service.start()
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json"]
    command += ["--checks", "not_a_server_error", "--max-examples", "15", "--no-color", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    service.stop()
    assert done.returncode == 0, done.stdout[-4000:]
