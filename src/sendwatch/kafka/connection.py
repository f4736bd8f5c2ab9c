"""From the settings of [kafka] to a server that answers: options of the clients, TLS, and clear sentences.

Belongs here: everything about getting in, and why it did not work. Not here: what is then read or written.
aiokafka logs why a server could not be reached, and raises only that it could not: so a bare connection is
tried first, and its own error is what people are told.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiokafka import errors
from aiokafka.conn import create_conn
from aiokafka.protocol.metadata import MetadataRequest
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from sendwatch.cluster import Kafka

PROTOCOLS = {
    "plaintext": "PLAINTEXT",
    "tls": "SSL",
    "sasl_plaintext": "SASL_PLAINTEXT",
    "sasl_tls": "SASL_SSL",
}
PROBE_SECONDS = 5.0
PAUSE_SECONDS = 1.0


class CannotConnectError(Exception):
    """Kafka cannot be used as configured. The message says why, in a sentence for people."""


class Refusal(Struct, frozen=True):
    """Why one server cannot be reached; `lasting` when waiting will not help."""

    sentence: str
    lasting: bool


def client_options(kafka: Kafka) -> dict[str, Any]:
    """The keyword arguments that every aiokafka client takes: addresses, name, security.

    Raises CannotConnectError where certificates or keys cannot be read.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": kafka.servers,
        "client_id": kafka.client_id,
        "security_protocol": PROTOCOLS[kafka.security],
    }
    if kafka.security.endswith("tls"):
        options["ssl_context"] = tls_context(kafka)
    if kafka.security.startswith("sasl"):
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.username
        options["sasl_plain_password"] = kafka.password.reveal() if kafka.password else None
    return options


def member_options(kafka: Kafka) -> dict[str, Any]:
    """What a consumer takes beside `client_options` to be a member of the group."""
    session_ms = int(kafka.session_timeout_seconds * 1000)
    return {
        "group_id": kafka.group,
        "group_instance_id": kafka.instance_id,
        "session_timeout_ms": session_ms,
        "heartbeat_interval_ms": session_ms // 3,
        "rebalance_timeout_ms": int(kafka.rebalance_timeout_seconds * 1000),
        "enable_auto_commit": False,
    }


def tls_context(kafka: Kafka) -> ssl.SSLContext:
    """Whom to trust, and who we are. Host names are always checked."""
    try:
        context = ssl.create_default_context(cafile=kafka.ca_file)
    except (OSError, ValueError) as error:
        raise CannotConnectError(f"kafka.ca_file: {kafka.ca_file}: {unreadable(error)}") from error
    if kafka.cert_file is None:
        return context
    passphrase = kafka.key_password.reveal() if kafka.key_password else ""
    try:
        context.load_cert_chain(kafka.cert_file, kafka.key_file, password=lambda: passphrase)
    except (OSError, ValueError) as error:
        why = "kafka.key_password does not open the key" if is_locked(kafka.key_file) else unreadable(error)
        files = f"{kafka.cert_file}, {kafka.key_file}"
        raise CannotConnectError(f"kafka.cert_file, kafka.key_file: {files}: {why}") from error
    return context


def is_locked(key_file: str | None) -> bool:
    """Whether a private key has a passphrase; OpenSSL does not say that this is what was wrong."""
    try:
        return key_file is not None and b"ENCRYPTED" in Path(key_file).read_bytes()
    except OSError:
        return False


def unreadable(error: Exception) -> str:
    """Why a certificate or key cannot be used."""
    match error:
        case FileNotFoundError():
            return "no such file"
        case PermissionError():
            return "may not be read by this user"
        case ssl.SSLError(reason="KEY_VALUES_MISMATCH"):
            return "the key is not that of the certificate"
        case ssl.SSLError() | ValueError():
            return "not in PEM form, or damaged"
        case _:
            return str(error)


