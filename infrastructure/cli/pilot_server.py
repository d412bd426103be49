"""The seven endpoints of a server, for `resumelog pilot --server`."""

from __future__ import annotations

import json
import os
from http.client import HTTPException
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from resumelog.infrastructure.cli.options import InputError
from resumelog.infrastructure.cli.outcomes import Exit
from resumelog.infrastructure.cli.pilot_services import Facts

ENDPOINT = "/api/simulation/auto-pilot/"
TIMEOUT_S = 30.0
ANSWER_BYTES_MAX = 4 * 1024 * 1024
ABOUT_THE_RUN = (400, 403, 404)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ServerUnavailable(InputError):
    """Nobody answered, or something that is no answer."""

    exit_code = Exit.FAILED


class ServerService:
    """Runs of a server; the token comes from RESUMELOG_TOKEN."""

    def __init__(self, url: str) -> None:
        """Ask nothing yet. Raises InputError for what is no address."""
        self._url = url.rstrip("/")
        try:
            parts = urlsplit(self._url)
            host = parts.hostname if parts.scheme in ("http", "https") else None
        except ValueError:
            host = None
        if not host:
            raise InputError(f"--server {url!r} is no address; name one as http://127.0.0.1:5001")
        self._opener = _opener(host)

    def ask(self, verb: str, simulation_id: str, **wanted: object) -> None:
        """Do it. Raises InputError for what is refused, ServerUnavailable."""
        self._answer(verb, simulation_id, **wanted)

    def status(self, simulation_id: str) -> Facts:
        """Return how the run stands. Raises InputError, ServerUnavailable."""
        return self._answer("status", simulation_id)

    def _answer(self, verb: str, simulation_id: str, **wanted: object) -> Facts:
        body = {"simulation_id": simulation_id, **wanted}
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token := os.environ.get("RESUMELOG_TOKEN"):
            headers["Authorization"] = f"Bearer {token}"
        request = Request(self._url + ENDPOINT + verb, json.dumps(body).encode(), headers)  # noqa: S310 - the scheme was checked
        code, answer = self._exchanged(request)
        data = answer.get("data")
        if code != 200 or not isinstance(data, dict):
            self._refuse(code, answer, simulation_id)
        return data

    def _exchanged(self, request: Request) -> tuple[int, dict[str, Any]]:
        """Return the status and the document of an answer. Raises ServerUnavailable."""
        try:
            with self._opened(request) as response:
                return response.status, _document(response.read(ANSWER_BYTES_MAX))
        except (OSError, HTTPException, ValueError) as error:
            why = str(error.reason if isinstance(error, URLError) else error).strip()
            raise ServerUnavailable(
                f"{self._url} can't be asked ({why or type(error).__name__});"
                " start it with resumelog serve, or name another"
            ) from None

    def _opened(self, request: Request) -> Any:
        """Return the response, one that refuses too."""
        try:
            return self._opener.open(request, timeout=TIMEOUT_S)
        except HTTPError as refusal:
            return refusal

    def _refuse(self, code: int, answer: dict[str, Any], simulation_id: str) -> NoReturn:
        said = answer.get("error") or answer.get("message")
        if not isinstance(said, str) or not said:
            what = f"{self._url} answered {code}, and not as resumelog serve does"
            raise ServerUnavailable(f"{what}; name the address of one")
        advice = answer.get("recovery_suggestion")
        if code == 401:
            advice = "put the server's token into RESUMELOG_TOKEN"
        elif isinstance(advice, str) and advice in said:
            advice = None
        text = f"{said.rstrip('.')}; {advice}" if advice else said
        if code in ABOUT_THE_RUN:
            text = f"{simulation_id}: {text}"
        raise (ServerUnavailable if code >= 500 else InputError)(text)


class _NoRedirects(HTTPRedirectHandler):
    """A token goes nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _opener(host: str) -> OpenerDirector:
    """Ask a server on this machine without a proxy."""
    proxies = [ProxyHandler({})] if host in LOOPBACK else []
    return build_opener(_NoRedirects, *proxies)


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
