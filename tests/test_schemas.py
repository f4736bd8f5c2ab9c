"""The contract as documents: what is committed is what the code reads and writes, and nobody is broken by a change."""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator

from engine_builders import Desk, a_consent, a_reply, a_send
from sendwatch import __version__, outgoing, schemas
from sendwatch.cli import main
from sendwatch.desk import dispositions, say
from sendwatch.events import KINDS, Deletion, Rejected
from sendwatch.outgoing import breach_event, breach_message
from sendwatch.reader import Reader
from sendwatch.topics import KEYS
from sendwatch.windows.breach import Breach
from test_golden import STORIES, lines_of, run

if TYPE_CHECKING:
    from sendwatch.outgoing import Message
    from sendwatch.schemas import Schema

FOLDER: Final = Path(__file__).parents[1] / "deploy/schemas"
RELEASED: Final = FOLDER / "released"
DOCUMENTS: Final = {path: json.loads(text) for path, text in schemas.documents().items()}
SCHEMAS: Final = {path: schema for path, schema in DOCUMENTS.items() if "/" in path}
ASYNCAPI: Final[Schema] = DOCUMENTS["asyncapi.json"]
SIGNATURE: Final = {
    "id": "f1", "signature": "云岭商贸", "owner": "O1", "uses": ["marketing"], "ports": ["10690001"],
    "valid_from": 1_700_000_000_000,
}  # fmt: skip
VALIDATORS: Final = {path: Draft7Validator(schema) for path, schema in SCHEMAS.items()}


def path_of(message: Message) -> str:
    """The schema of a published record, by its own header."""
    headers = dict(message.headers)
    return f"out/{headers['ce_type'].decode() if 'ce_type' in headers else schemas.QUARANTINED}.json"


def faults(path: str, value: Any) -> list[str]:
    """What a schema finds wrong."""
    return [error.message for error in VALIDATORS[path].iter_errors(value)]


# -- what is committed ------------------------------------------------------------------------------------------


def test_what_is_committed_is_what_the_code_makes() -> None:
    """`sendwatch schema export --output deploy/schemas` makes it anew; releases stay as they are."""
    paths = [path for path in FOLDER.rglob("*.json") if RELEASED not in path.parents]
    committed = {path.relative_to(FOLDER).as_posix(): path.read_text("utf-8") for path in paths}
    assert committed == schemas.documents()


@pytest.mark.parametrize("path", SCHEMAS)
def test_a_schema_is_one(path: str) -> None:
    """By its own meta-schema; with an id, and open to fields of tomorrow at every depth."""
    Draft7Validator.check_schema(SCHEMAS[path])
    assert SCHEMAS[path]["$id"].startswith("urn:sendwatch:schema:")
    structs = [SCHEMAS[path], *SCHEMAS[path].get("definitions", {}).values()]
    assert all(each["additionalProperties"] is True for each in structs)
    assert all(SCHEMAS[path].get(name) for name in ("title", "description"))


# -- what is read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("story", STORIES)
def test_what_is_accepted_whole_is_valid(story: str) -> None:
    """Every line of a golden story that is judged with all its fields is valid under its kind's schema."""
    looked_at = 0
    for line in lines_of(story):
        event, ignored = line.event, Counter[str]()
        read = Reader(event.kind, recipient_form="number")(event.key, event.value, event.timestamp, ignored)
        if event.value is not None and not ignored and not isinstance(read, Rejected | Deletion):
            assert not faults(f"in/{event.kind}.v1.json", json.loads(event.value))
            looked_at += 1
    assert looked_at > 2


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"unknown": {"of": "tomorrow"}}, True),
        ({"category": None, "part": None}, True),
        ({"part": {"ref": 7, "no": 1, "total": 2, "unknown": 1}}, True),
        ({"port": None}, False),
        ({"port": "1069x"}, False),
        ({"sent_at": "2026-11-11"}, False),
        ({"category": "advertising"}, False),
        ({"part": {"ref": 7, "no": 0, "total": 2}}, False),
    ],
)
def test_a_send_is_valid_or_not_as_the_contract_has_it(change: dict[str, Any], valid: bool) -> None:
    """Absent and null mean the same; unknown fields are allowed; the rest is checked."""
    value = json.loads(a_send().value or b"") | change
    assert (not faults("in/sends.v1.json", value)) is valid


def test_null_is_as_good_as_absent_also_where_something_else_is_the_default() -> None:
    """As the reader has it: a consent without types, a filing without a status."""
    value = json.loads(a_consent().value or b"")
    assert not faults("in/consents.v1.json", value | {"types": None})
    assert not faults("in/signatures.v1.json", SIGNATURE | {"status": None})
    assert faults("in/signatures.v1.json", SIGNATURE | {"status": "maybe"})


