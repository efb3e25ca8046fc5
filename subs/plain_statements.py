"""Renewals of the plain kind, in sets: a few statements, however many.

Nearly all renewals are alike: a plan that is active, with nothing asked for; its card is charged
for the next period, on the terms it is on; and the cups end with the period. Those are taken up and
recorded here in SQL. Whatever is not plain goes the general way (`service.taking_up`,
`service.settling`), which does the same to them, one object each.
"""

from ledger.statement import filled

_IS_PLAIN = """
    version.price > 0 AND version.cups > 0 AND NOT version.is_unlimited
    AND version.currency = 'TWD' AND version.vat_timing = 'sale'
    AND schedule.intro_price IS NULL AND schedule.carry_over = 'none'
    AND NOT schedule.benefits_in_grace AND schedule.grant_count IS NULL
"""
"""Terms with one price, and cups that are granted once and end with their period."""

READ_DUE = filled(
    """
    SELECT subscription.id::text, subscription.member_id, subscription.anchor_at,
           subscription.anchor_number, subscription.time_zone,
           last.number, schedule.every_count, schedule.every_unit, version.price,
           version.currency, card.provider_ref AS method_ref
    FROM unnest(CAST(:ids AS uuid[])) AS claimed (id)
    JOIN subscription ON subscription.id = claimed.id
    JOIN LATERAL (
        SELECT number, status, ends_at FROM period
        WHERE period.subscription_id = subscription.id ORDER BY number DESC LIMIT 1
    ) last ON last.status = 'paid' AND last.ends_at <= :now
    JOIN offer_version version ON version.id = subscription.offer_version_id
    JOIN plan_schedule schedule ON schedule.offer_version_id = version.id
    JOIN card ON card.id = subscription.card_id
    WHERE subscription.status = 'active' AND NOT subscription.cancel_at_end
      AND subscription.next_version_id IS NULL AND subscription.pauses_at IS NULL
      AND {is_plain}
      AND NOT (schedule.every_unit = 'day' AND schedule.every_count = 1
               AND last.ends_at <= :now - interval '24 hours')
      AND NOT EXISTS (
        SELECT FROM plan_migration
        WHERE from_version_id = version.id AND announced_at IS NOT NULL)
      AND NOT EXISTS (
        SELECT FROM lot
        WHERE lot.member_id = subscription.member_id AND lot.is_open AND lot.prepays_plan)
    """,
    is_plain=_IS_PLAIN,
)
"""Of locked subscriptions, those of which only the next period is due, and what it is made of."""

TAKE_UP = """
    WITH made AS MATERIALIZED (
        SELECT made.*, subscription.member_id, subscription.card_id, version.id AS version_id,
               version.price, version.currency, card.provider_ref AS method_ref,
               greatest(made.starts_at, :now) + schedule.grace_days * interval '24 hours'
                   AS lapses_at
        FROM unnest(
            CAST(:ids AS uuid[]), CAST(:periods AS uuid[]), CAST(:payments AS uuid[]),
            CAST(:numbers AS bigint[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])
        ) AS made (id, period_id, payment_id, number, starts_at, ends_at)
        JOIN subscription ON subscription.id = made.id
        JOIN offer_version version ON version.id = subscription.offer_version_id
        JOIN plan_schedule schedule ON schedule.offer_version_id = version.id
        JOIN card ON card.id = subscription.card_id
    ), asked AS (
        INSERT INTO payment (
            id, member_id, purpose, purpose_id, attempt, provider, amount, repaid, currency,
            card_id, method_ref, keeps_card, is_off_session, by_holder, status, created_at,
            asked_at, due_at)
        SELECT payment_id, member_id, :purpose, period_id, 1, :provider, price, 0, currency,
               card_id, method_ref, false, true, false, 'intent', :now, :asked_at,
               :look_at
        FROM made
    )
    INSERT INTO period (
        id, subscription_id, number, offer_version_id, starts_at, ends_at, status, price, attempts,
        payment_id, retry_at, lapses_at)
    SELECT period_id, id, number, version_id, starts_at, ends_at, 'due', price, 0,
           payment_id, :now, lapses_at
    FROM made
"""
"""The next periods, and what is asked for them under keys of their own."""

