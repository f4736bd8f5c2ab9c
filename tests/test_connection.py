"""From settings to the options of a client, and what a refusal means."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from aiokafka import errors

from sendwatch.cluster import Kafka
from sendwatch.kafka.connection import (
    CannotConnectError,
    client_options,
    explain,
    member_options,
    reach,
    refused,
)
from sendwatch.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path


def test_plain_text_needs_no_more_than_addresses() -> None:
    """What every client of aiokafka takes."""
    assert client_options(Kafka(bootstrap="a:1, b:2")) == {
        "bootstrap_servers": ["a:1", "b:2"],
        "client_id": "sendwatch",
        "security_protocol": "PLAINTEXT",
    }


def test_passwords_and_tls_are_passed_on() -> None:
    """Host names are checked, and nobody untrusted is talked to."""
    kafka = Kafka(bootstrap="a:1", security="sasl_tls", username="u", password=Secret("p"))
    options = client_options(kafka)
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("u", "p")
    assert options["ssl_context"].check_hostname
    assert options["ssl_context"].verify_mode == ssl.CERT_REQUIRED


def test_a_member_of_the_group_commits_nothing_by_itself() -> None:
    """The ledger is the commit; heartbeats have room for two misses."""
    options = member_options(Kafka(bootstrap="a:1", instance_id="worker-0", session_timeout_seconds=9))
    assert options["enable_auto_commit"] is False
    assert (options["session_timeout_ms"], options["heartbeat_interval_ms"]) == (9000, 3000)
    assert (options["group_id"], options["group_instance_id"]) == ("sendwatch", "worker-0")


def test_certificates_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """The setting, the file, the reason."""
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no certificate", encoding="utf-8")
    locked = tmp_path / "locked.key"
    locked.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n", encoding="utf-8")
    for kafka, said in [
        (
            Kafka(bootstrap="a:1", security="tls", ca_file="/nowhere.pem"),
            "kafka.ca_file: /nowhere.pem: no such file",
        ),
        (Kafka(bootstrap="a:1", security="tls", ca_file=str(garbage)), "not in PEM form, or damaged"),
        (
            Kafka(bootstrap="a:1", security="tls", cert_file=str(garbage), key_file=str(locked)),
            "kafka.key_password does not open the key",
        ),
        (
            Kafka(bootstrap="a:1", security="tls", cert_file=str(garbage), key_file="/nowhere.key"),
            "/nowhere.key: ",
        ),
    ]:
        with pytest.raises(CannotConnectError) as caught:
            client_options(kafka)
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("error", "said", "lasting"),
    [
        (ConnectionRefusedError(), "nobody listens there", False),
        (socket.gaierror(-2, "x"), "no such host name", False),
        (TimeoutError(), "no answer within 5 s", False),
        (errors.KafkaConnectionError("closed"), "it hung up; is kafka.security tls right", False),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "does it speak TLS", False),
        (errors.SaslAuthenticationFailed(), "wrong kafka.username or kafka.password", True),
        (errors.AuthenticationFailedError(), "wrong kafka.username or kafka.password", True),
        (
            errors.UnsupportedSaslMechanismError(),
            "it does not offer kafka.sasl_mechanism SCRAM-SHA-512",
            True,
        ),
        (errors.IllegalSaslStateError(), "it takes no password", True),
        (OSError("no route"), "no route", False),
    ],
)
def test_a_refusal_says_what_to_look_at(error: Exception, said: str, lasting: bool) -> None:
    """And whether waiting can help."""
    refusal = refused(error, Kafka(bootstrap="a:1", security="tls"))
    assert said in refusal.sentence
    assert refusal.lasting is lasting


def test_a_missing_right_names_who_needs_which() -> None:
    """What an administrator has to type."""
    kafka = Kafka(bootstrap="a:1", username="worker")
    told = explain(errors.TopicAuthorizationFailedError({"sms.sends", "sms.flags"}), kafka)
    assert told.startswith("worker may not use sms.flags, sms.sends: give it READ")
    assert "group sendwatch" in explain(errors.GroupAuthorizationFailedError(), kafka)
    assert "IDEMPOTENT_WRITE" in explain(errors.ClusterAuthorizationFailedError(), kafka)
    assert explain(ValueError("odd"), kafka) == "ValueError: odd"


async def test_a_server_that_hangs_up_is_waited_for_only_so_long() -> None:
    """Each address with its own reason; the listener may want TLS."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(CannotConnectError) as caught:
            await reach(Kafka(bootstrap=f"127.0.0.1:{port}", wait_seconds=0), "starting")
    assert str(caught.value) == (
        f"starting: no Kafka server can be used. 127.0.0.1:{port}: it hung up; is kafka.security plaintext "
        "right? (waited 0 s)"
    )
