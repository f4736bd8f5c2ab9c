"""The API over HTTP, by a desk that is connected to nothing: who may what, what is refused, what is described."""

from __future__ import annotations

import logging
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiohttp import web
from desk_builders import TOKENS, a_breach, a_desk, a_disposition, a_flag, asked, told
from jsonschema import Draft202012Validator

from engine_builders import NOW
from sendwatch.desk import openapi
from sendwatch.desk.routes import ROUTES
from sendwatch.ledger import Range, Tally
from sendwatch.ledger import Version as Program
from sendwatch.windows.sums import Complained, Sums

if TYPE_CHECKING:
    from pathlib import Path

    from sendwatch.desk.routes import Route
    from sendwatch.desk.say import Disposition
    from sendwatch.desk.server import Desk

DOCUMENT = openapi.document(ROUTES)
MINUTE, HOUR = 60_000, 3_600_000
EXAMPLES = {"/v1/flags/{flag_id}": f"/v1/flags/{1:032x}", "/v1/explain": None, "/v1/check": None}


def a_filled_desk(tokens: Path | None = None, **settings: str) -> Desk:
    """One flag, one breach, a disposition of each kind, and a little that was counted."""
    desk = a_desk(tokens, **settings)
    hand = desk.at_hand
    for number in range(3):
        hand.flags.take(a_flag(number))
    hand.take_breach(a_breach())
    for number, action in enumerate(("confirm", "dismiss", "except", "suspend", "appeal")):
        until = "2099-01-01" if action == "except" else None
        hand.dispositions.take(a_disposition(number, action=action, until=until))
    assert desk.board is not None
    minute = NOW // MINUTE
    tally = Tally(
        minute, "cm", "53", "sp1", "10690001", "O1", "云岭商贸", "marketing", 10, 10, 1, {"C5_AFTER_OPT_OUT": 3}
    )
    complaint = Complained(NOW // HOUR, "O1", "10690001", "12321", "marketing", "sp1", "cm", "53", False, "latest")
    sums = Sums(complained=[(complaint, 2)], refused=[(NOW // HOUR, "O1", 4)])
    desk.board.fold(
        Range(1, Program("0", "r", "c"), NOW, NOW, {}, {}, 0, tallies=[tally], sums=sums),
    )
    return desk


def schema_of(route: Route) -> dict[str, Any]:
    """What the document says that a route answers."""
    operation = DOCUMENT["paths"][route.path][route.method.lower()]
    shape = operation["responses"][str(route.status)]["content"]["application/json"]["schema"]
    return {**shape, "components": DOCUMENT["components"]}


def test_the_document_describes_every_path_that_is_served_and_no_other() -> None:
    """It is made from the table that is served; what stands beside the table is named here."""
    beside = {("get", "/v1/stream"), ("get", "/v1/openapi.json"), ("post", "/v1/session"), ("delete", "/v1/session")}
    described = {(method, path) for path, operations in DOCUMENT["paths"].items() for method in operations}
    assert described == {(route.method.lower(), route.path) for route in ROUTES} | beside


def test_every_reference_of_the_document_leads_somewhere() -> None:
    """And each schema is one."""
    text = msgspec.json.encode(DOCUMENT).decode()
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= DOCUMENT["components"]["schemas"].keys()
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("route", [each for each in ROUTES if each.method == "GET"], ids=lambda each: each.path)
async def test_every_answer_is_as_the_document_says(route: Route, tmp_path: Path) -> None:
    """Asked without parameters, over a desk with something of everything."""
    path = EXAMPLES.get(route.path, route.path)
    if path is None:
        return  # needs Kafka: see the live test
    async with asked(a_filled_desk(tmp_path), "admin") as client, client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        Draft202012Validator(schema_of(route)).validate(await told(answer))


async def test_what_is_counted_is_told() -> None:
    """Sums, names and the trend of complaints, as they were folded."""
    async with asked(a_filled_desk()) as client:
        summary = await told(await client.get("/v1/summary?window=30d"))
        series = await told(await client.get("/v1/series?name=sends&window=1d"))
        coverage = await told(await client.get("/v1/coverage"))
    assert summary["totals"]["30d"] == {"sends": 10, "flagged": 3, "undecided": 1, "complaints": 2}
    assert summary["coverage"]["1d"] == 0.9
    assert summary["top"]["owner"][0]["name"]["zh"] == "云岭商贸有限公司"
    assert summary["provinces"][0]["name"] == {"en": "Yunnan", "zh": "云南"}
    assert summary["complaints"]["worst"][0]["complaints"] == 2
    assert summary["optouts"] | {"owners": []} == {
        "refusals": 4, "after_opt_out": 3, "ignored": 0, "owners": [],
    }  # fmt: skip
    assert {each["rule"]: each["flags"] for each in summary["rules"]}["C5_AFTER_OPT_OUT"] == 3
    assert [points for _, points in series["points"]] == [10]
    assert coverage["subjects"][0]["coverage"] == 0.9


async def test_a_process_that_does_not_add_up_says_so() -> None:
    """The summary is there without counts; what is only counts is told no."""
    desk = a_filled_desk()
    desk.aggregator.folding = None
    async with asked(desk) as client:
        summary = await told(await client.get("/v1/summary"))
        top = await client.get("/v1/top")
    assert (summary["counting"], summary["totals"]["1d"]["sends"], len(summary["latest"])) == (False, 0, 3)
    assert (top.status, top.content_type) == (503, "application/problem+json")


# -- who may ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [None, "viewer", "analyst", "admin"])
async def test_each_path_lets_in_those_whose_role_it_names(role: str | None, tmp_path: Path) -> None:
    """And tells the others whether to log in or that it is not for them."""
    order = [None, "viewer", "analyst", "admin"]
    async with asked(a_filled_desk(tmp_path, desk__rate="10000"), role) as client:
        for route in ROUTES:
            body: dict[str, Any] | None = {} if route.method == "POST" else None
            path = route.path.replace("{flag_id}", f"{1:032x}")
            async with client.request(route.method, path, json=body) as answer:
                refused = answer.status in (401, 403)
                assert refused == (order.index(role) < order.index(route.least)), route.path
                assert not refused or answer.status == (401 if role is None else 403)
        async with client.get("/v1/stream") as stream:
            assert stream.status == (401 if role is None else 200)


async def test_a_token_can_be_changed_for_a_cookie_that_scripts_do_not_see(tmp_path: Path) -> None:
    """A page's event stream can send no header of its own."""
    async with asked(a_filled_desk(tmp_path)) as client:
        assert (await client.get("/v1/summary")).status == 401
        assert (await client.post("/v1/session", json={"token": "sw_guess"})).status == 401
        login = await client.post("/v1/session", json={"token": TOKENS["viewer"]})
        cookie = login.cookies["sendwatch"]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
        client.session.cookie_jar.update_cookies({"sendwatch": cookie.value})
        me = await told(await client.get("/v1/me"))
        assert (me["name"], me["role"], me["open"]) == ("a viewer", "viewer", False)


async def test_without_tokens_only_this_machine_is_answered_by_its_own_names() -> None:
    """A page that a browser was made to take for this machine's (DNS rebinding) names another host."""
    async with asked(a_filled_desk()) as client:
        assert (await client.get("/v1/summary")).status == 200
        assert (await client.get("/v1/summary", headers={"Host": "evil.example:80"})).status == 403


async def test_what_changes_comes_as_json_from_our_own_page() -> None:
    """Another page's form can send neither; what it can send is refused before anything is looked at."""
    async with asked(a_filled_desk()) as client:
        body = '{"about": {"kind": "flag", "id": "x"}, "action": "confirm", "why": "because"}'
        form = await client.post("/v1/dispositions", data=body, headers={"Content-Type": "text/plain"})
        stranger = await client.post("/v1/dispositions", json={}, headers={"Origin": "http://evil.example"})
        deletion = await client.delete("/v1/session")
    assert (form.status, stranger.status, deletion.status) == (415, 403, 403)


async def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    """As the settings say."""
    async with asked(a_filled_desk(desk__rate="1")) as client:
        statuses = [(await client.get("/v1/rules")).status for _ in range(4)]
        refused = await client.get("/v1/rules")
    assert statuses == [200, 200, 200, 429]
    assert int(refused.headers["Retry-After"]) >= 1


# -- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/v1/flags?color=red", 400, "no parameter 'color'"), ("/v1/flags?limit=0", 400, "limit"),
        ("/v1/flags?limit=2&limit=3", 400, "twice"), ("/v1/flags?since=soon", 400, "since"),
        ("/v1/flags/xyz", 400, "flag_id"), (f"/v1/flags/{9:032x}", 404, "No flag"), ("/v1/nothing", 404, "openapi"),
        ("/v1/explain", 400, "either a flag or a source"), ("/v1/explain?source=sms.consents:0:1", 404, "sms.sends"),
        ("/v1/series?family=owner", 400, "subject"), ("/v1/summary?window=1y", 400, "window"),
        ("/../settings.py", 404, "no such page"), ("/server.py", 404, "no such page"),
    ],
)  # fmt: skip
async def test_a_question_that_cannot_be_answered_is_told_why(path: str, status: int, says: str) -> None:
    """In one form, whatever was wrong."""
    async with asked(a_filled_desk()) as client, client.get(path) as answer:
        problem = await told(answer)
        assert (answer.status, answer.content_type) == (status, "application/problem+json")
        assert (problem["status"], says in problem["detail"]) == (status, True), problem


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({"action": "block"}, 422, "action"), ({"why": "x"}, 422, "why"),
        ({"about": {"kind": "flag", "id": "f"}}, 404, "No flag"),
        ({"action": "except"}, 422, "until"), ({"action": "except", "until": "2020-01-01"}, 422, "over"),
        ({"action": "except", "until": "2099-02-31"}, 422, "no day"), ({"blocked": True}, 422, "blocked"),
        ({"action": "except", "until": "2099-01-01", "subject": {"sp": "sp1"}}, 422, "owner or a signature"),
        ({"about": {"kind": "breach", "id": "b9"}}, 404, "No breach"),
    ],
)  # fmt: skip
async def test_a_decision_that_cannot_stand_is_told_why(wrong: dict[str, Any], status: int, says: str) -> None:
    """Nothing is written then."""
    decision = {"about": {"kind": "flag", "id": f"{1:032x}"}, "action": "confirm", "why": "looked at it"}
    async with asked(a_filled_desk()) as client, client.post("/v1/dispositions", json={**decision, **wrong}) as answer:
        problem = await told(answer)
        assert (answer.status, says in problem["detail"]) == (status, True), problem


