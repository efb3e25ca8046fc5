-- The floor: all that ended lapses in one statement, written for this benchmark alone. It does the
-- writes that the job does (lots, wallets, entries, lines, notices; the trigger of the books fires
-- in both), all at once: it takes no care of others at work, asks neither for closed months nor for
-- estimates, knows one time zone, and an entry's hash is as long as a real one and of less.
WITH ended AS MATERIALIZED (
    SELECT member_id, id, offer_id, store_id, account, net - net_recognised AS amount,
           units - used AS cups, ends_at, ends_at::date AS ended_on, gen_random_uuid() AS entry_id
    FROM lot
    WHERE is_open AND due_at <= now() AND expiry_mode = 'lapse' AND frozen_at IS NULL
), gone AS (
    UPDATE lot SET used = units, net_recognised = net, vat_gone = vat, is_open = false
    FROM ended WHERE lot.member_id = ended.member_id AND lot.id = ended.id
), changed AS (
    UPDATE wallet SET version = version + 1 FROM ended WHERE wallet.member_id = ended.member_id
), booked AS (
    INSERT INTO entry (member_id, id, kind, source_id, event_at, occurred_on, book_date, currency,
                       content_hash)
    SELECT member_id, entry_id, 'lapse', id, ends_at, ended_on, ended_on, 'TWD',
           sha256(uuid_send(entry_id))
    FROM ended
), lines AS (
    INSERT INTO line (member_id, entry_id, ordinal, book_date, store_id, debit, credit, amount,
                      qty, offer_id, lot_id)
    SELECT member_id, entry_id, 1, ended_on, store_id, account, '4113', amount, cups, offer_id, id
    FROM ended
)
INSERT INTO outbox (member_id, id, topic, facts, created_at, due_at, is_notice, is_open, tries)
SELECT member_id, gen_random_uuid(), 'member.notice',
       jsonb_build_object('to', member_id, 'notice', 'lot.lapsed', 'facts', jsonb_build_object(
           'offer', 'pack', 'ended_on', ended_on,
           'cups', jsonb_build_object('count', cups, 'unit', 'cup'))),
       now(), now(), true, true, 0
FROM ended