LOCK = """
    SELECT id FROM subscription
    WHERE id = ANY(ARRAY(
        SELECT period.subscription_id
        FROM payment JOIN period ON period.id = payment.purpose_id
        WHERE payment.id = ANY(CAST(:payments AS uuid[]))
    ))
    ORDER BY id FOR UPDATE
"""
"""The subscriptions of payments for periods, locked by their ids."""

READ_PAID = filled(
    """
    SELECT paid.payment_id::text, period.id::text AS period_id, period.ends_at, period.price,
           subscription.member_id::text, subscription.time_zone, subscription.store_id::text,
           version.id::text AS version_id, version.vat_code
    FROM unnest(CAST(:periods AS uuid[]), CAST(:payments AS uuid[])) AS paid (id, payment_id)
    CROSS JOIN LATERAL (SELECT * FROM period WHERE period.id = paid.id OFFSET 0) period
    JOIN subscription ON subscription.id = period.subscription_id
    JOIN offer_version version ON version.id = period.offer_version_id
    JOIN plan_schedule schedule ON schedule.offer_version_id = version.id
    WHERE period.status = 'due' AND period.payment_id = paid.payment_id AND period.attempts = 0
      AND period.ends_at > :now AND period.offer_version_id = subscription.offer_version_id
      AND subscription.status = 'active' AND {is_plain}
      AND NOT EXISTS (SELECT FROM dispute WHERE dispute.payment_id = paid.payment_id)
    """,
    is_plain=_IS_PLAIN,
)
"""Of periods whose payments have come, those of a first attempt for a plan that goes on.

Ids are text, as they come: nobody looks into them.
Period by period (OFFSET 0): few are due, so PostgreSQL would look at all that are.
"""

# All that a period leaves behind has one id, each in its own table: that of the period, as if made
# at this moment, since history and lots sort by theirs. Another random one for each row would be a
# tenth of all the work.
_ID = "overlay(period.id::text PLACING CAST(:moment AS text) FROM 1)::uuid"

# What `ledger.content.content_hash` says of the sale of a lot: its net and its VAT.
_HASH = r"""
    sha256(convert_to(
        concat_ws('|', member_id, id, 'sale', id,
                  CAST(:microseconds AS text), sold_on,
                  booked_on, currency,
                  E'\n1', store_id, CAST(:cash AS text), CAST(:plans AS text), net, cups, '',
                  offer_id, id)
        || concat_ws('|', E'\n2', store_id, CAST(:cash AS text), CAST(:output_vat AS text), vat,
                     0, '', offer_id, id),
        'UTF8'))
"""

