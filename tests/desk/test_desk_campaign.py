"""A campaign before it is sent: what is asked, who is asked, and what it amounts to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from engine_builders import ANNE, BODO, JUDGING, NOW, SETTINGS, TEXT
from sendwatch.cli import main
from sendwatch.cli.desk import _lines
from sendwatch.desk import sheet
from sendwatch.desk.ask import Campaign, PlannedRecipient, PlannedSend
from sendwatch.desk.campaign import questions
from sendwatch.desk.check import CannotCheckError, Checker
from sendwatch.desk.named import named
from sendwatch.desk.workers import CannotAskError
from sendwatch.engine.planned import MOST, Answered, Found, FoundFlag
from sendwatch.outgoing import Law, Reason
from sendwatch.partitions import partition_of
from sendwatch.windows.board import Board
from sendwatch.windows.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from sendwatch.desk.say_check import CheckAnswer
    from sendwatch.engine.planned import Lookup

NIGHT = NOW + 9 * 3_600_000
FLAG = FoundFlag("C1_CONSENT_MISSING", "high", False, Law("p", "c", checked=True), Reason("en", "zh"), {})


def a_campaign(*recipients: str | PlannedRecipient, details: Any = "flagged", **fields: Any) -> Campaign:
    """A text of 云岭商贸 from 10690001 by sp1."""
    usual = {"sp": "sp1", "port": "10690001", "text": TEXT, "planned_at": NOW, "carrier": "cm", "province": "53"}
    return Campaign(PlannedSend(**{**usual, **fields}), list(recipients), details)


class Asked:
    """Workers who say of every recipient the same, or who do not answer."""

    def __init__(self, *flags: FoundFlag, silent: frozenset[int] = frozenset(), **undecided: str) -> None:
        """`silent`: the partitions that nobody owns."""
        self.flags, self.undecided, self.silent = list(flags), undecided, silent
        self.asked: list[Lookup] = []

    async def planned(self, ask: Lookup) -> Answered:
        """What they all say."""
        self.asked.append(ask)
        if ask.partition in self.silent:
            raise CannotAskError("not_owned")
        return Answered([Found(each.n, self.flags, self.undecided) for each in ask.sends], "r", "c")


async def checked(campaign: Campaign, workers: Any = None, partitions: int = 4, **more: Any) -> CheckAnswer:
    """A campaign, checked by these workers."""
    judging = replace(JUDGING, partitions=partitions)
    return await Checker(SETTINGS, judging, named(judging), workers, **more).check(campaign)


async def test_what_the_workers_say_is_added_up() -> None:
    """By verdict, by rule and reason; the number never comes back, its token does."""
    answer = await checked(a_campaign(ANNE, BODO), Asked(FLAG, C3_PROOF_MISSING="method_unknown"))
    assert (answer.sum.flagged, answer.complete, answer.by) == (2, True, {"worker": 2, "desk": 0, "topics": 0})
    rules = {each.rule: (each.flagged, each.undecided) for each in answer.rules}
    assert rules == {"C1_CONSENT_MISSING": (2, {}), "C3_PROOF_MISSING": (0, {"method_unknown": 2})}
    assert [each.recipient for each in answer.recipients] == [JUDGING.pseudonyms.token(each) for each in (ANNE, BODO)]
    assert [answer.recipients[0].flags[0].reason.zh, answer.recipients[0].undecided[0].reason_words.zh] == [
        "zh", "同意的取得方式未知",
    ]  # fmt: skip


async def test_those_whom_nobody_knows_are_unknown_and_never_clean() -> None:
    """Said plainly: in sum, in a note, and for every rule that needs a history."""
    people = [f"139{number:08}" for number in range(40)]
    silent = partition_of(people[0].encode(), 4)
    answer = await checked(a_campaign(*people, details="all"), Asked(silent=frozenset({silent})))
    unknown = [people[each.n] for each in answer.recipients if each.verdict == "unknown"]
    assert unknown == [each for each in people if partition_of(each.encode(), 4) == silent]
    assert (answer.sum.unknown, answer.sum.clean) == (len(unknown), 40 - len(unknown))
    assert not answer.complete
    assert "not clean" in answer.notes[0].en
    assert {each.why for each in answer.recipients if each.verdict == "unknown"} == {"not_owned"}
    assert next(each.unknown for each in answer.rules if each.rule == "C1_CONSENT_MISSING") == len(unknown)
    assert not any(each.rule.startswith("G") for each in answer.rules)


async def test_what_the_send_itself_breaks_is_flagged_though_nobody_knows_the_recipient() -> None:
    """At night it is flagged, whoever it goes to."""
    answer = await checked(a_campaign(ANNE, planned_at=NIGHT))
    assert (answer.sum.flagged, answer.sum.unknown, answer.complete) == (1, 0, False)
    assert answer.recipients[0].flags[0].rule == "B1_QUIET_HOURS"


async def test_the_send_alone_is_answered_rule_by_rule() -> None:
    """Those that need a history say that they turn on it; so a campaign can be checked before its list is there."""
    answer = await checked(a_campaign(planned_at=NIGHT))
    outcomes = {each.rule: each.outcome for each in answer.answers}
    assert (outcomes["B1_QUIET_HOURS"], outcomes["C1_CONSENT_MISSING"], outcomes["G2_SIGNATURE_UNFILED"]) == (
        "flagged", "recipient", "clean",
    )  # fmt: skip
    assert (answer.asked, answer.send.owner, answer.send.type_source) == (0, "O1", "text")


async def test_so_many_sends_are_held_against_the_complaints_there_were() -> None:
    """With what is counted at hand."""
    answer = await checked(a_campaign(ANNE, signature="x"), Asked(), board=Board(Limits()))
    assert answer.readiness is not None
    assert (answer.readiness.owner, answer.readiness.room) == ("O1", 4)


async def test_a_send_that_no_topic_would_take_is_no_campaign() -> None:
    """Told before anybody is asked."""
    with pytest.raises(CannotCheckError, match="impossible_value"):
        await checked(a_campaign(ANNE, port="letters"), Asked())


async def test_a_signature_is_put_before_a_text_that_has_none() -> None:
    """And before no other."""
    bare = "会员日全场女装八折，满300减50，欢迎选购。拒收请回复R"
    asked = questions(a_campaign(ANNE, text=bare, signature="云岭商贸"), 4, NOW, BODO)
    assert asked.lookups[0].texts == [TEXT]
    assert questions(a_campaign(ANNE, signature="湖畔书屋"), 4, NOW, BODO).lookups[0].texts == [TEXT]


def test_a_campaign_is_asked_in_pieces_that_a_worker_takes() -> None:
    """By partition, each number once; what one recipient is to get stays in one piece, with its texts."""
    own = PlannedRecipient(ANNE, text="another", planned_at=NOW + 1)
    people: list[str | PlannedRecipient] = [*(f"139{n:08}" for n in range(1500)), ANNE, own, "13900000007"]
    asked = questions(a_campaign(*people), 2, NOW, BODO)
    numbers = [each.n for lookup in asked.lookups for each in lookup.sends]
    assert sorted(numbers) == list(range(1503))
    homes: dict[str, set[int]] = {}
    for place, lookup in enumerate(asked.lookups):
        assert len(lookup.sends) <= MOST
        for each in lookup.sends:
            assert partition_of(each.recipient.encode(), 2) == lookup.partition
            homes.setdefault(each.recipient, set()).add(place)
    assert all(len(places) == 1 for places in homes.values())
    told = {(e.recipient, lookup.texts[e.text], e.at) for lookup in asked.lookups for e in lookup.sends}
    assert {(ANNE, TEXT, NOW), (ANNE, "another", NOW + 1)} <= told


async def test_recipients_beyond_the_room_are_counted() -> None:
    """The answer stays of a size that a page can show."""
    people = [f"139{number:08}" for number in range(1200)]
    answer = await checked(a_campaign(*people), Asked(FLAG))
    assert (len(answer.recipients), answer.left_out, answer.sum.flagged) == (1000, 200, 1200)


# -- from a file ----------------------------------------------------------------------------------------------


def test_a_table_becomes_campaigns_by_what_their_rows_share() -> None:
    """Rows keep the number of their line; columns are known by their Chinese names too."""
    lines = ["手机号,内容,端口,备注", f"{BODO},,10690002,x", "", f"{ANNE},【甲】您好,,", f"{BODO},,,"]
    pieces = list(sheet.pieces(lines, {"sp": "sp1", "port": "10690001", "text": TEXT}, "all"))
    ports = {piece.campaign.send.port: (piece.rows, piece.campaign.recipients) for piece in pieces}
    assert ports["10690002"] == ([2], [PlannedRecipient(BODO)])
    assert ports["10690001"] == ([5, 4], [PlannedRecipient(BODO), PlannedRecipient(ANNE, text="【甲】您好")])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("port\n1\n", "line 1: no column"), (f"recipient,planned_at\n{ANNE},soon\n", "line 2: 'soon' is no time"),
        (f"recipient\n{ANNE}\n", "sp"), ("recipient\n", "no rows"), ("recipient,sp\n,sp1\n", "line 2: no recipient"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read_is_told_by_its_line(text: str, says: str, tmp_path: Path) -> None:
    """Status 2, and no number on the terminal."""
    path = tmp_path / "c.csv"
    path.write_text(text, encoding="utf-8")
    told = CliRunner().invoke(main, ["check-campaign", str(path), "--server", "http://127.0.0.1:1"])
    assert (told.exit_code, says in told.stderr, ANNE in told.output) == (2, True, False), told.stderr


async def test_rules_that_are_undecided_for_one_reason_are_told_in_one_breath() -> None:
    """On the terminal, in either language: each reason once, with the rules that it leaves open."""
    said = Asked(
        FLAG, C3_PROOF_MISSING="method_unknown", C2_CONSENT_NOT_EXPLICIT="method_unknown", B1_QUIET_HOURS="type_unknown"
    )
    answer = await checked(a_campaign(ANNE), said)
    line = next(each for each in _lines(answer, "zh") if each.startswith("  line 0"))
    assert line.endswith("zh; C3, C2 undecided 未决: 同意的取得方式未知; B1 undecided 未决: 短信类型未知"), line


async def test_answers_of_pieces_are_one_answer() -> None:
    """Everything that can be added up is."""
    one = await checked(a_campaign(ANNE), Asked(FLAG))
    other = await checked(
        a_campaign(BODO, "12"), Asked(FLAG, C3_PROOF_MISSING="method_unknown", silent=frozenset(range(4)))
    )
    whole = sheet.merged([sheet.renumbered(one, [7]), sheet.renumbered(other, [3, 9])])
    assert (whole.asked, whole.complete, whole.by["worker"], whole.by["desk"]) == (3, False, 1, 2)
    assert (whole.sum.flagged, whole.sum.unknown, whole.sum.refused) == (1, 1, 1)
    assert [each.n for each in whole.recipients] == [3, 7, 9]
    assert whole.notes == other.notes
