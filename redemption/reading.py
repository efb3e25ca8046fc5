"""The one statement that brings all that a decision needs.

It runs prepared and by itself (`kernel.hot`), one for each kind of code, since what only a card, a
capsule or a new phone needs would cost every scan. It joins by key and has no EXISTS: PostgreSQL
may turn one into a hash of a whole table, which is right while that is empty and a scan of all
redemptions a week later. What only some terms need (the member's last cups, the day's VAT, whether
any product is listed) has its condition inside of its LATERAL, which is then not run for the
others.
"""

from collections.abc import Mapping
from typing import Final, Literal

Way = Literal["plain", "card", "capsule", "new_phone"]
"""How a code is looked up: `new_phone` is a phone where the chain bounds those that are new."""

_READ = """
WITH till AS (
    SELECT device.id AS device_id, device.store_id, device.channel, device.public_key,
           device.profile, staff.id AS staff_id, staff.member_id AS own_member_id,
           (%(now)s AT TIME ZONE store.time_zone)::date AS today_on,
           (%(now)s AT TIME ZONE store.time_zone - store.day_ends_at::interval)::date
               AS business_day,
           store.region, store.time_zone, store.day_ends_at, store.offline_group
    FROM shift
    JOIN device ON device.id = shift.device_id
    JOIN staff ON staff.id = shift.staff_id
    JOIN store ON store.id = device.store_id
    WHERE shift.token_digest = %(shift_digest)s
      AND shift.ended_at IS NULL AND shift.ends_at > %(common_at)s
      AND device.revoked_at IS NULL AND staff.disabled_at IS NULL
)
SELECT till.device_id, till.store_id, till.channel, till.public_key, till.profile, till.staff_id,
       till.own_member_id, till.today_on, till.business_day,
       ((till.business_day + 1 + till.day_ends_at) AT TIME ZONE till.time_zone) AS next_day_at,
       till.offline_group, till.time_zone,
       known.fingerprint, known.answer,
       coalesce(wrong_code.times, 0) AS wrong_codes,
       wallet.member_id, wallet.version, wallet.blocked_at,
       used_before.id IS NOT NULL AS is_token_used,
       credential.holder_id, credential.subscription_id, credential.kind,
       CASE WHEN credential.approved_until > %(common_at)s THEN credential.approved_cups END,
       coalesce(credential.phone_since, credential.issued_at),
       {spent_by_code},
       product.id, product.code, product.name, product.size, product.list_price,
       lot.id, lot.offer_id, offer.code, lot.store_id, lot.account, lot.currency,
       lot.units, lot.used, lot.net, lot.vat, lot.net_recognised, lot.vat_gone,
       lot.sold_at, lot.expiry_mode, lot.ends_at, lot.frozen_at IS NOT NULL,
       lot.currency = product.currency
           AND (fits_product.product_id IS NOT NULL
                OR terms.covers_up_to IS NOT NULL AND listed.is_any IS NULL) AS accepts_product,
       CASE terms.accepted_at
           WHEN 'all' THEN true
           WHEN 'selling' THEN lot.store_id = till.store_id
           WHEN 'regions' THEN coalesce(till.region = ANY (terms.accepted_regions), false)
           ELSE fits_store.store_id IS NOT NULL
       END AS accepts_store,
       terms.redeem_channels, terms.covers_up_to, terms.allows_top_up,
       terms.price, terms.cups - CASE WHEN terms.bonus_after_count IS NULL THEN 0
                                      ELSE terms.bonus_cups END AS paid_cups,
       terms.vat_timing = 'redemption', terms.vat_code, rate.basis_points, rate.rounding,
       terms.max_cups, terms.cups_per_day, terms.minimum_interval_s,
       coalesce(spent.cups_today, 0)::bigint, spent.last_at, terms.is_unlimited,
       terms.name, terms.unit
FROM till
LEFT JOIN idempotency_key known
       ON known.principal_id = till.device_id AND known.key = %(key)s
LEFT JOIN wrong_code
       ON wrong_code.device_id = till.device_id
      AND wrong_code.hour_at = date_trunc('hour', %(common_at)s, 'UTC')
LEFT JOIN product ON product.id = {drinks}
{whose}LEFT JOIN lot ON lot.member_id = wallet.member_id AND lot.is_open AND NOT lot.prepays_plan
             AND (credential.subscription_id IS NULL
                  OR lot.subscription_id = credential.subscription_id)
LEFT JOIN offer_version terms ON terms.id = lot.offer_version_id
LEFT JOIN offer ON offer.id = lot.offer_id
LEFT JOIN offer_version_product fits_product
       ON fits_product.offer_version_id = lot.offer_version_id
      AND fits_product.product_id = product.id
LEFT JOIN offer_version_store fits_store
       ON fits_store.offer_version_id = lot.offer_version_id
      AND fits_store.store_id = till.store_id
LEFT JOIN LATERAL (
    SELECT sum(line.cups - line.cups_voided)
               FILTER (WHERE past.business_day = till.business_day) AS cups_today,
           max(past.redeemed_at) AS last_at
    FROM redemption past
    JOIN redemption_line line
      ON line.member_id = past.member_id AND line.redemption_id = past.id
    WHERE (terms.cups_per_day IS NOT NULL OR terms.minimum_interval_s IS NOT NULL)
      AND past.member_id = lot.member_id
      AND past.redeemed_at > %(now)s - interval '2 days'
      AND line.cups_voided < line.cups
      AND line.offer_id = lot.offer_id
) spent ON true
LEFT JOIN LATERAL (
    SELECT true AS is_any
    FROM offer_version_product fits_any
    WHERE terms.covers_up_to IS NOT NULL AND fits_any.offer_version_id = lot.offer_version_id
    LIMIT 1
) listed ON true
LEFT JOIN LATERAL (
    SELECT vat_rate.basis_points, vat_rate.rounding
    FROM vat_rate
    WHERE (terms.vat_timing = 'redemption' OR terms.allows_top_up OR lot.expiry_mode = 'top_up')
      AND vat_rate.code = terms.vat_code AND vat_rate.starts_on <= till.today_on
    ORDER BY vat_rate.starts_on DESC
    LIMIT 1
) rate ON true
"""

