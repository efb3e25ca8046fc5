-- The floor: all that is due is renewed in one statement, written for this benchmark alone. It does
-- the writes that the engine does, each row once and as it is in the end (payment, period,
-- subscription, history, notice, wallet, lot, entry and its lines, invoice and its line and
-- document; the trigger of the books fires in both). It decides nothing: one plan, one price, no
-- calendar but PostgreSQL's, and it takes no care of others at work.
WITH due AS MATERIALIZED (
    SELECT subscription.*, period.ends_at AS paid_until, period.number, gen_random_uuid() AS payment_id,
           gen_random_uuid() AS period_id, gen_random_uuid() AS lot_id,
           gen_random_uuid() AS entry_id, gen_random_uuid() AS invoice_id,
           period.ends_at + interval '1 month' AS renewed_until, card.provider_ref AS method_ref
    FROM subscription
    JOIN LATERAL (
        SELECT ends_at, number FROM period WHERE subscription_id = subscription.id
        ORDER BY number DESC LIMIT 1
    ) period ON true
    JOIN card ON card.id = subscription.card_id
    WHERE due_at <= now()
), charged AS (
    INSERT INTO payment (
        id, member_id, purpose, purpose_id, attempt, provider, amount, repaid, currency, card_id,
        method_ref, keeps_card, is_off_session, by_holder, status, provider_ref, created_at,
        asked_at, settled_at)
    SELECT payment_id, member_id, 'subscription_period', period_id, 1, 'stripe', 499, 0, 'TWD',
           card_id, method_ref, false, true, false, 'succeeded', 'pi_' || payment_id, now(), now(),
           now()
    FROM due
), renewed AS (
    INSERT INTO period (
        id, subscription_id, number, offer_version_id, starts_at, ends_at, status, price, net, vat,
        attempts, lapses_at, paid_at)
    SELECT period_id, id, number + 1, offer_version_id, paid_until, renewed_until, 'paid', 499,
           475, 24, 1, now() + interval '28 days', now()
    FROM due
), gone_on AS (
    UPDATE subscription SET due_at = renewed_until FROM due WHERE subscription.id = due.id
), history AS (
    INSERT INTO subscription_event (
        id, subscription_id, member_id, at, from_status, to_status, cause, facts)
    SELECT gen_random_uuid(), id, member_id, now(), status, status, 'renewed',
           jsonb_build_object('number', number + 1, 'price', 499)
    FROM due
), told AS (
    INSERT INTO outbox (
        member_id, id, topic, facts, created_at, due_at, is_notice, is_open, tries)
    SELECT member_id, gen_random_uuid(), 'member.notice',
           jsonb_build_object('to', member_id, 'notice', 'subscription.renewed', 'facts',
               jsonb_build_object('plan', 'plan', 'ends_at', renewed_until,
                   'price', jsonb_build_object('amount', 499, 'currency', 'TWD'))),
           now(), now(), true, true, 0
    FROM due
), changed AS (
    UPDATE wallet SET version = version + 1 FROM due WHERE wallet.member_id = due.member_id
), granted AS (
    INSERT INTO lot (
        member_id, id, offer_version_id, offer_id, store_id, source, source_id, ordinal, buyer_id,
        subscription_id, is_bonus, prepays_plan, account, currency, units, used, net, vat,
        net_recognised, vat_gone, sold_at, expiry_mode, ends_at, due_at, is_open)
    SELECT member_id, lot_id, offer_version_id, bench_id(4, 2), store_id, 'period', period_id, 1,
           member_id, id, false, false, '2132', 'TWD', 10, 0, 475, 24, 0, 0, now(), 'lapse',
           renewed_until, renewed_until - interval '3 days', true
    FROM due
), booked AS (
    INSERT INTO entry (
        member_id, id, kind, source_id, event_at, occurred_on, book_date, currency, content_hash)
    SELECT member_id, entry_id, 'sale', lot_id, now(), now()::date, now()::date, 'TWD',
           sha256(uuid_send(entry_id))
    FROM due
), lines AS (
    INSERT INTO line (
        member_id, entry_id, ordinal, book_date, store_id, debit, credit, amount, qty, offer_id,
        lot_id)
    SELECT member_id, entry_id, pair.ordinal, now()::date, store_id, '1111', credit, amount, qty,
           bench_id(4, 2), lot_id
    FROM due, (VALUES (1, '2132', 475, 10), (2, '2194', 24, 0)) pair (ordinal, credit, amount, qty)
), invoiced AS (
    INSERT INTO invoice (
        id, member_id, store_id, legal_entity_id, source, source_id, currency, gross, net, vat,
        taken_back_gross, taken_back_net, taken_back_vat, first_on, status, random_code, sold_at)
    SELECT invoice_id, member_id, store_id, bench_id(1, 1), 'period', period_id, 'TWD', 499, 475,
           24, 0, 0, 0, date_trunc('month', now())::date, 'due', '1234', now()
    FROM due
), invoiced_line AS (
    INSERT INTO invoice_line (
        invoice_id, ordinal, description, quantity, gross, net, vat, vat_code, basis_points,
        tax_type)
    SELECT invoice_id, 1, 'plan', 1, 499, 475, 24, 'standard', 500, 'taxable' FROM due
)
INSERT INTO invoice_document (
    id, invoice_id, ordinal, kind, gross, net, vat, description, made_at, status, due_at, tries)
SELECT gen_random_uuid(), invoice_id, 1, 'issue', 499, 475, 24, 'plan', now(), 'due', now(), 0
FROM due
