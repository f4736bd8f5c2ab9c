"""Every setting: its name, type, default, bounds and reason.

Belongs here: one struct per section of `sendwatch.toml`, and in each what cannot be true of its settings
together. The sample configuration, the schema for editors and `sendwatch config show` are made from these
structs, so this is the one place where a setting is documented. Not here: where values come from
(`config.py`), what lies in `cluster.py` (Kafka and topics) and `policy.py` (judging). Pure.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from sendwatch.cluster import Kafka, Name, Topics
from sendwatch.keeping import Archive, Evidence, Reports
from sendwatch.policy import AS_CATALOGUED, Breaches, Fault, Judging, RuleSettings
from sendwatch.secret import NotHad, Secret
from sendwatch.verdict import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

FLAG_THE_CANARY = ("G1_SIGNATURE_MISSING", "G8_PORT_INVALID")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
hexadecimal = re.compile(r"^([0-9a-fA-F]{2}){16,64}$")


class Recipients(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `recipient` holds in the input, and the keys that hide it."""

    form: Annotated[
        Literal["number", "token"],
        Meta(
            description="number: phone numbers, hidden at once under the keys below; anything else is "
            "quarantined. token: the carrier hid them beforehand, and tokens are passed on as "
            "they are."
        ),
    ] = "number"
    internal_key: Annotated[
        Secret | None,
        Meta(
            description="16 to 64 bytes in hex, for state and flag ids. Needed for numbers. NEVER change "
            "it: all that is known of every recipient would be lost. Make one with `openssl "
            "rand -hex 32`."
        ),
    ] = None
    public_key: Annotated[
        Secret | None,
        Meta(description="The same for the tokens that are published. Needed for numbers. It may be changed."),
    ] = None

    @property
    def internal(self) -> bytes:
        """The internal key; empty where the form is `token` and none is given."""
        return bytes.fromhex(self.internal_key.reveal()) if self.internal_key else b""

    @property
    def public(self) -> bytes:
        """The public key; empty where the form is `token` and none is given."""
        return bytes.fromhex(self.public_key.reveal()) if self.public_key else b""

    def faults(self) -> Iterator[Fault]:
        """Keys that are missing, malformed, or the same one twice."""
        for key in ("internal_key", "public_key"):
            secret: Secret | None = getattr(self, key)
            if secret is None and self.form == "number":
                yield key, f'needed with form = "number"; or name a file that holds it: {key}_file'
            elif secret is not None and not hexadecimal.match(secret.reveal()):
                yield key, "expected 16 to 64 bytes in hex, two digits a byte"
        if self.internal_key is not None and self.internal_key == self.public_key:
            yield "public_key", "the same as internal_key: whoever learns one has both"


class Engine(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One worker on one machine."""

    store: Annotated[
        Literal["rocksdb", "memory"],
        Meta(description="memory reads all facts again after a restart: for tests and small runs."),
    ] = "rocksdb"
    data_dir: Annotated[
        str,
        Meta(min_length=1, description="Where the stores lie, one folder per partition. Local disk, kept."),
    ] = "data"
    batch_records: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Most records read at once. More is faster up to here, and holds longer.",
        ),
    ] = 5000
    cache_mb: Annotated[int, Meta(ge=8, le=1_000_000, description="Block cache that all partitions' stores share.")] = (
        64
    )
    write_buffer_mb: Annotated[
        int, Meta(ge=8, le=100_000, description="Write buffers that all partitions' stores share.")
    ] = 32
    canary_sp: Annotated[
        str | None,
        Meta(
            description="An SP account that no sender has: each worker then sends made-up messages of it through its "
            "partitions, every few seconds, which must be flagged. They are kept out of all tallies, and their flags "
            "go to the canary topic. It needs WRITE on the topic of sends. Unset: there is no canary."
        ),
    ] = None


class Web(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The worker's own port: /metrics, /-/healthy, /-/ready."""

    host: Annotated[
        str,
        Meta(min_length=1, description="Listen where? There is no password: open it only to what scrapes it."),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535, description="One per worker on a machine.")] = 8066
    advertised: Annotated[
        str | None,
        Meta(
            description="Where the desk reaches this worker, host:port; the consumer group is told. Unset: host and "
            "port as above, or the machine's name where it listens everywhere."
        ),
    ] = None


