-- The roll-forward of a month straight from the lines, as it would be without roll-ups: to compare.
WITH leg AS (
    SELECT line.store_id, line.offer_id, entry.currency, entry.kind, line.book_date, leg.account,
           leg.amount, leg.cups
    FROM line
    JOIN entry ON entry.member_id = line.member_id AND entry.id = line.entry_id
    CROSS JOIN LATERAL (
        VALUES (line.debit, -line.amount, -line.qty), (line.credit, line.amount, line.qty)
    ) leg (account, amount, cups)
    WHERE line.book_date < ':next_on' AND leg.account IN ('2131', '2132', '2134', '2138')
)
SELECT store_id, offer_id, account, currency,
       sum(amount) FILTER (WHERE book_date < ':first_on') AS opening,
       sum(amount) FILTER (WHERE book_date >= ':first_on' AND kind = 'sale') AS sold,
       -sum(amount) FILTER (WHERE book_date >= ':first_on' AND kind = 'redemption') AS redeemed,
       sum(amount) FILTER (WHERE book_date >= ':first_on' AND kind = 'void') AS voided,
       -sum(amount) FILTER (WHERE book_date >= ':first_on' AND kind = 'lapse') AS lapsed,
       sum(amount) AS closing, sum(cups) AS cups_closing
FROM leg
GROUP BY store_id, offer_id, account, currency
ORDER BY store_id, offer_id, account, currency
