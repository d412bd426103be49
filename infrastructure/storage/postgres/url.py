"""What a postgresql:// URL says, for libpq and for the stock factory's environment."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from resumelog.application.errors import UnknownStore
from resumelog.infrastructure.settings import without_password
from resumelog.infrastructure.storage.postgres.errors import translated

STOCK = ("dbname", "host", "port", "user", "password")
"""What the stock factory has a variable for; the rest goes into POSTGRES_PARAMETERS."""
NAME_MAX_BYTES = 63
CONNECT_TIMEOUT_S = 10


def environment(url: str, prefix: str) -> dict[str, str]:
    """Return the factory's variables for a URL; `schema=NAME` is ours, the others are libpq's.

    What the URL leaves out is libpq's own business (PGHOST, .pgpass, …). Raises UnknownStore.
    """
    parameters = parsed(url)
    schema = str(parameters.pop("schema"))
    named = {name: str(parameters.pop(name, "")) for name in STOCK}
    variables = {f"POSTGRES_{name.upper()}": value for name, value in named.items()}
    variables["POSTGRES_SCHEMA"] = schema
    variables["POSTGRES_PARAMETERS"] = make_conninfo("", **parameters)
    return {prefix + name: value for name, value in variables.items()}


def parsed(url: str) -> dict[str, str | int]:
    """Return libpq's parameters and `schema`. Raises UnknownStore."""
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        theirs = [(name, value) for name, value in query if name != "schema"]
        parameters = conninfo_to_dict(
            urlunsplit(parts._replace(query=urlencode(theirs, quote_via=quote)))
        )
    except (ValueError, psycopg.Error):
        raise UnknownStore(url=without_password(url)) from None
    schema = dict(query).get("schema") or "public"
    is_misread = "@" in str(parameters.get("dbname") or "")  # a / in the password
    if is_misread or len(schema.encode()) > NAME_MAX_BYTES:
        raise UnknownStore(url=without_password(url))
    return {**{n: v for n, v in parameters.items() if v is not None}, "schema": schema}


def holds_log(url: str, table: str) -> bool:
    """Tell whether the schema has this table; make nothing. Raises StoreUnavailable."""
    parameters = parsed(url)
    store = shown(parameters)
    schema = parameters.pop("schema")
    with (
        translated(store),
        psycopg.connect(**{"connect_timeout": CONNECT_TIMEOUT_S, **parameters}) as connection,  # type: ignore[arg-type]  # libpq's parameters
    ):
        found = connection.execute(
            "SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = %s", (schema, table)
        ).fetchone()
    return found is not None


def shown(parameters: Mapping[str, object]) -> str:
    """Return the parameters as a URL without the password."""
    host, user = str(parameters.get("host", "")), str(parameters.get("user", ""))
    socket = host.startswith(("/", "@"))
    port = f":{parameters['port']}" if parameters.get("port") and not socket else ""
    query = {"host": host} if socket else {}
    if parameters.get("schema", "public") != "public":
        query["schema"] = str(parameters["schema"])
    return (
        "postgresql://"
        + (f"{quote(user, safe='')}@" if user else "")
        + ("" if socket else f"{host}{port}")
        + f"/{parameters.get('dbname', '')}"
        + (f"?{urlencode(query, safe='/')}" if query else "")
    )
