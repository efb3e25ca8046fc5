"""What members are told about a plan that several collect from."""

from collections.abc import Mapping
from typing import Final

import members
from kernel.db import db
from kernel.ids import NOBODY
from kernel.wording import Fact, Words
from subs.models import Sharer

_FACTS: Final[Mapping[str, Fact]] = {"plan": "每月 10 杯", "sharer_id": NOBODY}


def _is_there(facts: members.Facts) -> bool:
    """The place has not been left again."""
    return db.session.get_one(Sharer, facts["sharer_id"]).left_at is None


JOINED = members.notice(
    "sharer.joined",
    zh=Words(
        "有人接受邀請，加入您的「{plan}」，可以一起使用其中的杯數。",
        subject="有人加入您的訂閱",
    ),
    en=Words(
        "Somebody took your invitation and now collects from your “{plan}” too.",
        subject="Somebody shares your plan",
    ),
    facts=_FACTS,
    still_wanted=_is_there,
)
LEFT = members.notice(
    "sharer.left",
    zh=Words("有人已退出您共享的「{plan}」。", subject="有人退出您的訂閱"),
    en=Words("Somebody who shared your “{plan}” has left it.", subject="Somebody left your plan"),
    facts=_FACTS,
)
ENDED = members.notice(
    "sharer.ended",
    zh=Words("您共享的「{plan}」已結束，不能再以此取用。", subject="共享的訂閱已結束"),
    en=Words(
        "The “{plan}” that was shared with you is over: you cannot collect from it any more.",
        subject="A shared plan is over for you",
    ),
    facts=_FACTS,
)
