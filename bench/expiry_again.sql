-- As before any of it: what has lapsed is due again, and the books are empty.
SET session_replication_role = replica;
TRUNCATE entry, line, unfolded, outbox, redemption, redemption_line, redemption_void, idempotency_key;
UPDATE lot SET used = CASE units WHEN 3 THEN 1 ELSE 0 END,
               net_recognised = CASE units WHEN 3 THEN 33 ELSE 0 END,
               vat_gone = CASE units WHEN 3 THEN 2 ELSE 0 END, is_open = true
WHERE used > CASE units WHEN 3 THEN 1 ELSE 0 END;
UPDATE wallet SET version = 0 WHERE version > 0;
RESET session_replication_role;