class Desk(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The page and the API for people: served by the process of `sendwatch aggregate`, on a port of its own."""

    serve: Annotated[bool, Meta(description="Whether `sendwatch aggregate` serves them.")] = True
    host: Annotated[
        str,
        Meta(
            min_length=1,
            description="Listen where? Anything but this machine needs a tokens file, and TLS in front of it.",
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535, description="Where the page is.")] = 8088
    tokens: Annotated[
        str | None,
        Meta(
            description="A file of hashed tokens, one line each as `sendwatch token new` prints it; it is read again "
            "when it changes. Unset: whoever is on this machine may look, check and decide."
        ),
    ] = None
    flags_kept: Annotated[
        int, Meta(ge=100, le=1_000_000, description="How many flags are at hand, the latest; some 3 kB each.")
    ] = 10_000
    check_most: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Most recipients of one check before a campaign.")
    ] = 10_000
    rate: Annotated[
        float, Meta(ge=1, le=100_000, description="Requests a second that one person or address may make for long.")
    ] = 20.0
    workers: Annotated[
        tuple[str, ...],
        Meta(
            description="Where workers answer look-ups for checks (http://host:port, their [web]). Empty: as they tell "
            "the consumer group themselves."
        ),
    ] = ()
    lookup_key: Annotated[
        Secret | None,
        Meta(
            description="What the desk shows to workers for a look-up, the same for all of them. Unset: workers answer "
            "look-ups from their own machine only."
        ),
    ] = None

    def faults(self) -> Iterator[Fault]:
        """A page for all the world without any token; addresses that are none."""
        if self.tokens is None and self.host not in LOOPBACK:
            yield "tokens", f"needed with host = {self.host!r}: make one with `sendwatch token new`"
        for number, address in enumerate(self.workers):
            if not re.fullmatch(r"https?://[^/\s]+", address):
                yield f"workers.{number}", f"expected http://host:port, got {address!r}"


class Metrics(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Labels on /metrics."""

    carriers: Annotated[
        tuple[Name, ...],
        Meta(
            max_length=20,
            description="Carriers that have a label of their own from the start, at 0. Others get one "
            'while there are fewer than 20, then share "other".',
        ),
    ] = ()


class Quarantine(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is kept of a record that cannot be judged."""

    payload: Annotated[
        bool,
        Meta(description="Whether its bytes are kept too. They are personal data: turn it on for a search, then off."),
    ] = False


class Logs(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Log lines on standard output."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least that is worth a line.")
    ] = "info"
    format: Annotated[
        Literal["json", "pretty", "auto"],
        Meta(description="auto: pretty on a terminal, one JSON object a line elsewhere."),
    ] = "auto"


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole configuration."""

    kafka: Kafka
    topics: Topics = Topics()
    recipients: Recipients = Recipients()
    judging: Judging = Judging()
    breaches: Breaches = Breaches()
    rules: dict[str, RuleSettings] = field(default_factory=dict)
    engine: Engine = Engine()
    web: Web = Web()
    desk: Desk = Desk()
    metrics: Metrics = Metrics()
    quarantine: Quarantine = Quarantine()
    evidence: Evidence = Evidence()
    archive: Archive = Archive()
    reports: Reports = Reports()
    logs: Logs = Logs()

    def faults(self) -> Iterator[Fault]:
        """What no section can see alone."""
        days, window = self.topics.retention_days.ledger, self.judging.window_hours
        if days != -1 and days * 24 < window + 24:
            yield (
                "topics.retention_days.ledger",
                f"{days} days are less than judging.window_hours ({window}) and a day",
            )

    def doubts(self, today: date) -> Iterator[Fault]:
        """What may be meant, but seldom is. `today` is a day in UTC+8."""
        local = all(server.rpartition(":")[0] in {"localhost", "127.0.0.1", "[::1]"} for server in self.kafka.servers)
        if not local and not self.kafka.security.endswith("tls"):
            yield "kafka.security", f"{self.kafka.security}: phone numbers cross the network for all to read"
        if self.topics.replication == 1:
            yield "topics.replication", "1: a disk that dies takes its records along"
        if self.topics.timestamps == "producer":
            yield "topics.timestamps", "producer: writers say themselves when a record arrived"
        if self.quarantine.payload:
            yield "quarantine.payload", "on: personal data is kept in the quarantine"
        if self.engine.canary_sp and all(self.rule(rule).mode is Mode.OFF for rule in FLAG_THE_CANARY):
            yield "engine.canary_sp", f"nothing can flag the canary while {' and '.join(FLAG_THE_CANARY)} are off"
        for rule, how in self.rules.items():
            for number, exemption in enumerate(how.exceptions):
                if exemption.until < today:
                    yield f"rules.{rule}.exceptions.{number}", f"ended on {exemption.until}"

    def rule(self, rule_id: str) -> RuleSettings:
        """How a rule is run; as in the catalogue where nothing is set."""
        return self.rules.get(rule_id, AS_CATALOGUED)

    @property
    def version(self) -> str:
        """12 hex digits that change with what a verdict depends on: the `config` of a flag's version."""
        decisive = (self.recipients.form, self.judging, self.rules, self.engine.canary_sp)
        return blake2b(msgspec.json.encode(decisive, order="sorted"), digest_size=6).hexdigest()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret text, for whoever has to keep them out of something."""
        held = (
            self.kafka.password,
            self.kafka.key_password,
            self.recipients.internal_key,
            self.recipients.public_key,
            self.evidence.signing_key,
            self.desk.lookup_key,
        )
        return tuple(secret.reveal() for secret in held if secret is not None and not isinstance(secret, NotHad))
