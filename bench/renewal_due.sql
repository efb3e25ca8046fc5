-- The end of what is paid is now, for some of them: as a month later.
UPDATE period SET starts_at = now() - interval '1 month' - interval '1 minute',
                  ends_at = now() - interval '1 minute'
FROM generate_series(:first, :last) n
WHERE period.subscription_id = bench_id(21, n) AND number = 1;
UPDATE subscription SET anchor_at = now() - interval '1 month' - interval '1 minute',
                        due_at = now() - interval '1 minute'
FROM generate_series(:first, :last) n
WHERE subscription.id = bench_id(21, n);