async def test_recommending_a_suspension_is_for_administrators(tmp_path: Path) -> None:
    """What may follow for an enterprise needs a person who answers for it."""
    decision = {"about": {"kind": "flag", "id": f"{1:032x}"}, "action": "suspend", "why": "looked at it"}
    desk = a_filled_desk(tmp_path)
    async with asked(desk, "analyst") as client:
        assert (await client.post("/v1/dispositions", json=decision)).status == 403
    async with asked(desk, "admin") as client:
        assert (await client.post("/v1/dispositions", json=decision)).status == 503  # it is connected to nothing


async def test_whoever_looks_at_evidence_stands_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Who and which flag; the list of flags has no evidence and no recipient in it."""
    desk = a_filled_desk(tmp_path)
    with caplog.at_level(logging.INFO, "sendwatch.desk"):
        async with asked(desk, "analyst") as client:
            listed = await (await client.get("/v1/flags")).text()
            assert not caplog.records
            await client.get(f"/v1/flags/{1:032x}")
    (line,) = caplog.records
    assert (line.__dict__["who"], line.__dict__["flag_id"], line.message) == (
        "a analyst",
        f"{1:032x}",
        "evidence looked at",
    )
    assert "evidence" not in listed
    assert a_flag().send.recipient not in listed
    async with asked(desk, "admin") as client:
        looks = (await told(await client.get("/v1/access")))["looks"]
    assert [(look["name"], look["what"]) for look in looks] == [("a analyst", "flag")]


async def test_every_answer_keeps_browsers_from_guessing_and_from_others() -> None:
    """Pages and answers alike."""
    async with asked(a_filled_desk()) as client:
        for path in ("/", "/v1/summary", "/v1/nothing"):
            headers = (await client.get(path)).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'self'" in headers["Content-Security-Policy"]


async def test_an_open_page_is_told_what_happens_in_order() -> None:
    """First who it talks to, then flags; what changed while it was away is told when it comes back."""
    desk = a_filled_desk()
    async with asked(desk) as client:
        async with client.get("/v1/stream") as stream:
            await stream.content.readuntil(b"\n\n")  # when to try again
            assert b"event: hello" in await stream.content.readuntil(b"\n\n")
            held = desk.at_hand.flags.take(a_flag(7))
            assert held is not None
            desk.stream.add_flags([held])
            desk.stream.push_flags()
            event = await stream.content.readuntil(b"\n\n")
            assert event.startswith(b"id: 4\nevent: flags\n")
            assert [each["send"]["id"] for each in msgspec.json.decode(event.split(b"data: ")[1])["flags"]] == ["s7"]
        async with client.get("/v1/stream", headers={"Last-Event-ID": "2"}) as stream:
            for _ in range(2):
                await stream.content.readuntil(b"\n\n")
            event = await stream.content.readuntil(b"\n\n")
            assert [each["seq"] for each in msgspec.json.decode(event.split(b"data: ")[1])["flags"]] == [3, 4]
        desk.stream.close()


async def test_a_number_in_a_reason_is_masked_before_it_is_published() -> None:
    """People write whom they called; no topic holds a phone number."""
    published: list[Disposition] = []

    async def publish(made: Disposition) -> None:
        published.append(made)

    desk = a_filled_desk()
    desk.following = SimpleNamespace(publish=publish, caught_up=True)  # type: ignore[assignment]
    decision = {"about": {"kind": "flag", "id": f"{1:032x}"}, "action": "confirm", "why": "已致电 13912345678 核实"}
    async with asked(desk) as client, client.post("/v1/dispositions", json=decision) as answer:
        assert (answer.status, (await told(answer))["why"]) == (201, "已致电 [number] 核实")
    assert [each.why for each in published] == ["已致电 [number] 核实"]


async def test_it_says_what_it_has_not_caught_up_with(tmp_path: Path) -> None:
    """On a path for probes, open to whoever may ask at all; while filings are unknown nothing is checked."""
    desk = a_filled_desk(tmp_path)
    desk.aggregator.informed = False
    campaign = {"send": {"sp": "sp1", "port": "10690001", "text": "【云岭商贸】满减"}}
    async with asked(desk, "analyst") as client:
        async with client.get("/-/ready", headers={"Authorization": ""}) as answer:
            assert (answer.status, await told(answer)) == (
                503, {"ready": False, "behind": ["kafka", "registries", "books"]},
            )  # fmt: skip
        async with client.post("/v1/check", json=campaign) as answer:
            assert (answer.status, "registries" in (await told(answer))["detail"]) == (503, True)
        desk.aggregator.informed = True
        async with client.post("/v1/check", json=campaign) as answer:
            assert answer.status == 200
        assert desk.health().behind == ["kafka", "books"]


async def test_the_probe_passes_once_everything_is_read(tmp_path: Path) -> None:
    """Published records come last."""
    desk = a_filled_desk(tmp_path)
    desk.aggregator._clients, desk.aggregator._put_right = [object()], True
    async with asked(desk) as client:
        for caught_up, status, behind in ((False, 503, ["published"]), (True, 200, [])):
            desk.following = SimpleNamespace(caught_up=caught_up)  # type: ignore[assignment]
            async with client.get("/-/ready") as answer:
                assert (answer.status, (await told(answer))["behind"]) == (status, behind)


async def test_a_port_that_is_taken_stops_nobody_from_adding_up(caplog: pytest.LogCaptureFixture) -> None:
    """As where two processes stand ready on one machine: it is said once, and tried again."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        desk = a_desk(desk__port=str(other.getsockname()[1]))
        desk._runner = web.AppRunner(web.Application())
        await desk._runner.setup()
        await desk._listen()
        await desk._listen()
        assert not desk._runner.sites
        assert [record.message for record in caplog.records] == ["the desk cannot listen; trying again"]
    await desk._listen()
    assert len(desk._runner.sites) == 1
    await desk._runner.cleanup()
