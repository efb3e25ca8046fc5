"""What members are told: notices that rooms declare, promised in a transaction, sent after it.

Every room declares its own, in its `notices.py`:

    LOT_ENDING = members.notice(
        "lot.ending",
        zh=Words("您的「{offer}」還有 {left}，將於 {ends_on} 到期。", subject="寄杯即將到期"),
        en=Words("You have {left} of “{offer}” until {ends_on}.", subject="Your cups end"),
        facts={"offer": "拿鐵 11 杯", "left": Count(3, "cup"), "ends_on": date(2026, 12, 22)},
    )

What is promised is a row of the outbox, of topic `member.notice`. It holds ids and plain facts,
never a name, a phone, an address or a secret: who the member is, and what language they read, is
looked up when it is sent. A statement that promises many at once may write the rows itself, see
`notices_to`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Insert, Select, Subquery, func, insert, literal, select

from kernel import messages, outbox
from kernel.outbox import Outbox, subscriber
from kernel.transaction import transaction
from kernel.wording import Fact, Language, Words, from_json, names_in, say, to_json
from members.queries import Reachable, find_reachable

TOPIC = "member.notice"

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that members are told.

    `facts` are examples: their types are the types of the facts, and the tests render them. Those
    that it `adds` are worked out from the others when it is sent, and kept nowhere.
    """

    name: str
    words: Mapping[Language, Words]
    facts: Mapping[str, Fact]
    is_urgent: bool
    still_wanted: Callable[[Facts], bool] | None
    adds: Mapping[str, Callable[[Facts], Fact]]

    @property
    def kept(self) -> Mapping[str, Fact]:
        """The facts that are given, and kept until it is sent."""
        return {name: fact for name, fact in self.facts.items() if name not in self.adds}


NOTICES: dict[str, Notice] = {}


def notice(
    name: str,
    *,
    zh: Words,
    en: Words,
    facts: Mapping[str, Fact],
    is_urgent: bool = False,
    still_wanted: Callable[[Facts], bool] | None = None,
    adds: Mapping[str, Callable[[Facts], Fact]] | None = None,
) -> Notice:
    """Declare a notice. Its name is kept in outbox rows.

    An urgent one goes to the phone; others go to the member's e-mail, if they gave one.
    `still_wanted` is asked when it is about to be sent, in a transaction of its own. `adds` works
    facts out then: a link that is good for something stands in no row.

    Raises:
        ValueError: the words tell facts that there are not, or are none; or the name is taken.
    """
    if name in NOTICES:
        raise ValueError(f"{name} is declared already")
    made = Notice(name, {"zh-TW": zh, "en": en}, facts, is_urgent, still_wanted, adds or {})
    _check(made)
    NOTICES[name] = made
    return made


def notify(member_id: UUID, notice: Notice, *, now: datetime, **facts: Fact) -> None:
    """Tell a member something, if and when the open transaction commits.

    Raises:
        TypeError: the facts are not those that the notice declares.
    """
    given = {name: type(fact) for name, fact in facts.items()}
    if given != {name: type(fact) for name, fact in notice.kept.items()}:
        raise TypeError(f"{notice.name} tells other facts than {given}")
    plain = {name: to_json(fact) for name, fact in facts.items()}
    outbox.emit(
        TOPIC,
        now=now,
        member_id=member_id,
        is_notice=not notice.is_urgent,  # what is urgent does not wait behind reminders
        to=member_id,
        notice=notice.name,
        facts=plain,
    )


def notices_to(notice: Notice, found: Select[Any] | Subquery | CTE, *, now: datetime) -> Insert:
    """Tell many members something, in one statement: an INSERT … SELECT, to be run or put in a CTE.

    `found` has a column `member_id`, and one for each fact by its name: text, integer, date,
    timestamptz or uuid, or jsonb {"count": 3, "unit": "cup"} and {"amount": 1000, "currency":
    "TWD"}. A statement of one's own inserts the same:

        INSERT INTO outbox
            (member_id, id, topic, facts, created_at, due_at, is_notice, is_open, tries)
        SELECT member_id, gen_random_uuid(), 'member.notice', jsonb_build_object(
            'to', member_id, 'notice', 'lot.ending', 'facts', jsonb_build_object(
                'offer', name, 'ends_on', ends_on,
                'left', jsonb_build_object('count', units, 'unit', 'cup'))),
            :now, :now, true, true, 0
        FROM …

    They wait behind what rooms tell each other. No bell is rung: the next tick finds them.
    """
    rows = found.subquery() if isinstance(found, Select) else found
    told = _object({name: rows.c[name] for name in notice.kept})
    row: dict[str, ColumnElement[Any]] = {
        "member_id": rows.c.member_id,
        "id": func.gen_random_uuid(),
        "topic": literal(TOPIC),
        "facts": _object({"to": rows.c.member_id, "notice": literal(notice.name), "facts": told}),
        "created_at": literal(now),
        "due_at": literal(now),
        "is_notice": literal(value=True),
        "is_open": literal(value=True),
        "tries": literal(0),
    }
    return insert(Outbox).from_select([*row], select(*row.values()))


@subscriber(TOPIC, sending=True)
def send_notice(
    *, to: str, notice: str, facts: dict[str, Any], dedupe_key: str, **_: object
) -> None:
    """Tell the member, unless they are gone, or the notice is not wanted any more."""
    told = NOTICES[notice]
    known = {name: from_json(facts[name], kind=type(fact)) for name, fact in told.kept.items()}
    known |= {name: work_out(known) for name, work_out in told.adds.items()}
    with transaction():
        if told.still_wanted is not None and not told.still_wanted(known):
            return
        member = find_reachable(UUID(to))
    if member is not None:
        _send(told, known, member, dedupe_key=dedupe_key)


def _send(told: Notice, facts: Facts, member: Reachable, *, dedupe_key: str) -> None:
    """Send it to the e-mail, unless it is urgent; to the phone where there is none to send to."""
    words = told.words[member.locale]

    def say_to(way: str) -> None:
        text, subject = (
            say(said, facts, language=member.locale, time_zone=member.time_zone)
            for said in (words.text, words.subject)
        )
        messages.send(to=way, text=text, subject=subject or None, dedupe_key=dedupe_key)

    if told.is_urgent or member.email is None or not messages.has_mail():
        say_to(member.phone)
        return
    try:
        say_to(member.email)
    except messages.NoMailbox:
        say_to(member.phone)


def _object(members: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    parts = [part for name, value in members.items() for part in (literal(name), value)]
    return func.jsonb_build_object(*parts)


def _check(made: Notice) -> None:
    """Raises: ValueError: the words do not fit the facts."""
    kinds = get_args(Fact)
    odd = [name for name, fact in made.facts.items() if type(fact) not in kinds]
    if odd:
        raise ValueError(f"{made.name}: {odd} are of no kind that can be told")
    if not made.adds.keys() <= made.facts.keys():
        raise ValueError(f"{made.name}: what it adds needs an example among the facts")
    tellable = {name for name, fact in made.facts.items() if not isinstance(fact, UUID)}
    for words in made.words.values():
        told = names_in(words.text) | names_in(words.subject)
        if not told <= tellable:
            raise ValueError(f"{made.name}: there are no facts {sorted(told - tellable)} to tell")
        if not words.subject and not made.is_urgent:
            raise ValueError(f"{made.name}: a letter needs a subject")
