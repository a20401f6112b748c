"""The lesson in the service: its own policy, a way back, and any key opens it."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.testclient import TestClient

from budwood.lesson.page import render_lesson
from budwood.service.settings import ServiceSettings


def test_the_lesson_has_its_own_policy_and_a_way_back(
    serve: Callable[..., TestClient], settings: ServiceSettings
) -> None:
    client = serve(settings, lesson=render_lesson())
    found = client.get("/lesson")
    assert found.status_code == 200
    assert "What is a foundation model?" in found.text
    assert '<a href="/">Budwood</a>' in found.text
    policy = found.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "worker-src blob:" in policy
    assert "frame-ancestors 'none'" in policy
    assert '<a href="/lesson">' in client.get("/jobs").text


def test_a_service_without_a_lesson_says_so(client: TestClient) -> None:
    assert client.get("/lesson").status_code == 404