async def reach(kafka: Kafka, doing: str, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Wait until a server answers and lets us in; then the options for clients.

    Waits `kafka.wait_seconds` at most, and not at all where waiting cannot help (a wrong password, an
    untrusted certificate). `doing`: what for, as in `listing topics`; `tell` is given a sentence when the
    reason changes. Raises CannotConnectError, which names each address and its reason.
    """
    options = client_options(kafka)
    give_up_at, told = time.monotonic() + kafka.wait_seconds, ""
    while refusals := await knock(kafka, options):
        why = "; ".join(f"{server}: {refusal.sentence}" for server, refusal in refusals.items())
        sentence = f"{doing}: no Kafka server can be used. {why}"
        left = give_up_at - time.monotonic()
        if all(refusal.lasting for refusal in refusals.values()):
            raise CannotConnectError(sentence)
        if left <= 0:
            raise CannotConnectError(f"{sentence} (waited {kafka.wait_seconds:g} s)")
        if sentence != told:
            tell(f"{sentence}; trying for {left:.0f} s more")
            told = sentence
        await asyncio.sleep(min(PAUSE_SECONDS, left))
    return options


async def knock(kafka: Kafka, options: dict[str, Any]) -> dict[str, Refusal]:
    """Try one server after the other until one lets us in: then nothing, otherwise each one's refusal."""
    refusals: dict[str, Refusal] = {}
    security = {key: value for key, value in options.items() if key != "bootstrap_servers"}
    for server in kafka.servers:
        host, _, port = server.rpartition(":")
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                connection = await create_conn(host.strip("[]"), int(port), **security)
                try:
                    await connection.send(MetadataRequest([]))  # a listener for passwords hangs up only now
                finally:
                    connection.close()
        except (OSError, TimeoutError, errors.KafkaError) as error:
            refusals[server] = refused(error, kafka)
        else:
            return {}
    return refusals


def refused(error: Exception, kafka: Kafka) -> Refusal:
    """What an error at connecting means for the person who reads it."""
    match error:
        case ssl.SSLCertVerificationError():
            return Refusal(f"its certificate is not trusted: {error.verify_message}", lasting=True)
        case ssl.SSLError():
            return Refusal(f"TLS fails ({error}): does it speak TLS on this port?", lasting=False)
        case errors.UnsupportedSaslMechanismError():
            return Refusal(f"it does not offer kafka.sasl_mechanism {kafka.sasl_mechanism}", lasting=True)
        case errors.AuthenticationFailedError() | errors.SaslAuthenticationFailed():
            return Refusal("wrong kafka.username or kafka.password", lasting=True)
        case errors.IllegalSaslStateError():
            return Refusal(f"it takes no password; is kafka.security {kafka.security} right?", lasting=True)
        case socket.gaierror():
            return Refusal("no such host name", lasting=False)
        case ConnectionRefusedError():
            return Refusal("nobody listens there", lasting=False)
        case TimeoutError():
            return Refusal(f"no answer within {PROBE_SECONDS:g} s", lasting=False)
        case errors.KafkaConnectionError() | ConnectionError():
            missing = ", or is kafka.cert_file missing" if kafka.security == "tls" and not kafka.cert_file else ""
            return Refusal(f"it hung up; is kafka.security {kafka.security} right{missing}?", lasting=False)
        case _:
            return Refusal(str(error) or type(error).__name__, lasting=False)


def explain(error: Exception, kafka: Kafka) -> str:
    """What an error of a client at work means: who lacks which right, or the error's own words."""
    user = kafka.username or "this user"
    match error:
        case errors.TopicAuthorizationFailedError():
            return f"{user} may not use {listed(error)}: give it READ (input), READ and WRITE (output), DESCRIBE"
        case errors.GroupAuthorizationFailedError():
            return f"{user} may not join the group {kafka.group}: give it READ on the group"
        case errors.ClusterAuthorizationFailedError():
            return f"{user} may not write idempotently: give it IDEMPOTENT_WRITE on the cluster"
        case _:
            return f"{type(error).__name__}: {error}"


def listed(error: Exception) -> str:
    """The topics that an authorisation error names."""
    named = error.args[0] if error.args else ()
    return ", ".join(sorted(map(str, named))) if isinstance(named, set | list | tuple) else str(named)
