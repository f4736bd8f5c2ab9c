"""Which Kafka, and which topics on it: the sections `[kafka]` and `[topics]` of the configuration.

Belongs here: their settings with defaults, bounds and reasons. Not here: connecting
(`kafka/connection.py`), what the topics are made with (`topics.py`). Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from sendwatch.policy import Days, Fault  # noqa: TC001  msgspec reads the annotations
from sendwatch.secret import Secret  # noqa: TC001  msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterator

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
address = re.compile(r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$")


class Kafka(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which Kafka, and how to be let in."""

    bootstrap: Annotated[
        str,
        Meta(description="Servers to start from, comma-separated host:port. Required. Name two or three."),
    ]
    security: Annotated[
        Literal["plaintext", "tls", "sasl_plaintext", "sasl_tls"],
        Meta(description="plaintext is for one machine; anything else should be tls or sasl_tls."),
    ] = "plaintext"
    sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
        Meta(description="PLAIN hands the password to the server: only over TLS."),
    ] = "SCRAM-SHA-512"
    username: Annotated[str | None, Meta(description="One principal per role, with the least rights.")] = None
    password: Annotated[Secret | None, Meta(description="Its password.")] = None
    ca_file: Annotated[
        str | None,
        Meta(description="Certificates (PEM) to trust. Unset: those of the system. Read when connecting."),
    ] = None
    cert_file: Annotated[str | None, Meta(description="Own certificate (PEM), where the servers ask for one.")] = None
    key_file: Annotated[str | None, Meta(description="Private key (PEM) of that certificate.")] = None
    key_password: Annotated[Secret | None, Meta(description="Its passphrase, if it has one.")] = None
    client_id: Annotated[Name, Meta(description="How the servers' logs and quotas call us.")] = "sendwatch"
    group: Annotated[
        Name,
        Meta(description="The consumer group that shares out the partitions. All workers have the same."),
    ] = "sendwatch"
    instance_id: Annotated[
        Name | None,
        Meta(
            description="A name of this worker that outlives its restarts (static membership): a restart "
            "shorter than the session then moves no partitions. Unique per worker: the pod's "
            "name in a StatefulSet."
        ),
    ] = None
    session_timeout_seconds: Annotated[
        float,
        Meta(
            ge=6,
            le=300,
            description="A worker silent for this long loses its partitions. Shorter takes over sooner.",
        ),
    ] = 10.0
    rebalance_timeout_seconds: Annotated[
        float,
        Meta(
            ge=1,
            le=600,
            description="How long workers may take to finish what is in flight when shares move.",
        ),
    ] = 30.0
    wait_seconds: Annotated[
        float,
        Meta(ge=0, le=86_400, description="How long to wait for servers that do not answer, before giving up."),
    ] = 60.0
    idempotence: Annotated[
        bool,
        Meta(
            description="Whether a write retried by the client is stored once. Off only for servers that "
            "refuse it; flags keep their ids either way."
        ),
    ] = True

    @property
    def servers(self) -> list[str]:
        """The addresses of `bootstrap`, one by one."""
        return [part.strip() for part in self.bootstrap.split(",") if part.strip()]

    def faults(self) -> Iterator[Fault]:
        """Addresses that are none, and credentials that would go unused or are missing."""
        if not self.servers:
            yield "bootstrap", "empty: name at least one host:port"
        for server in self.servers:
            parts = address.match(server)
            if parts is None or not 1 <= int(parts[2]) <= 65_535:
                yield "bootstrap", f"expected host:port, got {server!r}"
        for key in ("username", "password"):
            if self.security.startswith("sasl") and getattr(self, key) is None:
                yield key, f'needed with security = "{self.security}"'
            elif not self.security.startswith("sasl") and getattr(self, key) is not None:
                yield key, f'would not be used with security = "{self.security}"'
        for key in ("ca_file", "cert_file", "key_file"):
            if not self.security.endswith("tls") and getattr(self, key) is not None:
                yield key, f'would not be used with security = "{self.security}"'
        if (self.cert_file is None) != (self.key_file is None):
            yield "key_file" if self.cert_file else "cert_file", "missing: certificate and key go together"