# -- what is published ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("story", STORIES)
def test_what_is_published_is_valid(story: str) -> None:
    """Flags raised and cleared, opt-outs and quarantine records of the golden stories."""
    for message in run(story, at_once=False).messages:
        assert not faults(path_of(message), json.loads(message.value))


def test_every_published_type_has_been_looked_at() -> None:
    """By the stories together, one correction, a breach that opens and closes, and a decision about a flag."""
    seen = {path_of(message) for story in STORIES for message in run(story, at_once=False).messages}
    desk = Desk()
    desk.write(a_send()).work()
    desk.write(a_consent(arrived=a_send().timestamp + 1), a_reply()).work()
    breach = Breach(
        id="b1",
        rule="B3_COMPLAINT_RATE",
        subject={"owner": None, "port": "10690001"},
        window={"from": 1, "until": 2},
        measures={"complaints": 7, "rate": 0.5},
        limit={"per_million": 0.25},
        opened_at=1,
    )
    ended = msgspec.structs.replace(breach, closed_at=2)
    messages = [*desk.messages, *(breach_message(breach_event(each)) for each in (breach, ended))]
    for message in messages:
        assert not faults(path_of(message), json.loads(message.value))
    about = say.About("flag", "f1")
    made = say.Disposition("d1", about, "dismiss", "C5", say.Subject("O1"), None, "a", "admin", "why", 1)
    decided = f"out/{dict(dispositions.headers_of(made))['ce_type'].decode()}.json"
    assert not faults(decided, json.loads(dispositions.encode(made)))
    told = seen | {path_of(message) for message in messages} | {decided}
    assert told == {f"out/{name}.json" for name in schemas.PUBLISHED}


def test_a_flag_names_its_schema() -> None:
    """The header `ce_dataschema` is the schema's id."""
    desk = Desk()
    desk.write(a_send()).work()
    (message, *_) = desk.messages
    assert dict(message.headers)["ce_dataschema"].decode() == SCHEMAS[path_of(message)]["$id"]


# -- AsyncAPI ---------------------------------------------------------------------------------------------------


def test_every_reference_leads_somewhere() -> None:
    """Within the document, and to the schemas beside it."""
    found = 0
    for target in references(ASYNCAPI):
        found += 1
        if target.startswith("#/"):
            place: Any = ASYNCAPI
            for name in target[2:].split("/"):
                place = place[name]
        else:
            assert target in SCHEMAS
    assert found > len(SCHEMAS)


def references(value: Any) -> list[str]:
    """All `$ref`s below a value."""
    if isinstance(value, list):
        return [target for each in value for target in references(each)]
    if not isinstance(value, dict):
        return []
    return [each for name, each in value.items() if name == "$ref"] + [
        target for each in value.values() for target in references(each)
    ]


def test_every_topic_that_others_meet_is_a_channel() -> None:
    """What is read, and what is published; not the books, nor what nobody else reads."""
    internal = {"ledger", "rollups", "canary"}
    assert ASYNCAPI["channels"].keys() == KEYS.keys() - internal
    actions = {kind: "receive" if kind in KINDS else "send" for kind in ASYNCAPI["channels"]}
    told = {each["channel"]["$ref"].rpartition("/")[2]: each["action"] for each in ASYNCAPI["operations"].values()}
    assert told == actions
    assert ASYNCAPI["channels"]["flags"]["address"] == "sms.flags"
    assert ASYNCAPI["channels"]["flags"]["messages"].keys() == {outgoing.RAISED, outgoing.CLEARED}


def test_headers_are_those_that_are_written() -> None:
    """CloudEvents' and no others, with the values that a flag has."""
    desk = Desk()
    desk.write(a_send()).work()
    (message, *_) = desk.messages
    written = {name: value.decode() for name, value in message.headers}
    said = ASYNCAPI["components"]["messages"][outgoing.RAISED]["headers"]
    assert written.keys() == said["properties"].keys() == set(said["required"])
    Draft7Validator(said).validate(written)


# -- what must not change within a version ----------------------------------------------------------------------


def changed(path: str, *change: Any) -> list[str]:
    """What `breaks` says of a schema after a change at a place in it; None takes the place away."""
    *way, name, value = change
    after = copy.deepcopy(SCHEMAS[path])
    place = after
    for step in way:
        place = place[step]
    if value is None:
        del place[name]
    else:
        place[name] = value
    return list(schemas.breaks(SCHEMAS[path], after, published=path.startswith("out/")))


FLAG, SEND, CONSENT = "out/sendwatch.flag.raised.v1.json", "in/sends.v1.json", "in/consents.v1.json"
DECIDED = "out/sendwatch.disposition.made.v1.json"
TEXT = {"type": "string", "minLength": 1, "maxLength": 128}


