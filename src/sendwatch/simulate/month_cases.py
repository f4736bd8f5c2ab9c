"""What is planted in a month, case by case: each breaks one limit, or comes as close to it as may be.

Belongs here: the cases, and which breaches must open and close by them. Not here: how records are written
(`month_sheet.py`), the limits themselves (`LIMITS` in `month.py` scales them to a small carrier).

Nothing here depends on the order in which partitions are read. A case that must open nothing opens nothing whichever
part of its records is known; one that must open does so by all of them; what opens again does so weeks later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sendwatch.simulate.phrases import OTP, SERVICE
from sendwatch.simulate.truth import DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Callable

    from sendwatch.simulate.month_sheet import Sent, Sheet, Way

B3: Final = "B3_COMPLAINT_RATE"
B4: Final = "B4_HARVEST"
B5: Final = "B5_EVASION"
B6: Final = "B6_RETALIATION"
DAY_HOURS: Final = 10  # from 9 to 19 o'clock, in which marketing is sent


def _spread(sheet: Sheet, way: Way, count: int, first_day: int, days: int) -> list[Sent]:
    """So many sends to consenting people by day, evenly over some days."""
    people = sheet.people(max(1, count // 3), way)
    each = days * DAY_HOURS * 60 / count
    sent = []
    for number in range(count):
        day, minutes = divmod(number * each, DAY_HOURS * 60)
        sent.append(sheet.send(way, sheet.at(first_day + int(day), 9, minutes), people[number % len(people)]))
    return sent


# -- complaints (B3) -----------------------------------------------------------------------------------------


def surge_on_few_sends(sheet: Sheet) -> None:
    """Six complaints in two days about forty sends: it opens, and stays open for the rest of the month."""
    way = sheet.way()
    for number, sent in enumerate(_spread(sheet, way, 40, 3, 2)[::7]):
        sheet.complain(sent, named=number % 2 == 1)
    sheet.plant(B3, closes=False, owner=way.owner, port=way.port)


def surge_on_many_sends(sheet: Sheet) -> None:
    """Twelve in four hundred and twenty: too many sends to count only the complaints, but the rate is broken, too."""
    way = sheet.way()
    for sent in _spread(sheet, way, 420, 6, 7)[::36]:
        sheet.complain(sent, 5 * HOUR)
    sheet.plant(B3, closes=False, owner=way.owner, port=way.port)


def surge_that_thins_out(sheet: Sheet) -> None:
    """Five about twenty sends open it; 2,700 sends that nobody complains of make the rate small, and it closes."""
    way = sheet.way()
    for sent in _spread(sheet, way, 20, 1, 1)[::4]:
        sheet.complain(sent)
    _spread(sheet, way, 2700, 8, 7)
    sheet.plant(B3, closes=True, owner=way.owner, port=way.port)


def many_sends_few_complaints(sheet: Sheet) -> None:
    """Five complaints in 4,000 sends, days after the last of them: below the rate by half of them, so nothing opens."""
    way = sheet.way()
    _spread(sheet, way, 3700, 8, 13)
    for sent in _spread(sheet, way, 300, 21, 4)[250::10]:
        sheet.complain(sent, 2 * DAY)


def four_complaints(sheet: Sheet) -> None:
    """One too few."""
    for sent in _spread(sheet, sheet.way(), 30, 4, 2)[::8]:
        sheet.complain(sent)


def complaints_about_codes(sheet: Sheet) -> None:
    """Seven, each with the code's text: they are left out, however many."""
    way = sheet.way()
    for number in range(7):
        sheet.complain_of_code(way, sheet.at(11, 9 + number))


def many_about_one_message(sheet: Sheet) -> None:
    """Eight complaints by one person about one message count once."""
    way = sheet.way()
    sent = _spread(sheet, way, 12, 12, 1)[3]
    for hours in range(1, 9):
        sheet.complain(sent, hours * HOUR)


# -- numbers that nobody gave (B4) ---------------------------------------------------------------------------


def _blast(sheet: Sheet, way: Way, day: int, hour: int, undelivered: int, delivered: int) -> None:
    """Sends without any consent within an hour, and what became of them; some records come twice."""
    for number in range(undelivered + delivered):
        sent = sheet.send(way, sheet.at(day, hour, 2 + number), sheet.stranger(), twice=number % 5 == 0)
        sheet.report(sent, "UNDELIV" if number < undelivered else "DELIVRD")


def harvester(sheet: Sheet) -> None:
    """Most of 26 numbers in an hour take nothing; weeks later he is back: that is another breach."""
    way = sheet.way()
    for day in (5, 23):
        _blast(sheet, way, day, 14, 20, 6)
        sheet.plant(B4, closes=True, sp=way.sp, port=way.port)


def honeypot(sheet: Sheet) -> None:
    """Two sends to a number that nobody has ever given."""
    way, number = sheet.way(), sheet.stranger()
    sheet.honeypots.append(number)
    for minutes in (5, 25):
        sheet.send(way, sheet.at(9, 11, minutes), number)
    sheet.plant(B4, closes=True, sp=way.sp, port=way.port)


def old_address_book(sheet: Sheet) -> None:
    """Ten of 25 take nothing: that is not more than half, whichever twenty are known first."""
    _blast(sheet, sheet.way(), 16, 15, 10, 15)


def few_reports(sheet: Sheet) -> None:
    """Nineteen of nineteen take nothing: too few to prove anything."""
    _blast(sheet, sheet.way(), 17, 15, 19, 0)


