"""What a batch adds to the windows: complaints and reports joined to their sends, each counted once."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from build import CODE, DAY, HOUR, NOW, TEXT, a_filing, a_kept, a_registry
from sendwatch import ledger
from sendwatch.events import Complaint, Report
from sendwatch.text import read
from sendwatch.windows import aftermath
from sendwatch.windows.aftermath import DELIVERED, Aftermath, Sent, Slip, Told
from sendwatch.windows.complaints import About, heard, resolve
from sendwatch.windows.copies import Fingerprints
from sendwatch.windows.joins import Joins
from sendwatch.windows.limits import Limits
from sendwatch.windows.sums import MOST_COPIES, Blocked, Hit, Reported, Sums

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sendwatch.dossier import Kept

ANNE = b"anne"
REGISTRY = a_registry([a_filing(), a_filing("f2", signature="湖畔书屋", owner="O2"), a_filing("f3", signature="两家")])
LIMITS = Limits(honeypots=frozenset({"19900000000"}))


def a_complaint(id_: str = "x1", **fields: Any) -> Complaint:
    """Anne complains of 10690001, now."""
    usual: dict[str, Any] = {"recipient": "anne", "channel": "12321", "port": "10690001", "received_at": NOW}
    return Complaint(id=id_, **{**usual, **fields})


def a_report(send_id: str = "k1", stat: str = DELIVERED, done_at: int = NOW) -> Report:
    """A status report on a send to Anne."""
    return Report(send_id, "anne", stat, done_at)


class Desk:
    """Joins over several batches of one recipient, with what is kept between them."""

    def __init__(self) -> None:
        """Nothing is kept."""
        self.kept: dict[bytes, Aftermath] = {}
        self.sends: list[Kept] = []
        self.summed: list[Sums] = []

    def batch(self) -> Joins:
        """A batch that begins with what the last one left."""
        until = {recipient: each.complained_until() for recipient, each in self.kept.items()}
        waiting = {recipient for recipient, each in self.kept.items() if each.waiting}
        return Joins(LIMITS, self.load, until, waiting)

    def load(self, recipients: Iterable[bytes]) -> dict[bytes, Aftermath]:
        """As a store would: a copy."""
        packed = {each: aftermath.pack(self.kept.get(each, Aftermath())) for each in recipients}
        return {each: aftermath.unpack(value) for each, value in packed.items()}

    def work(self, *records: Any, event_time: int = NOW, silent: bool = False) -> Sums:
        """A batch: sends first, then reports, then complaints; what it sums up to."""
        joins = self.batch()
        joins.open({ANNE})
        for complaint in (each for each in records if isinstance(each, Complaint)):
            joins.expect(ANNE, complaint)
        for send in (each for each in records if not isinstance(each, Report | Complaint)):
            self.sends.append(send)
            if joins.matters(ANNE, "anne"):
                joins.sent(ANNE, "anne", send)
        for report in (each for each in records if isinstance(each, Report)):
            send = next((each for each in self.sends if each.id == report.send_id and each.commercial), None)
            joins.reported(ANNE, report, send, event_time, silent=silent)
        for complaint in (each for each in records if isinstance(each, Complaint)):
            joins.complained(ANNE, complaint, "anne")
        commercial = [each for each in self.sends if each.commercial]
        joins.take_due(ANNE, commercial, REGISTRY, event_time, lambda _: ("cm", "53"))
        sums = joins.sums(event_time)
        self.kept.update({each: joins.opened[each] for each in joins.changed})
        self.summed.append(msgspec.json.decode(msgspec.json.encode(sums), type=Sums))
        return self.summed[-1]


# -- whom a complaint is about -------------------------------------------------------------------------------


def about(*sends: Any, **fields: Any) -> About:
    """What a complaint with these fields is about, these sends being kept."""
    return resolve(heard(a_complaint(**fields)), sends, REGISTRY)


def told(found: About) -> tuple[str | None, str]:
    """The owner, and what told it."""
    return found.owner, found.found


def test_a_named_send_tells_most() -> None:
    """Even where the signature says otherwise."""
    send = a_kept(owner="O9")
    assert told(about(send, send_id="k1", signature="云岭商贸")) == ("O9", "send_id")
    assert told(about(send, send_id="unknown", signature="云岭商贸")) == ("O1", "signature")


def test_a_signature_names_the_owner_by_the_filings_on_that_port() -> None:
    """Given, or at either end of the text; not on a port where it is not filed, nor where it is not filed at all."""
    assert told(about(signature="湖畔书屋")) == ("O2", "signature")
    assert told(about(text="【湖畔书屋】周末全场图书五折")) == ("O2", "text")
    assert told(about(text="周末全场图书五折【湖畔书屋】")) == ("O2", "text")
    assert told(about(signature="湖畔书屋", port="10680001")) == (None, "nothing")
    assert told(about(a_kept(owner="O3"), signature="别家")) == ("O3", "latest")


def test_a_signature_that_two_owners_have_filed_on_the_port_names_neither() -> None:
    """Then the latest send from there does."""
    registry = a_registry([a_filing(), a_filing("f2", owner="O2")])
    found = resolve(heard(a_complaint(signature="云岭商贸")), [a_kept(owner="O2")], registry)
    assert told(found) == ("O2", "latest")


def test_else_the_latest_send_from_that_port_does() -> None:
    """Before the complaint; the one of the minute that the complaint names, where there is one."""
    old, late = a_kept("k1", at=NOW - 5 * HOUR, owner="O1"), a_kept("k2", at=NOW - HOUR, owner="O2")
    after, elsewhere = a_kept("k3", at=NOW + 1, owner="O3"), a_kept("k4", port="1", owner="O4")
    assert told(about(old, late, after, elsewhere)) == ("O2", "latest")
    assert told(about(old, late, sent_at=NOW - 5 * HOUR + 30_000)) == ("O1", "latest")
    assert told(about(elsewhere)) == (None, "nothing")


@pytest.mark.parametrize(
    ("text", "type_", "about_code"),
    [
        (CODE, "marketing", True),
        (TEXT, "otp", False),
        (None, "otp", True),
        (None, "marketing", False),
        ("好", "otp", True),
    ],
)
def test_a_complaint_about_a_code_is_told_by_its_text_else_by_the_send(
    text: str | None, type_: str, about_code: bool
) -> None:
    """A text of which the class is not sure tells nothing."""
    assert about(a_kept(type=type_), send_id="k1", text=text).about_code is about_code


# -- complaints ----------------------------------------------------------------------------------------------


def test_a_complaint_is_counted_once_for_a_message() -> None:
    """Through two channels, or twice through one; about another message it is another."""
    desk = Desk()
    sums = desk.work(a_kept(), a_complaint(), a_complaint("x2", channel="10086999"), a_complaint())
    ((each, count),) = sums.complained
    assert (each.owner, each.port, each.type, each.carrier, each.found, count) == (
        "O1", "10690001", "marketing", "cm", "latest", 1,
    )  # fmt: skip
    assert not desk.work(a_complaint("x3"), a_complaint()).complained
    assert desk.work(a_kept("k2", at=NOW - 1), a_complaint("x4")).complained


def test_complaints_without_any_send_are_one_by_their_text_and_time() -> None:
    """Else each is one of its own: nothing tells them to be the same."""
    desk = Desk()
    same = {"text": "周末全场图书五折", "port": "1"}
    sums = desk.work(
        a_complaint("x1", **same), a_complaint("x2", **same), a_complaint("x3", port="1"), a_complaint("x4", port="1")
    )
    assert sum(count for _, count in sums.complained) == 3


def test_a_complaint_waits_for_the_sends_before_it() -> None:
    """Facts may be read ahead of sends: event time tells when it is due. Its text is not kept meanwhile."""
    desk = Desk()
    assert not desk.work(a_complaint(text=TEXT), a_complaint(text=TEXT), event_time=NOW - 1).complained
    assert b"\xe4\xbc\x9a\xe5\x91\x98\xe6\x97\xa5" not in aftermath.pack(desk.kept[ANNE])
    assert desk.kept[ANNE].due_at() == NOW
    ((each, _),) = desk.work(a_kept(), event_time=NOW).complained
    assert (each.found, each.type, desk.kept[ANNE].due_at()) == ("text", "marketing", 0)
    assert not desk.work(a_complaint(text=TEXT)).complained


def test_reports_that_the_ledger_counts_already_leave_their_trace_and_count_nothing() -> None:
    """As after a restart: folded silently, and a repeat after that counts nothing either."""
    desk = Desk()
    assert desk.work(a_kept(), a_report(), silent=True) == Sums()
    assert not desk.work(a_report()).reported


# -- reports -------------------------------------------------------------------------------------------------


def test_a_report_is_counted_where_its_send_was_sent_from() -> None:
    """By the hour in which it was done; the first of a send, whatever comes after it."""
    desk = Desk()
    sums = desk.work(a_kept(), a_report(stat="UNDELIV"), a_report())
    assert sums.reported == [Reported(NOW // HOUR, "sp1", "10690001", 0, 1)]
    assert not desk.work(a_report()).reported


def test_a_report_on_a_send_that_is_not_kept_joins_nothing() -> None:
    """It is counted as such: the share of reports that count is known."""
    desk = Desk()
    assert desk.work(a_kept(type="otp"), a_report(done_at=NOW - 1)).unmatched == 1
    assert not desk.kept


def test_a_report_that_is_read_before_its_send_waits_for_it() -> None:
    """It was done after all that is read of the sends; the send comes with a later batch."""
    desk = Desk()
    assert desk.work(a_report(done_at=NOW + HOUR)) == Sums()
    assert desk.work(a_kept()).reported == [Reported(NOW // HOUR + 1, "sp1", "10690001", 1, 0)]
    assert not desk.work(a_kept()).reported


def test_what_waits_in_vain_is_forgotten() -> None:
    """No memory grows with reports on sends that are never read."""
    desk = Desk()
    desk.work(a_report(done_at=NOW + HOUR))
    desk.work(a_report("k2", done_at=NOW + 6 * DAY), event_time=NOW + 5 * DAY)
    assert [slip.send_id for slip in desk.kept[ANNE].slips] == ["k2"]


# -- complainants --------------------------------------------------------------------------------------------


def test_of_a_complainant_every_send_is_kept_and_codes_that_are_blocked_are_told() -> None:
    """Two in a row after the complaint, none delivered between."""
    desk = Desk()
    desk.work(a_kept(), a_complaint())
    codes = [a_kept(f"c{each}", at=NOW + each * HOUR, type="otp") for each in (1, 2, 3)]
    assert desk.work(codes[0], a_report("c1", "MBBLACK", NOW + HOUR)).blocked[0].run == 1
    sums = desk.work(codes[1], a_report("c2", "MBBLACK", NOW + 2 * HOUR), event_time=NOW + 2 * HOUR)
    assert sums.blocked == [Blocked("anne", "O1", 2, NOW + 30 * DAY)]
    assert sums.reported == [Reported(NOW // HOUR + 2, "sp1", "10690001", 0, 1)]


def test_a_send_that_comes_in_one_batch_with_the_complaint_is_kept_too() -> None:
    """A complaint is taken in after the batch's sends, but sends are kept from its time on."""
    desk = Desk()
    code = a_kept("c1", at=NOW + HOUR, type="otp")
    before = a_kept("c0", at=NOW - HOUR, type="otp")
    desk.work(a_kept(), before, code, a_complaint(), a_report("c1", "BLACK", NOW + HOUR))
    assert [(sent.id, sent.stat) for sent in desk.kept[ANNE].sends] == [("c1", "BLACK")]


