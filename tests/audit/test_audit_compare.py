"""The comparison finds what was planted in published records and books, and says what it is."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import pytest
from audit_builders import TERMS, flagged, laid_out, seen_of, sorts

from engine_builders import BODO, CODE, DAY, HOUR, JUDGING, NOW, Desk, a_consent, a_reply, a_send, judged
from sendwatch.audit import Difference, Expected, Seen, Span, compare, compute
from sendwatch.audit.books import Entry, Pages
from sendwatch.audit.show import as_json, as_lines
from sendwatch.ledger import Books, Tally
from sendwatch.ledger import Span as Stretch

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS = (
    a_send("a", NOW - DAY),
    a_reply("m", NOW - HOUR, text="R"),
    a_consent("c", recipient=BODO),
    a_send("b"),
    a_send("c", recipient=BODO, text=CODE, category="otp"),
    a_send("d")._replace(value=b"{"),
)


@pytest.fixture
def expected() -> Expected:
    """What is expected of a few events."""
    return compute(laid_out(EVENTS), TERMS)


@pytest.fixture
def seen() -> Seen:
    """What a partition published of them, in two batches."""
    return seen_of(judged(EVENTS[:3], EVENTS[3:]))


def first(seen: Seen, rule: str) -> str:
    """The id of a published flag of that rule."""
    return next(flag_id for flag_id, flag in seen.flags.items() if flag.rule.startswith(rule))


def change(rule: str, **fields: object) -> Callable[[Seen], None]:
    """Publish a flag of that rule with other fields."""

    def tamper(seen: Seen) -> None:
        flag_id = first(seen, rule)
        seen.flags[flag_id] = flagged(seen.flags[flag_id], **fields)

    return tamper


def count_wrong(seen: Seen) -> None:
    """Call the malformed record judged."""
    seen.pages[0].ranges["sends"][1].books.quarantined -= 1
    seen.pages[0].ranges["sends"][1].books.judged += 1


def lose_a_range(seen: Seen) -> None:
    """Forget the second range."""
    del seen.pages[0].ranges["sends"][0]


def read_twice(seen: Seen) -> None:
    """Account for an offset twice."""
    seen.pages[0].ranges["sends"][1].first -= 1


def test_nothing_differs_where_nothing_was_tampered_with(expected: Expected, seen: Seen) -> None:
    """Flags, quarantine, opt-outs and books; and what agreed is counted by rule."""
    found = compare(expected, seen)
    assert found.empty, sorts(found)
    assert found.agreed == {"C1_CONSENT_MISSING": 1, "C5_AFTER_OPT_OUT": 1}
    assert found.accounted["sends"] == {"judged": 3, "quarantined": 1}
    assert "no difference: 2 flags" in list(as_lines(found))[-1]


TAMPERED: list[tuple[Callable[[Seen], object], Counter[str]]] = [
    (lambda seen: seen.flags.pop(first(seen, "C5")), Counter({"missing C5": 1})),
    (lambda seen: seen.flags.update(x=flagged(seen.flags[first(seen, "C5")], flag_id="x")), Counter({"extra C5": 1})),
    (change("C5", evidence=b"{}"), Counter({"evidence C5": 1})),
    (change("C5", pack="miit-31"), Counter({"pack C5": 1})),
    (change("C5", shadow=True, topic="canary"), Counter({"shadow, topic C5": 1})),
    (lambda seen: seen.quarantine.clear(), Counter({"sends: not_json, seen None": 1})),
    (lambda seen: seen.quarantine.update({("sends", 0, 0): "no_value"}), Counter({"sends: None, seen no_value": 1})),
    (lambda seen: seen.optouts.clear(), Counter({"replies: O1, seen None": 1})),
    (lambda seen: seen.optouts.update({(0, 0): ("O2",)}), Counter({"replies: O1, seen O2": 1})),
    (count_wrong, Counter({"sends: 3 judged, by the audit 2": 1, "sends: 0 quarantined, by the audit 1": 1})),
    (lose_a_range, Counter({"sends: no range accounts for these offsets": 1})),
]


@pytest.mark.parametrize(("tamper", "told"), TAMPERED)
def test_each_kind_of_difference_is_found(
    expected: Expected, seen: Seen, tamper: Callable[[Seen], object], told: Counter[str]
) -> None:
    """And no other with it."""
    tamper(seen)
    found = compare(expected, seen)
    assert sorts(found) == told
    assert not found.empty
    assert "differ" in list(as_lines(found))[-1]


def test_an_offset_that_is_accounted_for_twice_is_found(expected: Expected, seen: Seen) -> None:
    """As is that the range's books do not add up then."""
    read_twice(seen)
    told = " ".join(sorts(compare(expected, seen)))
    assert "two ranges account for these offsets" in told
    assert "3 offsets are accounted for" in told


