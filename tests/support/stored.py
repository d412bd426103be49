"""Events as the log stores them, and back."""

from __future__ import annotations

import json
from typing import Any

from resumelog.domain.events import DomainEvent, event_class


def stored_state(event: DomainEvent) -> dict[str, Any]:
    """Return the JSON that a stored event consists of, beside its stream, version and topic."""
    return event.model_dump(mode="json", exclude_none=True)


def decoded(topic: str, originator_id: str, version: int, state: dict[str, Any]) -> DomainEvent:
    """Return the event of these stored parts."""
    parts = {"originator_id": originator_id, "originator_version": version, **state}
    return event_class(topic).model_validate_json(json.dumps(parts))


def reread(event: DomainEvent) -> DomainEvent:
    """Return the event as it comes back from the log."""
    return decoded(
        event.TOPIC, str(event.originator_id), event.originator_version, stored_state(event)
    )