_CREDENTIAL = """LEFT JOIN credential
       ON credential.id = %(credential_id)s
      AND credential.revoked_at IS NULL AND credential.ends_at > %(common_at)s
LEFT JOIN wallet ON wallet.member_id = credential.member_id
"""
_USED_BEFORE = """LEFT JOIN redemption used_before
       ON used_before.member_id = wallet.member_id
      AND used_before.credential_id = credential.id AND used_before.step = %(step)s
"""

# A card has no step: a number made of device and key stands in for it (`statements.WRITE`).
_CARD_USED_BEFORE = """LEFT JOIN redemption used_before
       ON used_before.member_id = wallet.member_id AND used_before.credential_id = credential.id
      AND used_before.step
        = ('x' || substr(md5(till.device_id::text || %(key)s), 1, 16))::bit(64)::bigint
"""

# All phones of a member show the same capsule, so it is not of one credential.
_CAPSULE = """LEFT JOIN capsule
       ON capsule.serial = %(credential_id)s
      AND capsule.revoked_at IS NULL AND capsule.ends_at > %(common_at)s
LEFT JOIN credential ON credential.id IS NULL
LEFT JOIN wallet ON wallet.member_id = capsule.member_id
LEFT JOIN redemption used_before
       ON used_before.member_id = wallet.member_id
      AND used_before.credential_id = capsule.serial AND used_before.step = %(step)s
"""

_LATELY = """LEFT JOIN LATERAL (
    SELECT sum(past.cups - past.cups_voided) AS cups,
           sum(past.cups - past.cups_voided)
               FILTER (WHERE past.business_day = till.business_day) AS cups_today
    FROM redemption past {of}
    WHERE past.member_id = wallet.member_id
      AND past.redeemed_at > %(now)s - interval '2 days'
      AND {which}
) lately ON true
"""
_BY_CARD = _LATELY.format(of="", which="past.credential_id = credential.id")
_BY_CAPSULE = _LATELY.format(of="", which="past.credential_id = capsule.serial")