@pytest.mark.parametrize(
    ("path", "change", "said"),
    [
        (FLAG, ("properties", "new", {"type": "string"}), []),
        (FLAG, ("properties", "rule", None), ["rule: gone"]),
        (FLAG, ("properties", "revision", {"type": "string"}), ["revision: was integer, is string"]),
        (FLAG, ("required", ["flag_id"]), None),
        (FLAG, ("definitions", "FlaggedSend", "properties", "port", None), ["send.port: gone"]),
        (
            FLAG,
            ("definitions", "Because", "properties", "id", {"type": "integer"}),
            ["because.id: was string, is integer"],
        ),
        (SEND, ("required", ["id", "recipient", "sp", "port", "sent_at", "text"]), ["text: newly required"]),
        (SEND, ("required", ["id", "recipient", "sp", "port"]), []),
        (SEND, ("definitions", "Part", "properties", "no", {"type": "string"}), ["part.no: was integer, is string"]),
        (SEND, ("properties", "id", {"anyOf": [{"type": "integer"}, TEXT]}), []),
        (
            FLAG,
            ("properties", "flag_id", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
            ["flag_id: was string, is null or string"],
        ),
        (SEND, ("properties", "id", TEXT | {"maxLength": 64}), ["id: another maxLength"]),
        (SEND, ("properties", "id", TEXT | {"maxLength": 256}), []),
        (SEND, ("properties", "id", TEXT | {"pattern": "^a"}), ["id: another pattern"]),
        (SEND, ("properties", "sent_at", "minimum", 1_000_000_000_000), ["sent_at: another minimum"]),
        (SEND, ("properties", "sent_at", "minimum", None), []),
        (CONSENT, ("properties", "action", "enum", ["grant"]), ["action: another enum"]),
        (CONSENT, ("properties", "action", "enum", ["grant", "withdraw", "ask"]), []),
        (
            CONSENT,
            ("properties", "types", "anyOf", [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]),
            ["types: another items"],
        ),
        (FLAG, ("properties", "status", {"const": "cleared"}), ["status: another enum"]),
        (
            DECIDED,
            ("properties", "action", "enum", ["appeal", "confirm", "dismiss", "except", "suspend", "shrug"]),
            ["action: another enum"],
        ),
    ],
)
def test_what_breaks_somebody_is_told(path: str, change: tuple[Any, ...], said: list[str] | None) -> None:
    """Gone, retyped, newly required of writers or forbidden to them, no longer promised to readers or new to them."""
    found = changed(path, *change)
    if said is None:
        assert "rule: may now be missing" in found
    else:
        assert found == said


def last_release() -> Path:
    """The folder of the version that was released last."""
    return max(RELEASED.iterdir(), key=lambda folder: [int(number) for number in folder.name.split(".")])


def test_nothing_that_was_released_is_broken() -> None:
    """Of the last release every field is still there, takes what it took and holds what it was promised to hold."""
    released = schemas.read_folder(last_release())
    assert {path.partition("/")[0] for path in released} == {"in", "out"}
    assert not list(schemas.differences(released, SCHEMAS))


def test_topics_and_headers_that_were_released_are_still_there() -> None:
    """Under their names, keyed as they were, with what readers were promised of the headers."""
    released = json.loads((last_release() / "asyncapi.json").read_text("utf-8"))
    for kind, channel in released["channels"].items():
        assert ASYNCAPI["channels"][kind]["address"] == channel["address"]
    for name, was in released["components"]["messages"].items():
        now = ASYNCAPI["components"]["messages"][name]
        assert now["bindings"] == was["bindings"]
        assert not list(schemas.breaks(was.get("headers", {}), now.get("headers", {}), published=True))


def test_a_release_is_what_its_version_made() -> None:
    """The last one's is this version or one before it."""
    for folder in RELEASED.iterdir():
        made_by = json.loads((folder / "asyncapi.json").read_text("utf-8"))["info"]["version"]
        assert made_by == folder.name
    newest, present = ([int(number) for number in each.split(".")] for each in (last_release().name, __version__))
    assert newest <= present


def test_on_the_command_line_two_folders_are_held_against_each_other(tmp_path: Path) -> None:
    """Status 1 where something breaks."""
    call = CliRunner().invoke
    for name in ("before", "after"):
        assert call(main, ["schema", "export", "--output", str(tmp_path / name)]).exit_code == 0
    same = call(main, ["schema", "diff", str(tmp_path / "before"), str(tmp_path / "after")])
    assert (same.exit_code, same.output) == (0, "")
    (tmp_path / "after/out/sendwatch.quarantine.v1.json").unlink()
    gone = call(main, ["schema", "diff", str(tmp_path / "before"), str(tmp_path / "after")])
    assert (gone.exit_code, gone.output) == (1, "out/sendwatch.quarantine.v1.json: gone\n")
