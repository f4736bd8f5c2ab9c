"""A slow reader of a story's messages that knows only the contract: the flags and refusals that it finds
must be the story's truth. Written apart from the simulator's plans and from the judge; it shares the
decoder with the latter.

Only classes of text are told by words that the simulated texts are known to have.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from sendwatch.events import KINDS, Consent, Deletion, Rejected
from sendwatch.partitions import partition_of
from sendwatch.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sendwatch.simulate import Message

HOUR, DAY = 3_600_000, 86_400_000
EXPLICIT = {"opt_in_form", "sms_reply", "written", "voice", "mo_request"}
IMPLICIT = {"pre_ticked", "registration", "silence", "terms_bundle"}
ORDER_74 = 1_777_564_800_000
FINANCE = re.compile("贷款|借款|理财|消费贷|现金分期|申请信用卡|可借|借款额度")
RETAIL = re.compile("[折券抢购]|秒杀|半价|满[0-9]+减|特惠|特价|买一送一|包邮|送好礼")
LINK = re.compile(r"https?://[!-~]+|(?<![0-9.])1[0-9]{10}(?![0-9])|微信[a-z]+[0-9]+")


class Auditor:
    """`flags` and `refused` are what it found."""

    def __init__(
        self, facts: Iterable[Message], sends: Iterable[Message], form: Any = "number", partitions: int = 1
    ) -> None:
        self.readers = {kind: Reader(kind, recipient_form=form) for kind in KINDS}
        self.partitions = partitions
        self.refused: Counter[tuple[str, str, str, int]] = Counter()
        self.ignored: Counter[str] = Counter()
        self.rows: dict[str, dict[str, Any]] = defaultdict(dict)
        self.acts: dict[str, dict[str, Any]] = defaultdict(dict)
        self.replies: dict[tuple[str, str], Any] = {}
        self.offers: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        self.asked: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        self.sent: dict[str, list[tuple[int, str, str | None]]] = defaultdict(list)
        self.flags: dict[tuple[str, str], set[str]] = {}
        self.undecided: Counter[str] = Counter()
        for message in facts:
            self._know(message)
        self.by_name: dict[str, list[Any]] = defaultdict(list)
        for row in self.rows["signatures"].values():
            self.by_name[row.signature].append(row)
        self.by_port: dict[str, list[Any]] = defaultdict(list)
        for row in self.rows["signatures"].values():
            for prefix in row.ports:
                self.by_port[prefix].append(row)
        self.ports: dict[str, list[Any]] = defaultdict(list)
        for row in self.rows["ports"].values():
            self.ports[row.port].append(row)
        self.letters: dict[str, list[Any]] = defaultdict(list)
        for row in self.rows["letters"].values():
            self.letters[row.grantor].append(row)
        self.party = {row.id: row.sp for row in self.rows["owners"].values() if row.sp}
        self.seen: dict[tuple[str, str], Any] = {}
        for message in sends:
            self._meet(message)
        natures = {key: Nature(self, send) for key, send in self.seen.items()}
        for reply in self.replies.values():
            self._resolve(reply)
        self.flags = {key: self._judge(self.seen[key], nature) for key, nature in natures.items()}
        self._count_offers()
        self.flags = {key: flags for key, flags in self.flags.items() if flags}

    def _read(self, message: Message) -> Any:
        record = self.readers[message.kind](message.key, message.value, message.timestamp, self.ignored)
        if isinstance(record, Rejected):
            return self._refuse(message, record.reason)
        own = partition_of(message.key, self.partitions) if message.key else 0
        if message.partition not in {None, own}:
            return self._refuse(message, "misplaced")
        return record

    def _refuse(self, message: Message, reason: str) -> None:
        value = message.value or b""
        self.refused[message.kind, reason, sha256(value).hexdigest(), len(value)] += 1

    def _know(self, message: Message) -> None:
        record = self._read(message)
        if record is None:
            return
        if message.kind == "replies":
            self.replies.setdefault((record.recipient, record.id), record)
        elif message.kind == "consents":
            self.acts[record.recipient].setdefault(record.id, record)
        elif isinstance(record, Deletion):
            self.rows[message.kind].pop(record.id, None)
        else:
            self.rows[message.kind][record.id] = record

    def _meet(self, message: Message) -> None:
        if message.kind != "sends":
            self._know(message)
            return
        send = self._read(message)
        if send is not None and self.seen.setdefault((send.recipient, send.id), send) != send:
            self._refuse(message, "conflict")

    def _resolve(self, reply: Any) -> None:
        """Make a refusal the withdrawals that it is."""
        since = reply.received_at - 3 * DAY
        sent = [each for each in self.sent[reply.recipient] if since <= each[0] <= reply.received_at]
        answered = max((each for each in sent if each[1] == reply.port), default=None, key=lambda each: each[0])
        if not refusal(reply.text, answers=answered is not None):
            return
        owners = self._owners_on(reply.port, reply.received_at)
        if answered is not None and answered[2]:
            owners = {answered[2]}
        for owner in sorted(owners):
            act = Consent(
                id=f"{reply.id}/{owner}", recipient=reply.recipient, owner=owner, action="withdraw",
                effective_at=reply.received_at, method="reply",
            )  # fmt: skip
            self.acts[reply.recipient][act.id] = act

    def _owners_on(self, port: str, t: int) -> set[str]:
        prefixes = [port[:size] for size in range(len(port) + 1)]
        rows = [row for prefix in prefixes for row in self.by_port.get(prefix, ())]
        return {row.owner for row in rows if approved(row) and lives(row, t)}

    def _judge(self, send: Any, nature: Nature) -> set[str]:
        t, text, name, type_, owner = send.at, nature.text, nature.name, nature.type, nature.owner
        commercial = type_.startswith("marketing")
        flags = set()
        if text is not None:
            flags |= self._signed(send, name, type_, t)
            if commercial and not re.search("退订|拒收", text):
                flags.add("C8_NO_OPT_OUT_TEXT")
            if (nature.read or "").startswith("marketing") and send.category in {"otp", "service"}:
                flags.add("G6_PURPOSE_MIX")
        if send.template is not None:
            flags |= self._drift(nature, text, commercial)
        flags |= self._port(send, name, commercial, t)
        if commercial and not 8 <= (t + 8 * HOUR) // HOUR % 24 < 22:
            flags.add("B1_QUIET_HOURS")
        if owner is not None and "接收我们的" in (text or ""):
            self.asked[send.recipient, owner].append((t, send.id))
        if commercial and owner is not None:
            self.offers[send.recipient, owner].append((t, send.id))
            asked: Any = self.replies.get((send.recipient, send.request or ""))
            recent = asked is not None and t - DAY <= asked.received_at <= t
            if not (recent and not refusal(asked.text, answers=True)):
                flags |= self._consent(send.recipient, owner, type_, t)
        return flags

    def signature(self, text: str) -> str | None:
        head = re.match(r"[【\[]([^】\]]*)[】\]]", text)
        tail = re.search(r"[【\[]([^【\[】\]]*)[】\]]$", text)
        names = [found.group(1) for found in (head, tail) if found is not None]
        filed = [name for name in names if name in self.by_name]
        return (filed if len(filed) == 1 else names or [None])[0]

    def owner(self, send: Any, name: str | None, t: int) -> str | None:
        mine = [row for row in self.by_name.get(name or "", ()) if approved(row) and lives(row, t)]
        exact = [row for row in mine if reaches(row, send) and covers(row.sps, send.sp) and placed(row, send)]
        there = [
            row
            for size in range(len(send.port) + 1)
            for row in self.by_port.get(send.port[:size], ())
            if approved(row) and lives(row, t) and covers(row.sps, send.sp)
        ]
        owners = {row.owner for row in exact or mine or there}
        return owners.pop() if len(owners) == 1 else None

    def _signed(self, send: Any, name: str | None, type_: str, t: int) -> set[str]:
        if name is None:
            return {"G1_SIGNATURE_MISSING"}
        begun = [row for row in self.by_name.get(name, ()) if approved(row) and row.valid_from <= t]
        if not begun:
            return {"G2_SIGNATURE_UNFILED"}
        valid = [row for row in begun if lives(row, t)]
        if not valid:
            return {"G3_SIGNATURE_LAPSED"}
        fits = lambda row: (
            reaches(row, send)
            and covers(row.sps, send.sp)
            and placed(row, send)
            and any(type_ == use or type_.startswith(use + ".") for use in row.uses)
        )
        return set() if any(map(fits, valid)) else {"G4_SIGNATURE_OUT_OF_SCOPE"}

    def _port(self, send: Any, name: str | None, commercial: bool, t: int) -> set[str]:
        flags = set()
        prefixes = [send.port[:size] for size in range(len(send.port), 0, -1)]
        rows = [row for prefix in prefixes for row in self.ports.get(prefix, ()) if lives(row, t)]
        row = rows[0] if rows else None
        if row is None or len(send.port) > 21 or not placed(row, send):
            flags.add("G8_PORT_INVALID")
        if row is not None:
            unread = send.text is None
            if row.holder != send.sp and not self._entrusted(row.holder, send, name, unread, t):
                flags.add("G5_SUBLEASE")
            if commercial and row.purpose == "service":
                flags.add("G6_PURPOSE_MIX")
        return flags

    def _entrusted(self, holder: str, send: Any, name: str | None, unread: bool, t: int) -> bool:
        reached, todo = set(), [holder]
        while todo:
            party = todo.pop()
            if party in reached:
                continue
            reached.add(party)
            todo += [other for one, own in self.party.items() for other in (one, own) if party in {one, own}]
            todo += [
                letter.grantee
                for letter in self.letters.get(party, ())
                if lives(letter, t)
                and (unread or covers(letter.signatures, name))  # unread: at best undecided
                and (letter.ports is None or reaches(letter, send))
            ]
        return send.sp in reached

    def _drift(self, nature: Nature, text: str | None, commercial: bool) -> set[str]:
        if not nature.valid:
            return {"G7_TEMPLATE_DRIFT"}
        if text is None:
            return set()
        allowed = {*(nature.template.urls or ()), *LINK.findall(nature.template.pattern)}
        foreign = {link for part in nature.values or (text,) for link in LINK.findall(part)} - allowed
        flags = {"B7_DIVERSION"} if foreign and commercial else set()
        if nature.values is None or any(link.startswith("http") for link in foreign):
            flags.add("G7_TEMPLATE_DRIFT")
        return flags

    def _latest(self, recipient: str, owner: str, type_: str, t: int) -> Any:
        acts = [
            act
            for act in self.acts.get(recipient, {}).values()
            if act.owner in {owner, "*"}
            and act.effective_at <= t
            and any(type_ == each or type_.startswith(each + ".") for each in act.types)
        ]
        return max(acts, key=lambda act: (act.effective_at, act.action == "withdraw", act.id), default=None)

    def _consent(self, recipient: str, owner: str, type_: str, t: int) -> set[str]:
        act = self._latest(recipient, owner, type_, t)
        if act is not None and act.action == "withdraw":
            if t - act.effective_at <= 60_000:
                return set()
            ignored = act.method == "reply" and act.effective_at <= t - 2 * DAY
            return {"C5_AFTER_OPT_OUT", "C9_OPT_OUT_IGNORED"} if ignored else {"C5_AFTER_OPT_OUT"}
        if act is None or (act.expires_at is not None and t >= act.expires_at):
            group = self.rows["owners"][owner].group
            kin = [row.id for row in self.rows["owners"].values() if group and row.group == group and row.id != owner]
            others = [self._latest(recipient, other, type_, t) for other in kin]
            left = any(other is not None and other.action == "withdraw" for other in others)
            return {"C1_CONSENT_MISSING", "C6_RENAMED_AFTER_OPT_OUT"} if left else {"C1_CONSENT_MISSING"}
        if act.method in IMPLICIT:
            return {"C2_CONSENT_NOT_EXPLICIT"}
        if act.method not in EXPLICIT:
            self.undecided["method"] += 1
            return set()
        proven = act.proof is not None and act.proof.captured_at <= t
        return set() if proven or t < ORDER_74 else {"C3_PROOF_MISSING"}

    def _count_offers(self) -> None:
        for (recipient, _), asked in self.asked.items():
            for place, (t, send) in enumerate(sorted(asked)):
                if any(t - 3 * DAY <= at for at, _ in sorted(asked)[:place]):
                    self.flags[recipient, send].add("C7_ASKED_AGAIN")
        for (recipient, owner), offers in self.offers.items():
            offers.sort()
            for place, (t, send) in enumerate(offers):
                before = offers[: place + 1]
                if sum(t - HOUR < at for at, _ in before) > 4:
                    self.flags[recipient, send].add("B2_FREQUENCY")
                act = self._latest(recipient, owner, "marketing.retail", t)
                today = sum((at + 8 * HOUR) // DAY == (t + 8 * HOUR) // DAY for at, _ in before)
                if act is not None and act.action == "grant" and act.max_per_day and today > act.max_per_day:
                    self.flags[recipient, send].add("C4_CONSENT_EXCEEDED")


class Nature:
    """What a send is, whatever its neighbours are: signature, type, owner, and how it stands to its template."""

    def __init__(self, auditor: Auditor, send: Any) -> None:
        self.text = send.text.strip() if send.text is not None else None
        self.name = auditor.signature(self.text) if self.text is not None else None
        template: Any = auditor.rows["templates"].get(send.template)
        self.valid = template is not None and lives(template, send.at)
        bodies = {self.text, strip(self.text, self.name)} if self.text is not None and self.valid else set()
        found = [values for body in bodies if (values := fill(template.pattern, body)) is not None]
        self.template, self.values = template, found[0] if found else None
        bare = re.sub(r"^[【\[].*?[】\]]|[【\[][^【\[]*[】\]]$", "", self.text or "")
        self.read = classed(bare)
        self.type: str = template.use if found else self.read or send.category
        self.owner = auditor.owner(send, self.name, send.at)
        if self.type.startswith("marketing"):
            auditor.sent[send.recipient].append((send.at, send.port, self.owner))


WHOLE_WORDS = {"退订", "拒收", "取消订阅", "拒绝", "tdzd", "stop", "unsubscribe"}
SHORT_WORDS = {"r", "t", "td", "n", "d", "qx", "取消", "0000", "00000"}


def refusal(text: str, answers: bool) -> bool:
    word = normalize("NFKC", text).strip().casefold()
    return word in WHOLE_WORDS or (answers and word in SHORT_WORDS)


def approved(row: Any) -> bool:
    return row.status in {"approved", "revoked"}


def lives(row: Any, t: int) -> bool:
    return bool(row.valid_from <= t and (row.valid_until is None or t < row.valid_until))


def covers(allowed: tuple[str, ...] | None, one: str | None) -> bool:
    return allowed is None or one in allowed


def reaches(row: Any, send: Any) -> bool:
    return any(send.port.startswith(prefix) for prefix in row.ports)


def placed(row: Any, send: Any) -> bool:
    return covers(row.carriers, send.carrier) and covers(row.provinces, send.province)


def strip(text: str, name: str | None) -> str:
    for bracketed in (f"【{name}】", f"[{name}]"):
        text = text.removeprefix(bracketed).removesuffix(bracketed)
    return text.strip()


def fill(pattern: str, text: str) -> tuple[str, ...] | None:
    found = re.fullmatch("(.+?)".join(map(re.escape, re.split(r"\{[^}]*\}", pattern))), text, re.DOTALL)
    return None if found is None else found.groups()


def classed(text: str) -> str | None:
    """The class of a simulated text by words that only texts of that class have."""
    if re.search("验证码|校验码", text):
        return "otp"
    if FINANCE.search(text):
        return "marketing.finance"
    return "marketing.retail" if RETAIL.search(text) else None
