"""Builders of registries and their rows, for the tests of this folder: every field has a made-up default."""

from __future__ import annotations

from typing import Any

from sendwatch.events import Filing, Letter, Owner, Port, Template
from sendwatch.registry import Registry

WINDOW = 100
KINDS: dict[type, str] = {
    Filing: "signatures",
    Port: "ports",
    Letter: "letters",
    Template: "templates",
    Owner: "owners",
}


def a_registry(*rows: Any, pending_grace: bool = False) -> Registry:
    """A registry with a window of 100 ms that has had these rows from the beginning."""
    registry = Registry(WINDOW, pending_grace=pending_grace)
    for offset, row in enumerate(rows):
        registry.put(KINDS[type(row)], row.id, offset, 0, row)
    return registry


def a_filing(row_id: str = "f1", **fields: Any) -> Filing:
    """A filing of 甲 by O1 for marketing on 1069, without limits."""
    usual: dict[str, Any] = {
        "signature": "甲",
        "owner": "O1",
        "uses": ("marketing",),
        "ports": ("1069",),
        "valid_from": 0,
    }
    return Filing(id=row_id, **(usual | fields))


def a_port(row_id: str = "p1", **fields: Any) -> Port:
    """Port 1069 of s1."""
    usual: dict[str, Any] = {"port": "1069", "holder": "s1", "valid_from": 0}
    return Port(id=row_id, **(usual | fields))


def a_letter(row_id: str, grantor: str, grantee: str, **fields: Any) -> Letter:
    """A letter for every port and signature."""
    usual: dict[str, Any] = {"valid_from": 0}
    return Letter(id=row_id, grantor=grantor, grantee=grantee, **(usual | fields))


def an_owner(row_id: str = "O1", **fields: Any) -> Owner:
    usual: dict[str, Any] = {"name": "云岭商贸"}
    return Owner(id=row_id, **(usual | fields))


def a_template(row_id: str = "t1", **fields: Any) -> Template:
    usual: dict[str, Any] = {"signature": "甲", "use": "otp", "pattern": "验证码{code}", "valid_from": 0}
    return Template(id=row_id, **(usual | fields))
