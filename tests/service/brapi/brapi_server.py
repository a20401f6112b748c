"""A BrAPI v2.1 server in memory, with records in the shape of the specification's examples."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class BrapiServer:
    """Answers like a server; its habits can be set to those of odd servers.

    Attributes
    ----------
    germplasm, samples, callsets, variants, observations, variables, lists
        Records.
    calls
        Text of each call, variants x call sets.
    """

    germplasm: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    callsets: list[dict[str, Any]] = field(default_factory=list)
    variants: list[dict[str, Any]] = field(default_factory=list)
    observations: list[dict[str, Any]] = field(default_factory=list)
    variables: list[dict[str, Any]] = field(default_factory=list)
    lists: list[dict[str, Any]] = field(default_factory=list)
    calls: list[list[str]] = field(default_factory=list)
    signs: dict[str, str] = field(default_factory=dict)
    page_size: int = 7
    variants_on_a_page: int = 5
    callsets_on_a_page: int = 4
    ignores_pages: bool = False
    grows: bool = False
    tokens: bool = False
    busy: int = 0
    polls: int = 2
    searches: dict[str, dict[str, Any]] = field(default_factory=dict)
    received: list[tuple[str, str, Any]] = field(default_factory=list)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/brapi/v2/")
        body = json.loads(request.content) if request.content else None
        self.received.append((request.method, path, body))
        if self.busy:
            self.busy -= 1
            return httpx.Response(503, headers={"Retry-After": "1"})
        asked = dict(request.url.params)
        if path == "serverinfo":
            calls = [{"service": "germplasm", "methods": ["GET", "POST"], "versions": ["2.1"]}]
            return httpx.Response(
                200, json={"metadata": {}, "result": {"calls": calls, "serverName": "Test"}}
            )
        if path == "allelematrix":
            return httpx.Response(200, json=self._matrix(asked))
        if path.startswith("search/"):
            return self._search(request.method, path, body)
        if request.method == "POST":
            return self._add(path, body)
        if request.method == "PUT":
            return self._change(path, body)
        if path == "variantsets":
            found = [{"variantSetDbId": "set1", "studyDbId": "s1"}]
        else:
            found = self._filtered(getattr(self, path), asked)
        return httpx.Response(200, json=self._page(found, asked))

    def _filtered(self, records: list[dict[str, Any]], asked: dict[str, str]) -> list[dict[str, Any]]:
        filters = {
            k: v for k, v in asked.items() if k not in ("page", "pageSize", "pageToken", "variantSetDbId")
        }
        return [r for r in records if all(r.get(k) in (v, None) or k not in r for k, v in filters.items())]

    def _page(self, found: list[dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
        number = int(asked.get("pageToken", asked.get("page", 0)))
        size = self.page_size
        if self.ignores_pages:
            data, pages = found, 99
        else:
            data, pages = found[number * size : (number + 1) * size], -(-len(found) // size)
        if self.grows:
            data, pages = [{"germplasmDbId": f"g{number}-{k}"} for k in range(size)], number + 2
        pagination = {"currentPage": number, "pageSize": size, "totalCount": len(found), "totalPages": pages}
        if self.tokens:
            pagination = {"pageSize": size}
            if (number + 1) * size < len(found):
                pagination["nextPageToken"] = str(number + 1)
        return {"metadata": {"pagination": pagination, "status": []}, "result": {"data": data}}

    def _search(self, method: str, path: str, body: Any) -> httpx.Response:
        if method == "POST":
            name = f"search-{len(self.searches)}"
            self.searches[name] = {"body": body, "left": self.polls, "kind": path.split("/")[1]}
            return httpx.Response(202, json={"metadata": {}, "result": {"searchResultsDbId": name}})
        search = self.searches[path.split("/")[-1]]
        if search["left"]:
            search["left"] -= 1
            return httpx.Response(202, json={"metadata": {}, "result": {}})
        return httpx.Response(200, json=self._page(getattr(self, search["kind"]), search["body"]))

    def _matrix(self, asked: dict[str, str]) -> dict[str, Any]:
        across, down = int(asked["dimensionCallSetPage"]), int(asked["dimensionVariantPage"])
        rows = slice(down * self.variants_on_a_page, (down + 1) * self.variants_on_a_page)
        columns = slice(across * self.callsets_on_a_page, (across + 1) * self.callsets_on_a_page)
        pages: Callable[[int, int], int] = lambda total, size: -(-total // size)  # noqa: E731
        pagination = [
            {
                "dimension": "VARIANTS",
                "page": down,
                "totalPages": pages(len(self.variants), self.variants_on_a_page),
            },
            {
                "dimension": "CALLSETS",
                "page": across,
                "totalPages": pages(len(self.callsets), self.callsets_on_a_page),
            },
        ]
        return {
            "metadata": {},
            "result": {
                "variantDbIds": [v["variantDbId"] for v in self.variants[rows]],
                "callSetDbIds": [c["callSetDbId"] for c in self.callsets[columns]],
                "dataMatrices": [
                    {
                        "dataMatrixAbbreviation": "GT",
                        "dataMatrix": [row[columns] for row in self.calls[rows]],
                        "dataType": "string",
                    }
                ],
                "expandHomozygotes": True,
                "pagination": pagination,
                **self.signs,
            },
        }

    def _add(self, path: str, body: list[dict[str, Any]]) -> httpx.Response:
        records, id = (
            getattr(self, path),
            {"observations": "observationDbId", "lists": "listDbId"}.get(path, "observationVariableDbId"),
        )
        made = [{**each, id: f"{path}-{len(records) + k}"} for k, each in enumerate(body)]
        records.extend(made)
        return httpx.Response(200, json={"metadata": {}, "result": {"data": made}})

    def _change(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """A null deletes, as it does on servers."""
        if path.startswith("lists/"):
            record = next(each for each in self.lists if each["listDbId"] == path.split("/")[1])
            record.update(body)
            return httpx.Response(200, json={"metadata": {}, "result": record})
        for record in getattr(self, path):
            if record["observationDbId"] in body:
                record.update(body[record["observationDbId"]])
        return httpx.Response(200, json={"metadata": {}, "result": {"data": list(body.values())}})