@pytest.mark.parametrize("seed", range(20))
def test_a_run_is_what_lies_between_two_that_were_delivered(seed: int) -> None:
    """Blocked, delivered, nothing known, or another failure; marketing is left out."""
    random = Random(seed)
    kinds = random.choices(("otp", "service.bill", "marketing"), k=15)
    course = list(zip(kinds, random.choices("bdnu", (3, 1, 1, 1), k=15), strict=True))
    stats = {"b": "MBBLACK", "d": DELIVERED, "n": None, "u": "UNDELIV"}
    sends = [Sent(str(n), NOW + 1 + n, "sp1", "1", "O1", kind, stats[how]) for n, (kind, how) in enumerate(course)]
    needed = "".join(how for kind, how in course if kind != "marketing")
    longest = max((stretch.count("b") for stretch in needed.split("d")), default=0)
    file = Aftermath([Told("x", NOW, "O1", "m")], sends)
    assert aftermath.run_of_blocked(file, "O1", LIMITS.blocking) == longest
    assert aftermath.run_of_blocked(file, "O2", LIMITS.blocking) == 0


def test_what_was_blocked_before_the_complaint_or_long_after_is_no_answer_to_it() -> None:
    """Thirty days, beginning with the complaint."""
    file = Aftermath([Told("x", NOW, "O1", "m")])
    for at in (NOW - 2, NOW - 1, NOW + 30 * DAY, NOW + 31 * DAY):
        aftermath.put_sent(file, Sent(str(at), at, "sp1", "1", "O1", "otp", "MBBLACK"))
    assert aftermath.run_of_blocked(file, "O1", LIMITS.blocking) == 0


