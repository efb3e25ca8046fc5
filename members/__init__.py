"""Shoppers: how they sign in, what they told about themselves, and what they are told."""

from members.errors import ClockTooFar, CodeWrong, PhoneUnsupported
from members.holding import holds
from members.models import Challenge
from members.notices import Facts, Notice, notice, notices_to, notify
from members.queries import locale_of, phone_of, time_zone_of, time_zones_of
from members.service.challenge import challenge
from members.service.joining import member_of_phone
from members.service.member_clock import (
    MemberTime,
    advance_clock,
    get_clock,
    in_time_of,
    times_of,
)
from members.service.profile import Profile, change_profile, get_profile
from members.service.session import (
    Proved,
    SignedIn,
    end_other_sessions,
    end_session,
    prove_phone,
    sign_in,
)
from members.texts import open_text, seal_text

__all__ = [
    "Challenge",
    "ClockTooFar",
    "CodeWrong",
    "Facts",
    "MemberTime",
    "Notice",
    "PhoneUnsupported",
    "Profile",
    "Proved",
    "SignedIn",
    "advance_clock",
    "challenge",
    "change_profile",
    "end_other_sessions",
    "end_session",
    "get_clock",
    "get_profile",
    "holds",
    "in_time_of",
    "locale_of",
    "member_of_phone",
    "notice",
    "notices_to",
    "notify",
    "open_text",
    "phone_of",
    "prove_phone",
    "seal_text",
    "sign_in",
    "time_zone_of",
    "time_zones_of",
    "times_of",
]