class Names(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The name of each topic, after the prefix."""

    sends: Annotated[Name, Meta(description="Submitted messages, one record per recipient.")] = "sms.sends"
    consents: Annotated[Name, Meta(description="Consent given and withdrawn.")] = "sms.consents"
    replies: Annotated[Name, Meta(description="What recipients write back.")] = "sms.replies"
    reports: Annotated[Name, Meta(description="Status reports.")] = "sms.reports"
    complaints: Annotated[Name, Meta(description="Complaints.")] = "sms.complaints"
    signatures: Annotated[Name, Meta(description="Registry of filed signatures.")] = "sms.signatures"
    ports: Annotated[Name, Meta(description="Registry of allotted ports.")] = "sms.ports"
    letters: Annotated[Name, Meta(description="Registry of letters of authorisation.")] = "sms.letters"
    templates: Annotated[Name, Meta(description="Registry of filed templates.")] = "sms.templates"
    owners: Annotated[Name, Meta(description="Registry of content owners.")] = "sms.owners"
    flags: Annotated[Name, Meta(description="Flags: what this is all for.")] = "sms.flags"
    optouts: Annotated[Name, Meta(description="What each refusal by reply was resolved to.")] = "sms.optouts"
    breaches: Annotated[Name, Meta(description="Breaches of limits over many sends.")] = "sms.breaches"
    quarantine: Annotated[Name, Meta(description="Records that could not be judged, and why.")] = "sms.quarantine"
    ledger: Annotated[Name, Meta(description="The books, and the commit point.")] = "sms.ledger"
    rollups: Annotated[Name, Meta(description="Sums of the ledger, where several processes add it up.")] = "sms.rollups"
    canary: Annotated[Name, Meta(description="Flags of the canary's own sends.")] = "sms.canary"
    dispositions: Annotated[Name, Meta(description="What people decided about flags.")] = "sms.dispositions"

    def faults(self) -> Iterator[Fault]:
        """Two kinds of record in one topic."""
        seen: dict[str, str] = {}
        for kind, name in msgspec.structs.asdict(self).items():
            if name in seen:
                yield kind, f"{name!r} is the name of {seen[name]} too: each kind needs a topic of its own"
            seen.setdefault(name, kind)


class Retention(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Days that records are kept in Kafka; -1 is for ever. Registries and flags are compacted instead."""

    sends: Annotated[
        Days,
        Meta(description="Order 74 asks for 6 months; shorter leaves nothing to audit the flags against."),
    ] = 190
    reports: Annotated[Days, Meta(description="As many records as sends.")] = 190
    consents: Annotated[
        Days, Meta(description="The system of record: what a worker knows of a recipient is rebuilt from it.")
    ] = -1
    replies: Annotated[Days, Meta(description="As consents: refusals are consent acts.")] = -1
    complaints: Annotated[Days, Meta(description="Few, and asked for late.")] = -1
    optouts: Annotated[Days, Meta(description="Outlives the sends that it was resolved from.")] = -1
    breaches: Annotated[Days, Meta(description="Few.")] = -1
    quarantine: Annotated[Days, Meta(description="As long as the sends.")] = 190
    ledger: Annotated[
        Days,
        Meta(
            description="Longer than the sends: it proves that none was skipped. A partition without any "
            "record for this long starts its books anew."
        ),
    ] = 400
    rollups: Annotated[
        Days,
        Meta(description="31 at least: whoever adds up on a new disk begins with the sums of 30 days."),
    ] = 40
    canary: Annotated[Days, Meta(description="Nobody reads old ones.")] = 7
    dispositions: Annotated[Days, Meta(description="People's decisions.")] = -1

    def faults(self) -> Iterator[Fault]:
        """Days too few to work with."""
        for kind, days in msgspec.structs.asdict(self).items():
            least = {"sends": 5, "ledger": 5, "rollups": 31}.get(kind, 1)
            if days != -1 and days < least:
                yield kind, f"expected -1 (for ever) or at least {least} days, got {days}"


class Topics(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The topics that `sendwatch topics apply` makes and every worker expects."""

    prefix: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._-]{0,100}$",
            description="Put before every name: several installations, one Kafka.",
        ),
    ] = ""
    partitions: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Of every topic keyed by recipient, all the same. It bounds the number of workers "
            "and cannot be changed later without copying the records: four or more for every "
            "core that will ever be needed.",
        ),
    ] = 12
    replication: Annotated[
        int,
        Meta(ge=-1, le=10, description="Copies of each partition. -1: the cluster's default. 3 in production."),
    ] = -1
    timestamps: Annotated[
        Literal["broker", "producer"],
        Meta(
            description="Whose clock stamps input records. broker (LogAppendTime): arrival cannot be "
            "forged. producer (CreateTime): for simulated or loaded history; nothing is then "
            "deleted or compacted by age, since its old times would have it deleted at once."
        ),
    ] = "broker"
    audit_days: Annotated[
        Days,
        Meta(
            description="How long compacted topics keep what was replaced: as long as somebody may want "
            "to see how a verdict came about."
        ),
    ] = 180
    retention_days: Retention = Retention()
    names: Names = Names()

    def name(self, kind: str) -> str:
        """The full name of the topic of a kind (`sends`, `flags`, …)."""
        return f"{self.prefix}{getattr(self.names, kind)}"

    def faults(self) -> Iterator[Fault]:
        """A replication of none."""
        if self.replication == 0:
            yield "replication", "expected -1 (the cluster's default) or at least 1, got 0"