def test_after_thirty_days_nothing_is_kept_of_a_complainant() -> None:
    """Neither complaint nor sends."""
    file = Aftermath(
        [Told("x", NOW, "O1", "m")], [Sent("s", NOW + 1, "sp1", "1", "O1", "otp")], [Slip("s", NOW, "X", True)]
    )
    aftermath.forget(file, NOW + 30 * DAY)
    assert file.empty


def test_a_complainants_file_goes_with_the_ledger() -> None:
    """A new owner of the partition takes it up from there."""
    desk = Desk()
    joins = desk.batch()
    joins.open({ANNE})
    joins.complained(ANNE, a_complaint(), "anne")
    joins.take_due(ANNE, [a_kept()], REGISTRY, NOW)
    record = ledger.Range(1, ledger.Version("", "", ""), 0, 0, {}, {}, 0, cases=joins.cases())
    read_back = ledger.decode.decode(ledger.encode(record))
    assert isinstance(read_back, ledger.Range)
    assert read_back.cases == joins.cases()
    assert read_back.cases[0].aftermath.told[0].owner == "O1"


# -- honeypots and copies ------------------------------------------------------------------------------------


def test_a_send_to_a_honeypot_is_a_hit() -> None:
    """Whatever its type; the canary's is none."""
    joins = Joins(LIMITS, Desk().load, {}, (), canaries={"sp9"})
    for send in (a_kept(), a_kept(type="otp"), a_kept(sp="sp9")):
        joins.sent(ANNE, "19900000000", send)
    assert joins.matters(ANNE, "19900000000")
    assert not joins.matters(ANNE, "13912345678")
    assert joins.sums(NOW).hits == [Hit((NOW - HOUR) // HOUR, "sp1", "10690001", 2)]


def test_copies_are_counted_by_name_and_port_and_no_more_than_there_is_room_for() -> None:
    """What is beyond is counted; of those that are known, more are."""
    joins = Joins(LIMITS, Desk().load, {}, ())
    for each in range(MOST_COPIES + 5):
        joins.copied(NOW, f"f{each}", "云岭商贸", "1069", 1)
    joins.copied(NOW + 1, "f1", "云岭商贸", "1069", 1)
    sums = joins.sums(NOW)
    assert (len(sums.copied), sums.copies_left_out) == (MOST_COPIES, 5)
    assert max(each.count for each in sums.copied) == 2


def test_copies_that_differ_in_digits_and_links_have_one_fingerprint() -> None:
    """Computed once; another text has another."""
    known, texts = Fingerprints(), [f"【云岭商贸】满{n}减50，详询 a.cn/{n}x 拒收回R" for n in range(300, 320)]
    assert len({known.of(text, read(text)) for text in texts}) == 1
    assert known.of(CODE, read(CODE)) != known.of(texts[0], read(texts[0]))
    assert len(known._known) <= 3


def test_sums_hold_nothing_personal() -> None:
    """No number, no text, no send's id."""
    desk = Desk()
    sums = desk.work(a_kept("secret-id"), a_complaint(text=TEXT, send_id="secret-id"), a_report("secret-id"))
    written = msgspec.json.encode(sums).decode()
    assert "secret-id" not in written
    assert "会员日" not in written