SETTLE = filled(
    """
    WITH paid AS MATERIALIZED (
        SELECT paid.period_id, paid.due_at, paid.lot_due_at, sale.*,
               period.number, period.ends_at, period.price, period.subscription_id,
               subscription.member_id, subscription.order_item_id,
               version.name, version.currency, version.cups, version.offer_id, version.vat_code,
               {id} AS id
        FROM unnest(
            CAST(:periods AS uuid[]), CAST(:due AS timestamptz[]), CAST(:lots_due AS timestamptz[]),
            CAST(:sales AS bigint[])
        ) AS paid (period_id, due_at, lot_due_at, of_sale)
        JOIN unnest(
            CAST(:versions AS uuid[]), CAST(:stores AS uuid[]), CAST(:sold_on AS text[]),
            CAST(:booked_on AS text[]), CAST(:sellers AS uuid[]), CAST(:nets AS bigint[]),
            CAST(:vats AS bigint[]), CAST(:rates AS bigint[]), CAST(:first_on AS text[])
        ) WITH ORDINALITY
            AS sale (version_id, store_id, sold_on, booked_on, seller_id, net, vat, basis_points,
                     first_on, sale)
          ON sale.sale = paid.of_sale
        JOIN period ON period.id = paid.period_id
        JOIN subscription ON subscription.id = period.subscription_id
        JOIN offer_version version ON version.id = sale.version_id
    ), renewed AS (
        UPDATE period
        SET status = 'paid', attempts = 1, net = paid.net, vat = paid.vat, paid_at = :now,
            payment_id = NULL, asked_at = NULL, retry_at = NULL
        FROM paid WHERE period.id = paid.period_id
    ), gone_on AS (
        UPDATE subscription SET due_at = paid.due_at, leased_until = NULL
        FROM paid WHERE subscription.id = paid.subscription_id
    ), history AS (
        INSERT INTO subscription_event (
            id, subscription_id, member_id, at, from_status, to_status, cause, facts)
        SELECT id, subscription_id, member_id, :now, 'active', 'active', 'renewed',
               jsonb_build_object('number', number, 'price', price)
        FROM paid
    ), told AS (
        INSERT INTO outbox (
            member_id, id, topic, facts, created_at, due_at, is_notice, is_open, tries)
        SELECT member_id, id, 'member.notice',
               jsonb_build_object('to', member_id, 'notice', CAST(:notice AS text), 'facts',
                   jsonb_build_object('plan', name, 'ends_at', ends_at, 'price',
                       jsonb_build_object('amount', price, 'currency', currency))),
               :now, :now, true, true, 0
        FROM paid
    ), granted AS (
        INSERT INTO lot (
            member_id, id, offer_version_id, offer_id, store_id, source, source_id, ordinal,
            buyer_id, subscription_id, is_bonus, prepays_plan, account, currency, units, used, net,
            vat, net_recognised, vat_gone, sold_at, expiry_mode, ends_at, due_at, is_open)
        SELECT member_id, id, version_id, offer_id, store_id, 'period', period_id, 1,
               member_id, subscription_id, false, false, :plans, currency, cups, 0, net,
               vat, 0, 0, :now, 'lapse', ends_at, lot_due_at, true
        FROM paid
    ), booked AS (
        INSERT INTO entry (
            member_id, id, kind, source_id, event_at, occurred_on, book_date, currency,
            content_hash)
        SELECT member_id, id, 'sale', id, :now, sold_on::date, booked_on::date, currency,
               {hash}
        FROM paid
    ), lines AS (
        INSERT INTO line (
            member_id, entry_id, ordinal, book_date, store_id, debit, credit, amount, qty, offer_id,
            lot_id)
        SELECT member_id, id, pair.ordinal, booked_on::date, store_id, :cash, pair.credit,
               pair.amount, pair.qty, offer_id, id
        FROM paid
        CROSS JOIN LATERAL (
            VALUES (1, CAST(:plans AS text), net, cups), (2, CAST(:output_vat AS text), vat, 0)
        ) pair (ordinal, credit, amount, qty)
    ), invoiced AS (
        INSERT INTO invoice (
            id, member_id, store_id, legal_entity_id, source, source_id, buyer_tax_id,
            buyer_carrier, buyer_donation_code, currency, gross, net, vat, taken_back_gross,
            taken_back_net, taken_back_vat, first_on, status, random_code, sold_at)
        SELECT paid.id, paid.member_id, paid.store_id, seller_id, 'period', period_id,
               ordered.buyer_tax_id, ordered.carrier, ordered.donation_code, paid.currency, price,
               paid.net, paid.vat, 0, 0, 0, first_on::date, 'due',
               lpad(floor(random() * 10000)::text, 4, '0'), :now
        FROM paid
        LEFT JOIN order_item item ON item.id = paid.order_item_id
        LEFT JOIN voucher_order ordered
          ON ordered.id = item.order_id AND ordered.member_id = paid.member_id
    ), invoiced_lines AS (
        INSERT INTO invoice_line (
            invoice_id, ordinal, description, quantity, gross, net, vat, vat_code, basis_points,
            tax_type)
        SELECT id, 1, name, 1, price, net, vat, vat_code, basis_points, 'taxable'
        FROM paid
    )
    INSERT INTO invoice_document (
        id, invoice_id, ordinal, kind, gross, net, vat, description, made_at, status, due_at, tries)
    SELECT id, id, 1, 'issue', price, net, vat, name, :now, 'due', :now, 0
    FROM paid
    """,
    id=_ID,
    hash=_HASH,
)
"""All that a paid period of the plain kind leaves behind, under the locks of the wallets."""
