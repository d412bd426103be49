"""resumelog serve: the API over HTTP, and a host's runs behind it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resumelog.infrastructure.cli.options import FILE_NAME, InputError, database

if TYPE_CHECKING:
    import socket
    from types import ModuleType

    from resumelog.application.autopilot_runs import AutoPilot
    from resumelog.application.pilot_options import PilotOptions
    from resumelog.infrastructure.pilot_host import CommandHost

    Driven = tuple[()] | tuple[CommandHost, PilotOptions]

TOKEN = "RESUMELOG_TOKEN"  # noqa: S105 - the name of the variable
HAND_BACK_S = 1.0
"""So long steps have to leave; what commands are left then is killed."""
KILLED_S = 0.5
"""And so long that takes at most."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=5001,
    show_default=True,
    help="The port to listen on; 0 takes any that is free.",
)
@click.option(
    "--pilot",
    "pilot_file",
    metavar="FILE",
    type=FILE_NAME,
    help="The pilot.toml of the host whose runs are driven here; without it runs are controlled and read.",
)
@database
def serve(host: str, port: int, pilot_file: str | None, url: str | None) -> None:
    """Serve the autopilot and the list of jobs over HTTP.

    It listens on this machine alone. With any other --host every request has to bring the token
    that RESUMELOG_TOKEN holds, as `Authorization: Bearer TOKEN` or `X-API-Key: TOKEN`; where the
    variable is set, on this machine too. SIGTERM and Ctrl+C end it within 3 seconds; runs that are
    active are handed back, and go on when it is started again.

    \b
    Examples:
      resumelog serve
      resumelog serve --pilot pilot.toml --port 8080
      RESUMELOG_TOKEN=$(openssl rand -hex 32) resumelog serve --host 0.0.0.0

    \b
    Exit codes: 0 it was asked to end; 1 the log can't be read or written; 2 wrong usage or input,
    or nothing to listen with (the port is taken, the token or the extra is missing).
    """
    import resumelog

    token, driven = _token(), _driven(pilot_file)
    listener = _listener(host, port)
    with listener:
        _require_safe(listener, host, token)
        log = resumelog.open(url)
        try:
            _serve(log.autopilot(*driven), listener, token)
        finally:
            log.close(KILLED_S)


def _serve(pilot: AutoPilot, listener: socket.socket, token: str | None) -> None:
    from resumelog.infrastructure.http import create_app, server

    hosts = None if token else {"localhost", listener.getsockname()[0]}
    app = create_app(pilot, token=token, hosts=hosts)
    _log_to_standard_error()
    pilot.keep_recovering()
    click.echo(f"resumelog serves {server.url_of(listener)}", err=True)
    server.serve(app, listener, lambda: pilot.close(HAND_BACK_S))


def _driven(pilot_file: str | None) -> Driven:
    """Return what drives runs: nothing without a file."""
    if pilot_file is None:
        return ()
    from resumelog.infrastructure.pilot_file import read_pilot

    return read_pilot(Path(pilot_file))


def _token() -> str | None:
    token = os.environ.get(TOKEN)
    if token is not None and not (token.isascii() and token.isprintable() and token.strip()):
        raise InputError(f"{TOKEN} holds no token; set it to printable ASCII, or unset it")
    return token.strip() if token else None


def _listener(host: str, port: int) -> socket.socket:
    server = _server()
    try:
        listener: socket.socket = server.listening(host, port)
    except OSError as error:
        why = str(error.strerror or error).partition(" (while")[0]  # the address follows, again
        raise InputError(f"can't listen on {host}, port {port}: {why}; choose another") from None
    return listener


def _server() -> ModuleType:
    """Return what listens. Raises ServerExtraMissing before a log is made."""
    from resumelog.infrastructure.http import errors

    try:
        from resumelog.infrastructure.http import fastapi_adapter, server
    except ImportError as error:
        raise errors.ServerExtraMissing(what=error.name, extra="server") from error
    assert fastapi_adapter, "it is imported so that it is there"
    return server


def _require_safe(listener: socket.socket, host: str, token: str | None) -> None:
    from resumelog.infrastructure.http.server import is_loopback

    if token is None and not is_loopback(listener):
        why = f"others could reach {host} without a token"
        raise InputError(f"{why}; set {TOKEN}, or leave --host out")


def _log_to_standard_error() -> None:
    import logging

    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
