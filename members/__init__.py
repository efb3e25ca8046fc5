"""Shoppers: how they sign in, what they told about themselves, and what they are told."""

from members.errors import CodeWrong, PhoneUnsupported
from members.holding import holds
from members.models import Challenge
from members.notices import Facts, Notice, notice, notices_to, notify
from members.queries import locale_of, phone_of, time_zone_of
from members.service.challenge import challenge
from members.service.joining import member_of_phone
from members.service.profile import Profile, change_profile, get_profile
from members.service.session import SignedIn, end_session, sign_in
from members.texts import open_text, seal_text

__all__ = [
    "Challenge",
    "CodeWrong",
    "Facts",
    "Notice",
    "PhoneUnsupported",
    "Profile",
    "SignedIn",
    "challenge",
    "change_profile",
    "end_session",
    "get_profile",
    "holds",
    "locale_of",
    "member_of_phone",
    "notice",
    "notices_to",
    "notify",
    "open_text",
    "phone_of",
    "seal_text",
    "sign_in",
    "time_zone_of",
]
