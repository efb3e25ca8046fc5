-- More phones, from :first to :last, for the shoppers there are.

INSERT INTO credential (id, member_id, issued_at, ends_at)
SELECT decode(lpad(to_hex(n), 16, '0'), 'hex'), bench_id(9, 1 + n % :wallets), now(),
       now() + interval '1 day'
FROM generate_series(:first, :last) n;
