"""The table of a subscription's states."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import subs
from subs import states
from subs.models.subscription import ENDED, LIVE
from subs.states import BEGINNING, REMARKS, TRANSITIONS, TransitionError


def test_every_state_is_reached_from_the_beginning():
    reached: set[str | None] = {BEGINNING}
    for _ in LIVE + ENDED:
        reached |= {after for before, after in TRANSITIONS if before in reached}

    assert reached - {BEGINNING} == {*LIVE, *ENDED}


def test_every_live_state_leads_to_an_end_and_no_ended_one_leads_anywhere():
    left = {before for before, _ in TRANSITIONS}

    assert left - {BEGINNING} == set(LIVE)
    assert {before for before, after in TRANSITIONS if after in ENDED} == set(LIVE)


def test_what_changes_a_state_is_never_a_mere_remark():
    causes = frozenset().union(*TRANSITIONS.values())

    assert causes & REMARKS == frozenset()


def test_a_change_that_is_in_the_table_passes():
    states.check(before="active", after="paused", cause="paused")
    states.check_remark("cancel_asked")


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        ("lapsed", "active", "recovered"),
        ("cancelled", "active", "resumed"),
        ("active", "paused", "cancelled"),
        ("active", "active", "renewed"),
        (BEGINNING, "paused", "paused"),
        ("trialing", "paused", "paused"),
    ],
)
def test_a_change_that_is_not_in_it_is_a_defect(before: str | None, after: str, cause: str):
    with pytest.raises(TransitionError):
        states.check(before=before, after=after, cause=cause)


def test_an_unknown_remark_is_a_defect():
    with pytest.raises(TransitionError):
        states.check_remark("paused")


_ROOM = Path(subs.__file__).parent
_OTHERS = {"period", "row", "change"}
"""What else has a status in the room of plans, as it is called there."""
_SET_IN_SQL = (
    re.compile(r"UPDATE subscription\s+SET(.*?)(?:FROM|WHERE)", re.DOTALL),
    re.compile(r"update\(\s*Subscription\s*\).*?\.values\((.*?)\)", re.DOTALL),
)


def test_one_module_alone_sets_a_subscriptions_state():
    found = {
        (path.relative_to(_ROOM).as_posix(), named)
        for path in _ROOM.rglob("*.py")
        for named in _of_which_it_sets_the_status(path)
        if named not in _OTHERS
    }

    assert found == {("service/history.py", "subscription")}


def test_no_statement_sets_a_subscriptions_state():
    rooms = [
        path.parent for path in _ROOM.parent.glob("*/__init__.py") if path.parent.name != "tests"
    ]
    sources = [path.read_text(encoding="utf-8") for room in rooms for path in room.rglob("*.py")]

    found = [set_to for one in _SET_IN_SQL for source in sources for set_to in one.findall(source)]

    assert len(found) >= 3, "the statements are written otherwise now"
    assert [set_to for set_to in found if "status" in set_to] == []


def _of_which_it_sets_the_status(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets = node.targets if isinstance(node, ast.Assign) else []
        for one in [inner for target in targets for inner in ast.walk(target)]:
            if isinstance(one, ast.Attribute) and one.attr == "status":
                yield ast.unparse(one.value)
