-- A capsule on the phone of every shopper up to :members, as `bench.upload` makes them.

INSERT INTO capsule (
    serial, member_id, credential_id, cups, store_group, key_id, issued_at, ends_at)
SELECT decode(lpad(to_hex(:serials + n), 16, '0'), 'hex'), bench_id(9, n),
       decode(lpad(to_hex(n), 16, '0'), 'hex'), 2, 1, :key_id, ':issued_at', ':ends_at'
FROM generate_series(1, :members) n;
