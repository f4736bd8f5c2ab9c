"""The runbook: a section per alert with all that is needed at three in the morning, and nothing that is not so."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from alerts import ALERTS, RUNBOOK, anchor, sections
from shipped import DEPLOY, ROOT, check_command

from sendwatch.cli import main
from sendwatch.demo.stage import KEYS, Stage
from sendwatch.events import Consent
from sendwatch.metric_table import METRICS
from sendwatch.partitions import partition_of
from sendwatch.reader import Reader
from sendwatch.settings import Settings
from sendwatch.typed import leaves

if TYPE_CHECKING:
    from pathlib import Path

    from aiokafka import ConsumerRecord

TEXT: Final = RUNBOOK.read_text(encoding="utf-8")
PARTS: Final = ["Means", "Affected", "Look", "Do", "Escalate"]
SECTIONS: Final = sections(sections(TEXT, 2)["Alerts"], 3)
NAMES: Final = sorted({alert.name for alert in ALERTS})
PROGRAMS: Final = {"kubectl", "make", "sendwatch", "systemctl"}
HOUR: Final = 3_600_000

quoted = re.compile(r"`([^`\n]+)`")
sentence = re.compile(r"\w+(?:;? \w+){2,}")
setting = re.compile(
    r"(?:kafka|topics|recipients|judging|breaches|engine|web|metrics|quarantine|logs)\.[a-z_]+(?:\.[a-z_]+)?"
)


def quotes() -> list[str]:
    """Whatever stands in backquotes or in a block of commands."""
    blocks = re.findall(r"^```\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return quoted.findall(TEXT) + [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]


# -- sections ---------------------------------------------------------------------------------------------------


def test_every_alert_has_a_section_and_no_section_is_left_over() -> None:
    """By the very name."""
    assert sorted(SECTIONS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_section_says_all_that_is_needed(name: str) -> None:
    """What it means, who is affected, where to look, what to do, when to escalate: in this order."""
    assert re.findall(r"^- \*\*(\w+)\*\*: \S", SECTIONS[name], re.MULTILINE) == PARTS


def test_every_link_leads_somewhere() -> None:
    """To a heading of this page."""
    headings = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings


@pytest.mark.parametrize(
    "plan",
    ["Capacity planning", "Scaling out", "Re-keying", "Key rotation", "Upgrade", "Disaster recovery"],
)
def test_what_is_done_on_purpose_has_a_section(plan: str) -> None:
    """Beside the alerts."""
    assert sections(TEXT, 2)[plan].strip()


# -- what it names ----------------------------------------------------------------------------------------------


def test_every_command_named_is_one() -> None:
    """With its arguments, where it has any here."""
    commands = [shlex.split(each)[1:] for each in quotes() if each.startswith("sendwatch ")]
    assert commands
    for words in commands:
        if len(words) == 1:
            assert words[0] in main.commands
        else:
            check_command(words)


def test_every_metric_named_exists() -> None:
    """In the table."""
    named = {each for quote in quotes() for each in re.findall(r"\bsendwatch_\w+", quote)}
    assert named
    assert named <= {f"sendwatch_{metric.name}" for metric in METRICS}


def test_every_setting_named_exists() -> None:
    """By its dotted name; that of a secret may end in _file."""
    known = {key + end for key, _ in leaves(Settings) for end in ("", "_file")}
    known |= {key.rpartition(".")[0] for key in known if key.count(".") == 2}
    named = {each for each in quotes() if setting.fullmatch(each)}
    assert named
    assert named <= known


def test_every_file_named_exists() -> None:
    """Beside this page."""
    named = {each for each in quotes() if re.fullmatch(r"(?:[\w-]+/)*[\w-]+\.(?:yml|toml)|[\w-]+/", each)}
    made_on_the_way = {"old.toml", "new.toml"}
    assert "prometheus/" in named
    assert [each for each in named - made_on_the_way if not (DEPLOY / each).exists()] == []


def test_every_event_named_is_logged() -> None:
    """Word for word, or nobody finds it in a log."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "sendwatch").rglob("*.py"))
    named = [each for each in quotes() if sentence.fullmatch(each) and each.split()[0] not in PROGRAMS]
    assert named
    assert [each for each in named if each not in source] == []


# -- changing the number of partitions --------------------------------------------------------------------------


