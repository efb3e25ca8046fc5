-- :devices screens, which follow their stores.

INSERT INTO device (id, store_id, name, profile, code_digest, code_ends_at, token_digest, enrolled_at)
SELECT bench_id(13, n), bench_id(2, 1 + n % 4), 'screen', 'screen',
       sha256(('screen code' || n)::bytea), now(), sha256(('screen' || n)::bytea), now()
FROM generate_series(1, :devices) n;