def test_what_the_ledger_does_not_account_for_yet_is_left_out(expected: Expected, seen: Seen) -> None:
    """A worker may be on its way; flags that it published ahead of its ledger are no extra ones."""
    pages = seen.pages[0]
    pages.positions["sends"] = pages.ranges["sends"].pop().first
    ahead = compute(laid_out(EVENTS[:3]), TERMS)
    assert compare(ahead, seen).empty
    assert not compare(expected, seen).empty, "the whole of it is expected only of the whole"


def test_flags_of_other_days_are_left_out(seen: Seen) -> None:
    """Of those that were published, and of those that are expected."""
    span = Span(since=NOW)
    found = compare(compute(laid_out(EVENTS), TERMS, span), seen, span)
    assert found.empty, sorts(found)
    assert found.agreed == {"C5_AFTER_OPT_OUT": 1}
    assert found.sends == 2


def test_differences_of_partitions_add_up(expected: Expected, seen: Seen) -> None:
    """Counts and lists."""
    both = Difference()
    both.add(compare(expected, seen))
    seen.flags.clear()
    both.add(compare(expected, seen))
    assert both.agreed.total() == 2
    assert len(both.missing) == 2
    assert both.sends == 6


def test_the_difference_is_told_in_full_as_json(expected: Expected, seen: Seen) -> None:
    """With the evidence of both sides."""
    change("C5", evidence=b'{"minutes":1}')(seen)
    told = msgspec.json.decode(as_json(compare(expected, seen)))
    assert told["empty"] is False
    (other,) = told["other"]
    assert other["seen"] == {"minutes": 1}
    assert other["expected"]["minutes"] == 60
    assert "    published {" in "\n".join(as_lines(compare(expected, seen)))


def test_the_last_record_of_a_flag_holds() -> None:
    """Raised and cleared again by a late consent: nothing is expected, and nothing stands."""
    desk = Desk().write(a_send())
    desk.work()
    desk.write(a_consent()).work()
    assert [flag.status for flag in desk.flags] == ["raised", "cleared"]
    assert not seen_of(desk).flags


# -- the ledger -----------------------------------------------------------------------------------------------


def an_entry(record: str, epoch: int, first: int = 0, after: int = 0) -> Entry:
    """A claim, or a range of sends [first, after), all judged, one of them undecided."""
    spans = {"sends": Stretch(first, after, Books(judged=after - first))} if record == "range" else {}
    tally = Tally(0, None, None, "sp1", "1069", None, None, None, sends=after - first, undecided=1)
    return Entry(record, epoch, JUDGING.version, spans, {}, [tally] if spans else [])


def turned(*entries: Entry, whole: bool = True) -> Pages:
    """The pages of these entries."""
    pages = Pages(whole=whole)
    for entry in entries:
        pages.turn(entry)
    return pages


def test_records_of_a_lower_epoch_after_a_claim_are_void() -> None:
    """A frozen owner's range, and a claim that came too late."""
    pages = turned(
        an_entry("claim", 1),
        an_entry("range", 1, 0, 5),
        an_entry("claim", 2),
        an_entry("range", 1, 5, 9),
        an_entry("claim", 2),
        an_entry("range", 2, 5, 8),
    )
    assert [(span.first, span.next) for span in pages.ranges["sends"]] == [(0, 5), (5, 8)]
    assert pages.void == 2
    assert (pages.sends, pages.undecided_sends) == (8, 2)


def test_a_range_that_was_appended_twice_is_void_the_second_time() -> None:
    """Its append was taken for failed, tried again, and written after all; the next owner counts from one again."""
    one, other = (msgspec.structs.replace(an_entry("range", 1, at, at + 4), number=at // 4 + 1) for at in (0, 4))
    after = msgspec.structs.replace(an_entry("range", 2, 8, 9), number=1)
    pages = turned(an_entry("claim", 1), one, one, other, one, an_entry("claim", 2), after)
    assert [(span.first, span.next) for span in pages.ranges["sends"]] == [(0, 4), (4, 8), (8, 9)]
    assert (pages.void, pages.sends) == (2, 9)


def test_a_ledger_whose_beginning_is_deleted_is_taken_from_where_it_begins() -> None:
    """Its first record may then be a range."""
    pages = turned(an_entry("range", 3, 100, 105), an_entry("range", 3, 105, 107), whole=False)
    assert [span.first for span in pages.ranges["sends"]] == [100, 105]
    assert turned(an_entry("range", 3, 100, 105)).void == 1, "else somebody wrote who had no claim"