async def test_the_script_for_re_keying_does_what_it_says(bootstrap: str, prefix: str, tmp_path: Path) -> None:
    """Every record on its key's new partition, in order, with its time; old refusals become withdrawals."""
    script = re.search(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert script
    (tmp_path / "rekey.py").write_text(script[1], encoding="utf-8")
    old = await stage(bootstrap, prefix + "old.", tmp_path / "old.toml", partitions=2)
    new = await stage(bootstrap, prefix + "new.", tmp_path / "new.toml", partitions=3)
    since = 1_794_300_000_000
    people = [f"1991234{n:04}" for n in range(12)]
    await write_old(old, people, since)
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(tmp_path / "rekey.py"), str(tmp_path / "old.toml"), str(tmp_path / "new.toml"), str(since),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, output.decode()

    sends = await everything(new, "sends", len(people))
    assert sorted(at for _, at in histories(sends)[people[0]]) == [since + HOUR]
    assert all(record.partition == partition_of(record.key, 3) for record in sends)
    replies = await everything(new, "replies", len(people))
    assert {record.timestamp for record in replies} == {since - 9 * HOUR}
    consents = await everything(new, "consents", 2 * len(people) + 1)
    assert all(record.partition == partition_of(record.key, 3) for record in consents)
    assert [value["id"] for value, _ in histories(consents)[people[3]]][:2] == ["first", "second"]
    (withdrawn,) = [record for record in consents if json.loads(record.value)["action"] == "withdraw"]
    assert withdrawn.key.decode() == people[5]
    assert withdrawn.timestamp == since - 9 * HOUR
    act = Reader("consents", recipient_form="number")(withdrawn.key, withdrawn.value, withdrawn.timestamp, None)  # type: ignore[arg-type]
    assert isinstance(act, Consent)
    assert (act.owner, act.effective_at) == ("91990000MA00000001", since - 9 * HOUR)


async def stage(bootstrap: str, prefix: str, path: Path, *, partitions: int) -> Stage:
    """An installation with topics of its own, and its configuration in a file."""
    made = Stage(bootstrap, path.parent, partitions=partitions, embedded=True, prefix=prefix)
    await made.make_topics()
    write_configuration(path, bootstrap, prefix, partitions)
    return made


def write_configuration(path: Path, bootstrap: str, prefix: str, partitions: int) -> None:
    """What the script reads."""
    path.write_text(
        f"""\
[kafka]
bootstrap = "{bootstrap}"
idempotence = false
[topics]
prefix = "{prefix}"
partitions = {partitions}
[recipients]
internal_key = "{KEYS["SENDWATCH_RECIPIENTS__INTERNAL_KEY"]}"
public_key = "{KEYS["SENDWATCH_RECIPIENTS__PUBLIC_KEY"]}"
""",
        encoding="utf-8",
    )


async def write_old(old: Stage, people: list[str], since: int) -> None:
    """Two grants and a reply of each, a send before `since` and one after; one reply was resolved to a refusal."""
    async with AIOKafkaProducer(bootstrap_servers=old.bootstrap) as producer:

        async def put(kind: str, person: str, at: int, **value: Any) -> int:
            key, name = person.encode(), old.settings.topics.name(kind)
            body = json.dumps({"recipient": person, **value}).encode()
            sent = await producer.send_and_wait(name, body, key, partition_of(key, 2), timestamp_ms=at)
            offset: int = sent.offset
            return offset

        for person in people:
            for id_ in ("first", "second"):
                await put("consents", person, since - 30 * HOUR, id=id_, action="grant")
            offset = await put("replies", person, since - 9 * HOUR, id="R", text="T", received_at=since - 9 * HOUR)
            if person == people[5]:
                where = {"topic": "replies", "partition": partition_of(person.encode(), 2), "offset": offset}
                await put("optouts", person, since - 9 * HOUR, reply="R", owners=["91990000MA00000001"],
                          received_at=since - 9 * HOUR, source=where)  # fmt: skip
            await put("sends", person, since - HOUR, id="early")
            await put("sends", person, since + HOUR, id="late")


async def everything(of: Stage, kind: str, count: int) -> list[ConsumerRecord]:
    """Every record of a kind, at least so many."""
    places = [TopicPartition(of.settings.topics.name(kind), number) for number in range(3)]
    found: list[ConsumerRecord] = []
    async with AIOKafkaConsumer(bootstrap_servers=of.bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign(places)
        await consumer.seek_to_beginning()
        async with asyncio.timeout(20):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
        for records in (await consumer.getmany(timeout_ms=500)).values():
            found += records
    assert len(found) == count
    return found


def histories(records: list[ConsumerRecord]) -> dict[str, list[tuple[dict[str, Any], int]]]:
    """Value and time of each person's records, in their order on the partition."""
    found: dict[str, list[tuple[dict[str, Any], int]]] = {}
    for record in sorted(records, key=lambda each: (each.partition, each.offset)):
        found.setdefault(record.key.decode(), []).append((json.loads(record.value), record.timestamp))
    return found
