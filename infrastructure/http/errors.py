"""What can be wrong with a request itself. `problems` has the status and the words of each.

ResumelogError
├── BadRequest                  what was sent can't be read
│   ├── NotOurContentType, NotUtf8, BadJson, NotAnObject
│   └── BadField                a field that is missing or wrong
├── NoToken                     none, or a wrong one, where one is required
├── ForeignHost                 asked for under a name that isn't this service's
├── NotTheOwner                 somebody else's simulation
├── NoSuchPath, NoSuchMethod
├── BodyTooLarge
├── BodyTooSlow, TookTooLong    over the time limit
├── ServiceEnding               asked while the service ends
└── ServerExtraMissing          the packages of the extra are not installed
"""

from __future__ import annotations

from resumelog.domain.errors import ResumelogError


class BadRequest(ResumelogError):
    """What was sent can't be read."""


class NotOurContentType(BadRequest):
    """A body that does not say that it is JSON."""

    text = "the content type is {given!r}; send application/json"
    given: str


class NotUtf8(BadRequest):
    """A body in another encoding."""

    text = "the body is not UTF-8; encode it as UTF-8"


class BadJson(BadRequest):
    """A body that is no JSON."""

    text = "the body is no JSON; send a JSON object"


class NotAnObject(BadRequest):
    """JSON, but no object."""

    text = "the body is JSON, but no object; send an object"


class BadField(BadRequest):
    """A field that is missing or wrong."""

    text = "the field {field} can't be used; see the API's description"
    field: str


class NoToken(ResumelogError):
    """No token, or a wrong one."""

    text = "no token, or a wrong one; send Authorization: Bearer TOKEN or X-API-Key: TOKEN"


class ForeignHost(ResumelogError):
    """A browser was led here under another name."""

    text = "the host {host!r} is not this service's; ask for it by the address that it listens on"
    host: str


class NotTheOwner(ResumelogError):
    """Somebody else's simulation."""

    text = "the simulation is another owner's; ask its owner"


class NoSuchPath(ResumelogError):
    """Nothing is there."""

    text = "there is nothing at this path; see /openapi.json"


class NoSuchMethod(ResumelogError):
    """The path knows other methods."""

    text = "the method is not allowed here; use {allowed}"
    allowed: str


class BodyTooLarge(ResumelogError):
    """A body over its limit."""

    text = "the body is larger than {limit} bytes; send less"
    limit: int


class BodyTooSlow(ResumelogError):
    """A body that did not come in time."""

    text = "the body did not come within {limit_s:g} s; send it again"
    limit_s: float


class TookTooLong(ResumelogError):
    """No answer in time; what was asked may still take effect."""

    text = "there was no answer within {limit_s:g} s; look at the status before trying again"
    limit_s: float


class ServiceEnding(ResumelogError):
    """The service was asked to end before it could answer; what was asked may still take effect."""

    text = "the service is ending; look at the status once it is back, then try again"


class ServerExtraMissing(ResumelogError):
    """The packages that serve are not there."""

    text = (
        "{what} is not installed; pip install '.[{extra}]' in the clone of resumelog,"
        " or pip install 'resumelog[{extra}]' from an index"
    )
    what: str
    extra: str