# -- one sender under many names (B5) ------------------------------------------------------------------------


def many_signatures(sheet: Sheet) -> None:
    """One text under six names in an hour."""
    body = sheet.body()
    for minutes in range(6):
        way = sheet.way()
        sheet.send(way, sheet.at(10, 16, 5 * minutes), sheet.people(1, way)[0], body=body)
    sheet.plant(B5, closes=True, fingerprint=body)


def many_ports(sheet: Sheet) -> None:
    """One text under one name from six ports in an hour, and again weeks later."""
    body, home = sheet.body(), sheet.way()
    ways = [home, *(sheet.moved(home) for _ in range(5))]
    for way in ways[1:]:
        sheet.file(way)
    for day in (7, 24):
        for minutes, way in enumerate(ways):
            sheet.send(way, sheet.at(day, 17, 5 * minutes), sheet.people(1, way)[0], body=body)
        sheet.plant(B5, closes=True, fingerprint=body)


def look_alike(sheet: Sheet) -> None:
    """A name that is not filed, but looks like one that is."""
    filed = sheet.way("灯塔")
    other = sheet.way()
    fake = other._replace(signature=filed.signature.replace("灯", "燈"))
    for minutes in (10, 20, 30):
        sheet.send(fake, sheet.at(13, 12, minutes), sheet.people(1, other)[0])
    sheet.plant(B5, closes=True, signature=fake.signature)


def four_names(sheet: Sheet) -> None:
    """One text under four names in an hour, and under three more the hour after: too few in either."""
    body = sheet.body()
    for hour, names in ((10, 4), (11, 3)):
        for minutes in range(names):
            way = sheet.way()
            sheet.send(way, sheet.at(14, hour, 10 * minutes), sheet.people(1, way)[0], body=body)


# -- complainants who are cut off (B6) -----------------------------------------------------------------------


def _complainant(sheet: Sheet, day: int) -> tuple[Way, str]:
    """An owner, and somebody who complained about a send of it that day."""
    way = sheet.way()
    person = sheet.people(1, way)[0]
    sheet.complain(sheet.send(way, sheet.at(day, 11), person))
    return way, person


def _afterwards(sheet: Sheet, way: Way, person: str, day: int, what: list[tuple[str, str]]) -> None:
    """What the complainant is sent from a day on, one a day, and what becomes of it."""
    for later, (klass, stat) in enumerate(what):
        sheet.report(sheet.send(way, sheet.at(day + later, 18), person, klass), stat)


def cut_off(sheet: Sheet) -> None:
    """Two codes in a row are blocked after the complaint."""
    way, person = _complainant(sheet, 4)
    _afterwards(sheet, way, person, 7, [(OTP, "MBBLACK"), (OTP, "REJECTD")])
    sheet.plant(B6, closes=False, recipient=person, owner=way.owner)


def cut_off_from_service(sheet: Sheet) -> None:
    """A code gets through, and then nothing any more."""
    way, person = _complainant(sheet, 8)
    _afterwards(sheet, way, person, 11, [(OTP, "DELIVRD"), (SERVICE, "BLACK"), (OTP, "BLACK"), (OTP, "BLACK")])
    sheet.plant(B6, closes=False, recipient=person, owner=way.owner)


def blocked_now_and_then(sheet: Sheet) -> None:
    """Between two that are blocked one is delivered."""
    way, person = _complainant(sheet, 5)
    _afterwards(sheet, way, person, 8, [(OTP, "MBBLACK"), (SERVICE, "DELIVRD"), (OTP, "MBBLACK")])


def only_marketing_blocked(sheet: Sheet) -> None:
    """No more marketing after a complaint: as it should be."""
    way, person = _complainant(sheet, 6)
    _afterwards(sheet, way, person, 9, [("marketing.retail", "MBBLACK")] * 3)


def another_owners_codes(sheet: Sheet) -> None:
    """Codes are blocked of an owner about whom nobody complained."""
    _, person = _complainant(sheet, 7)
    _afterwards(sheet, sheet.way(), person, 10, [(OTP, "BLACK")] * 3)


# -- drift, and what is taken back ------------------------------------------------------------------------------


def drifting_signature(sheet: Sheet) -> None:
    """From a filed port to one that is not, a few more each day: no breach, but it is to be seen as it buds."""
    home = sheet.way()
    people = sheet.people(12, home)
    _spread(sheet, home, 58, 0, 29)
    away = sheet.moved(home)
    for day in range(24, 29):
        for number in range(2 * (day - 23)):
            sheet.send(away, sheet.at(day, 10, 20 * number), people[number])
    sheet.drifts.append(away)


def consents_told_late(sheet: Sheet) -> None:
    """Thirty sends without consent, until it is told half a day later that there was one: what was flagged is not."""
    way = sheet.way()
    for number in range(30):
        sheet.consent_late(sheet.send(way, sheet.at(18, 10, 10 * number), sheet.stranger()), 12 * HOUR)


CASES: Final[tuple[Callable[[Sheet], None], ...]] = (
    surge_on_few_sends, surge_on_many_sends, surge_that_thins_out, many_sends_few_complaints, four_complaints,
    complaints_about_codes, many_about_one_message, harvester, honeypot, old_address_book, few_reports,
    many_signatures, many_ports, look_alike, four_names, cut_off, cut_off_from_service, blocked_now_and_then,
    only_marketing_blocked, another_owners_codes, drifting_signature,
    consents_told_late,
)  # fmt: skip