# A phone renews its credential each day, and stays the same phone. All that are new count together:
# whoever has stolen a session can make several.
_BY_NEW_PHONE = _LATELY.format(
    of="JOIN credential other ON other.id = past.credential_id",
    which="""credential.holder_id IS NULL AND other.holder_id IS NULL AND other.kind = 'phone'
      AND coalesce(credential.phone_since, credential.issued_at) > %(new_since)s
      AND coalesce(other.phone_since, other.issued_at) > %(new_since)s""",
)
# What they have fetched to show offline counts whole, as it does when they fetch it.
_IN_CAPSULES = """LEFT JOIN LATERAL (
    SELECT sum(fetched.cups) AS cups
    FROM capsule fetched
    JOIN credential other ON other.id = fetched.credential_id
    WHERE fetched.member_id = wallet.member_id AND fetched.ends_at > %(new_since)s
      AND fetched.issued_at > %(new_since)s
      AND coalesce(credential.phone_since, credential.issued_at) > %(new_since)s
      AND coalesce(other.phone_since, other.issued_at) > %(new_since)s
) fetched ON true
"""

_NOT_COUNTED = "NULL::bigint, 0::bigint, 0::bigint"
_COUNTED = "coalesce(lately.cups, 0)::bigint, coalesce(lately.cups_today, 0)::bigint"

_WHOSE: Final[Mapping[Way, tuple[str, str]]] = {
    "plain": (_CREDENTIAL + _USED_BEFORE, _NOT_COUNTED),
    "card": (_CREDENTIAL + _CARD_USED_BEFORE + _BY_CARD, f"NULL::bigint, {_COUNTED}"),
    "capsule": (_CAPSULE + _BY_CAPSULE, f"capsule.cups, {_COUNTED}"),
    "new_phone": (
        _CREDENTIAL + _USED_BEFORE + _BY_NEW_PHONE + _IN_CAPSULES,
        f"NULL::bigint, coalesce(fetched.cups, 0)::bigint + {_COUNTED}",
    ),
}


def _written(way: Way, drinks: str) -> str:
    whose, spent_by_code = _WHOSE[way]
    return _READ.format(whose=whose, spent_by_code=spent_by_code, drinks=drinks)


READS_ONE: Final[Mapping[Way, str]] = {way: _written(way, "%(product_id)s") for way in _WHOSE}
"""For a scan of one drink."""

READS_SEVERAL: Final[Mapping[Way, str]] = {
    way: _written(way, "ANY (%(product_ids)s::uuid[])") for way in _WHOSE
}
"""A row for each drink and lot."""

# Asked only where there are too few cups, or none any more when a limit lifts. A plan gives more
# when it is paid again, or sooner. Cups of a price are for all drinks up to it, where no drink is
# listed (as in the reading).
NEXT_CUPS: Final = """
SELECT min(coalesce(period.grant_at, period.ends_at))
FROM subscription
JOIN period ON period.subscription_id = subscription.id
           AND period.status = 'paid' AND period.starts_at <= %(now)s AND period.ends_at > %(now)s
JOIN offer_version terms ON terms.id = period.offer_version_id
                        AND (terms.cups > 0 OR terms.is_unlimited)
JOIN product ON product.id = ANY (%(product_ids)s::uuid[])
LEFT JOIN offer_version_product fits
       ON fits.offer_version_id = terms.id AND fits.product_id = product.id
WHERE subscription.member_id = %(member_id)s
  AND (%(subscription_id)s::uuid IS NULL OR subscription.id = %(subscription_id)s::uuid)
  AND subscription.status IN ('trialing', 'active') AND subscription.pauses_at IS NULL
  AND (period.grant_at IS NOT NULL OR NOT subscription.cancel_at_end)
  AND (fits.product_id IS NOT NULL
       OR terms.covers_up_to IS NOT NULL
          AND NOT EXISTS (SELECT FROM offer_version_product listed
                          WHERE listed.offer_version_id = terms.id))
  AND (terms.allows_top_up
       OR product.list_price <= coalesce(terms.covers_up_to, product.list_price))
"""
