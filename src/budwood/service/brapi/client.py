"""A client of BrAPI v2.1 servers: pages that end, searches that are waited for, no value sent as null."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import httpx

from budwood.errors import BudwoodError, shown

_ON_A_PAGE: Final = 1000
_SECONDS: Final = 60.0
#: Attempts of a request that the server is too busy for, and the longest wait before the next one.
_ATTEMPTS: Final = 4
_LONGEST_WAIT: Final = 30.0

Record = dict[str, Any]


class BrapiClient:
    """Reads and writes the records of one server.

    Parameters
    ----------
    url
        Address under which ``/brapi/v2`` stands, or that itself.
    token
        Sent as ``Authorization: Bearer``; none where empty.
    most_records
        Records of one kind that are read at most: a server whose pages never end is refused.
    transport
        Of httpx; the network where None.
    sleep
        Waits between attempts.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        most_records: int = 5_000_000,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        base = url.rstrip("/")
        self.url = base if base.endswith("/brapi/v2") else f"{base}/brapi/v2"
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._http = httpx.Client(
            headers=headers, timeout=_SECONDS, transport=transport, follow_redirects=True
        )
        self._most = most_records
        self._sleep = sleep

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def server_info(self) -> list[str]:
        """The calls that the server answers.

        Returns
        -------
        list of str
            Such as ``"GET germplasm"``, sorted; empty where it does not say.

        Raises
        ------
        BudwoodError
            If the server does not answer as the specification has it.
        """
        result = _result(self._request("GET", "serverinfo"))
        with odd_answers_refused(self):
            calls = result.get("calls") or []
            return sorted(
                f"{method} {call.get('service', '')}"
                for call in calls
                for method in call.get("methods") or ()
            )

    def records(self, path: str, **parameters: Any) -> Iterator[Record]:
        """Every record of a call, page by page.

        Reading ends with the last page that the server names, with a page that is empty or that was read
        before, and after the most records that are allowed.

        Parameters
        ----------
        path
            Such as ``"germplasm"``.
        **parameters
            Filters; those that are None are left out.

        Yields
        ------
        dict
            Each record once.

        Raises
        ------
        BudwoodError
            If the server refuses, answers with something else, or its pages do not end.
        """
        yield from self._pages("GET", path, parameters)

    def search(self, path: str, wanted: Mapping[str, Any]) -> Iterator[Record]:
        """Every record that a search finds, at once or after it was waited for.

        Parameters
        ----------
        path
            Of the search, such as ``"germplasm"`` for ``/search/germplasm``.
        wanted
            Body of the search; values that are None are left out.

        Yields
        ------
        dict
            Each record once.

        Raises
        ------
        BudwoodError
            If the server refuses or does not finish.
        """
        yield from self._pages("POST", f"search/{path}", without_nulls(wanted))

    def create(self, path: str, records: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Add records.

        Parameters
        ----------
        path
            Such as ``"observations"``.
        records
            Without ids; values that are None are left out.

        Returns
        -------
        list of dict
            As the server has them now.
        """
        sent = [without_nulls(record) for record in records]
        return list(_result(self._request("POST", path, json=sent)).get("data") or [])

    def change(self, path: str, records: Mapping[str, Mapping[str, Any]]) -> list[Record]:
        """Change records; a value that is None is not sent, since null would delete it.

        Parameters
        ----------
        path
            Such as ``"observations"``.
        records
            By id.

        Returns
        -------
        list of dict
            As the server has them now.
        """
        sent = {id: without_nulls(record) for id, record in records.items()}
        return list(_result(self._request("PUT", path, json=sent)).get("data") or [])

    def replace(self, path: str, record: Mapping[str, Any]) -> Record:
        """Write one record in the place of another.

        Parameters
        ----------
        path
            Such as ``"lists/7"``.
        record
            The whole record; values that are None are left out.

        Returns
        -------
        dict
            As the server has it now.
        """
        return _result(self._request("PUT", path, json=without_nulls(record)))

    def allele_matrix(self, variant_set: str) -> Iterator[Record]:
        """The blocks of a variant set's matrix of calls, by both of its pagings.

        Parameters
        ----------
        variant_set
            Id of the set.

        Yields
        ------
        dict
            Results of ``GET allelematrix``: each block of variants and call sets once.

        Raises
        ------
        BudwoodError
            If the server's pages do not end.
        """
        variants, pages = 0, 1
        seen: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
        while variants < pages:
            callsets, across = 0, 1
            while callsets < across:
                block = self._matrix_block(variant_set, variants, callsets)
                key = (tuple(block.get("variantDbIds") or ()), tuple(block.get("callSetDbIds") or ()))
                if not key[0] or not key[1] or key in seen:
                    break
                seen.add(key)
                if len(seen) > self._most:
                    raise self._endless("allelematrix")
                yield block
                found = {each.get("dimension"): each for each in block.get("pagination") or ()}
                across = int((found.get("CALLSETS") or {}).get("totalPages") or 1)
                pages = int((found.get("VARIANTS") or {}).get("totalPages") or 1)
                callsets += 1
            if callsets == 0:
                return
            variants += 1

    def _matrix_block(self, variant_set: str, variants: int, callsets: int) -> Record:
        parameters = {
            "variantSetDbId": variant_set,
            "dimensionVariantPage": variants,
            "dimensionVariantPageSize": _ON_A_PAGE,
            "dimensionCallSetPage": callsets,
            "dimensionCallSetPageSize": _ON_A_PAGE,
            "dataMatrixAbbreviations": "GT",
            "expandHomozygotes": "true",
            "preview": "false",
        }
        return _result(self._request("GET", "allelematrix", params=parameters))

    def _pages(self, method: str, path: str, wanted: Mapping[str, Any]) -> Iterator[Record]:
        page, read = 0, 0
        token: str | None = None
        seen: set[str] = set()
        while True:
            answer = self._page(method, path, wanted, page, token)
            data = _result(answer).get("data") or []
            # A server that does not know pages gives the same one again.
            mark = repr(data)
            if not data or mark in seen:
                return
            seen.add(mark)
            for record in data:
                read += 1
                if read > self._most:
                    raise self._endless(path)
                yield record
            pagination = (answer.get("metadata") or {}).get("pagination") or {}
            token = pagination.get("nextPageToken")
            page += 1
            if token is None and page >= int(pagination.get("totalPages") or 1):
                return

    def _page(
        self, method: str, path: str, wanted: Mapping[str, Any], page: int, token: str | None
    ) -> Record:
        place: dict[str, Any] = {"pageSize": _ON_A_PAGE}
        place |= {"page": page} if token is None else {"pageToken": token}
        if method == "GET":
            return self._request("GET", path, params=without_nulls(wanted) | place)
        answer = self._request("POST", path, json=dict(wanted) | place)
        waiting = _result(answer).get("searchResultsDbId")
        return answer if not waiting else self._request("GET", f"{path}/{waiting}", params=place, wait=True)

    def _request(self, method: str, path: str, *, wait: bool = False, **sent: Any) -> Record:
        """An answer as JSON; waits for searches, and for servers that are busy."""
        where, pause, waited = f"{self.url}/{path}", 0.5, 0.0
        attempt = 0
        while True:
            try:
                answer = self._http.request(method, where, **sent)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise BudwoodError(
                    f"the BrAPI server cannot be reached: {error}", where=where, mend="check the address"
                ) from error
            busy = answer.status_code in (429, 503)
            if not (busy or (wait and answer.status_code == 202)):
                break
            attempt += busy
            if attempt >= _ATTEMPTS or waited > 20 * _LONGEST_WAIT:
                break
            asked = answer.headers.get("retry-after", "")
            pause = min(_LONGEST_WAIT, float(asked) if asked.isdecimal() else pause * 2)
            waited += pause
            self._sleep(pause)
        if answer.status_code >= 400 or (wait and answer.status_code == 202):
            raise BudwoodError(
                f"the BrAPI server answers with status {answer.status_code}",
                where=f"{method} {where}",
                mend="check the token, the ids and whether the server has this call",
            )
        try:
            found = answer.json()
        except (ValueError, RecursionError) as error:
            raise BudwoodError(
                "the BrAPI server does not answer with JSON", where=where, mend="check the address"
            ) from error
        if not isinstance(found, dict):
            raise BudwoodError(
                "the BrAPI server does not answer with an object", where=where, mend="check the address"
            )
        return found

    def _endless(self, path: str) -> BudwoodError:
        return BudwoodError(
            f"the BrAPI server gives over {self._most:,} records and does not end",
            where=f"{self.url}/{path}",
            mend="name a study or set, or report it to who runs the server",
        )


@contextmanager
def odd_answers_refused(client: BrapiClient) -> Iterator[None]:
    """Turn what an answer that is not as the specification has it leads to into one sentence.

    Parameters
    ----------
    client
        Whose answers are read.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    BudwoodError
        As the body does, and where a record lacks a field or a value has another type.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        lacking = f"it lacks {error}" if isinstance(error, KeyError) else shown(str(error))
        raise BudwoodError(
            f"an answer of the server is not as BrAPI 2.1 has it: {lacking}",
            where=client.url,
            mend="report it to who runs the server",
        ) from error


def without_nulls(record: Mapping[str, Any]) -> Record:
    """A record without the values that are None, inside too.

    Parameters
    ----------
    record
        To be sent.

    Returns
    -------
    dict
        A value of null would delete what the server has.

    Examples
    --------
    >>> without_nulls({"value": "3.2", "season": None, "additionalInfo": {"a": None, "b": 1}})
    {'value': '3.2', 'additionalInfo': {'b': 1}}
    """
    return {
        key: without_nulls(value) if isinstance(value, Mapping) else value
        for key, value in record.items()
        if value is not None
    }


def _result(answer: Mapping[str, Any]) -> Record:
    result = answer.get("result")
    return dict(result) if isinstance(result, Mapping) else {}
