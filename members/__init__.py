"""Shoppers: how they sign in, and what they told about themselves."""

from members.errors import CodeWrong, PhoneUnsupported
from members.models import Challenge
from members.queries import locale_of, phone_of, time_zone_of
from members.service.challenge import challenge
from members.service.profile import Profile, change_profile, get_profile
from members.service.session import SignedIn, end_session, sign_in

__all__ = [
    "Challenge",
    "CodeWrong",
    "PhoneUnsupported",
    "Profile",
    "SignedIn",
    "challenge",
    "change_profile",
    "end_session",
    "get_profile",
    "locale_of",
    "phone_of",
    "sign_in",
    "time_zone_of",
]
