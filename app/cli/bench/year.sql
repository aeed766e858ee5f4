-- A year of a network, in set-based statements: what the ledger would have written, sale by sale. Parameters are set by
-- app/cli/bench/year.py. Each card is loaded before each of its tens of sales, in cash and online by turns, by what these
-- cost (the last time by five more), so that the oldest load pays for exactly the sales that follow it.

CREATE TEMP TABLE sale ON COMMIT DROP AS
SELECT n, CAST(:start_us AS bigint) + n * (CAST(:span_us AS bigint) / CAST(:sales AS bigint)) AS at_us,
       1 + (hashint8extended(n, 1) & 1073741823) % CAST(:cards AS bigint) AS card,
       1 + (hashint8extended(n, 2) & 1073741823) % CAST(:venues AS bigint) AS venue,
       100 + (hashint8extended(n, 3) & 1073741823) % 900 AS cents
FROM generate_series(CAST(1 AS bigint), CAST(:sales AS bigint)) AS n;

CREATE TEMP TABLE placed ON COMMIT DROP AS
SELECT *, (row_number() OVER of_card - 1) / 10 AS ten, count(*) OVER (PARTITION BY card) AS of_card
FROM sale WINDOW of_card AS (PARTITION BY card ORDER BY n);

CREATE TEMP TABLE event ON COMMIT DROP AS
SELECT row_number() OVER by_time AS seq, sum(transfers) OVER by_time - transfers + 1 AS first_transfer, *,
       CAST(lpad(to_hex(at_us / 1000), 12, '0') || '7' || substr(hashed, 1, 3) || '8' || substr(hashed, 4, 15) AS uuid) AS id,
       CAST(to_timestamp(at_us / 1e6) AT TIME ZONE 'Europe/Paris' - INTERVAL '6 hours' AS date) AS day
FROM (SELECT 2 * n AS place, 'sale' AS kind, 1 AS transfers, card, ten, venue, cents, at_us, md5(CAST(n AS text)) AS hashed
      FROM placed
      UNION ALL
      SELECT 2 * min(n) - 1, CASE ten % 2 WHEN 0 THEN 'topup.cash' ELSE 'topup.online' END, 2, card, ten,
             CASE ten % 2 WHEN 0 THEN (array_agg(venue ORDER BY n))[1] END,
             sum(cents) + CASE WHEN ten = (min(of_card) - 1) / 10 THEN 500 ELSE 0 END, min(at_us), md5('load' || min(n))
      FROM placed GROUP BY card, ten) AS either
WINDOW by_time AS (ORDER BY place);

CREATE TEMP TABLE account_of ON COMMIT DROP AS
SELECT 'wallet' AS kind, number, id FROM unnest(CAST(:wallets AS bigint[])) WITH ORDINALITY AS w (id, number)
UNION ALL
SELECT 'claim', number, id FROM unnest(CAST(:claims AS bigint[])) WITH ORDINALITY AS c (id, number)
UNION ALL
SELECT 'due_from', number, id FROM unnest(CAST(:dues AS bigint[])) WITH ORDINALITY AS d (id, number);

CREATE TEMP TABLE moved ON COMMIT DROP AS
SELECT e.first_transfer AS id, e.seq, w.id AS debit, c.id AS credit, e.cents
FROM event e JOIN account_of w ON w.kind = 'wallet' AND w.number = e.card
             JOIN account_of c ON c.kind = 'claim' AND c.number = e.venue WHERE e.kind = 'sale'
UNION ALL
SELECT e.first_transfer, e.seq, coalesce(d.id, CAST(:clearing AS bigint)), CAST(:liability AS bigint), e.cents
FROM event e LEFT JOIN account_of d ON d.kind = 'due_from' AND d.number = e.venue WHERE e.kind <> 'sale'
UNION ALL
SELECT e.first_transfer + 1, e.seq, CAST(:issuance AS bigint), w.id, e.cents
FROM event e JOIN account_of w ON w.kind = 'wallet' AND w.number = e.card WHERE e.kind <> 'sale';

CREATE TEMP TABLE stated ON COMMIT DROP AS
SELECT id, max(after) FILTER (WHERE side = -1) AS debit_after, max(after) FILTER (WHERE side = 1) AS credit_after
FROM (SELECT leg.id, side, CAST(sum(side * a.normal * cents) OVER (PARTITION BY leg.account ORDER BY leg.id) AS bigint) AS after
      FROM (SELECT id, -1 AS side, debit AS account, cents FROM moved
            UNION ALL SELECT id, 1, credit, cents FROM moved) AS leg JOIN account a ON a.id = leg.account) AS running
GROUP BY id;

CREATE TEMP TABLE whole ON COMMIT DROP AS
SELECT m.id, m.seq, m.debit, m.credit, CAST(m.cents AS bigint) AS cents, s.debit_after, s.credit_after
FROM moved m JOIN stated s ON s.id = m.id;

CREATE TEMP TABLE packed ON COMMIT DROP AS
SELECT seq, string_agg(int8send(id) || int8send(debit) || int8send(credit) || int8send(cents) || int8send(debit_after)
                       || int8send(credit_after) || int8send(0), '' ORDER BY id) AS transfers
FROM whole GROUP BY seq;

ANALYZE event, packed;

CREATE TEMP TABLE written ON COMMIT DROP AS
SELECT e.id, e.seq, e.kind, sha256(uuid_send(e.id)) AS fingerprint, coalesce(v.actor, 'holder') AS actor, v.id AS venue, v.terminal, e.at_us, e.day,
       e.first_transfer, e.transfers, p.transfers AS moved,
       CASE e.kind WHEN 'sale' THEN '{"card":"' || e.card || '","cashier"\:null,"terminal_name":"Bar","lines":[{"product":"'
                        || v.product || '","name":"Demi","quantity"\:1,"unit_price":' || e.cents || ',"currency":"RAF"}]}'
                   ELSE '{"card":"' || e.card || '","cents":' || e.cents || '}' END AS details
FROM event e JOIN packed p ON p.seq = e.seq
        LEFT JOIN (SELECT number, id, terminal, product, 'terminal:' || terminal AS actor
                   FROM unnest(CAST(:venue_ids AS uuid[]), CAST(:terminal_ids AS uuid[]), CAST(:product_ids AS uuid[]))
                        WITH ORDINALITY AS v (id, terminal, product, number)) AS v ON v.number = e.venue;

INSERT INTO operation (id, seq, kind, fingerprint, actor, venue, terminal, occurred_at_us, booked_at_us, business_day, late,
                       policy, reverses, first_transfer, transfers, details, digest)
SELECT id, seq, kind, fingerprint, actor, venue, terminal, at_us, at_us, day, false, '', NULL, first_transfer, transfers,
       details,
       sha256('comptoir-operation-1'::bytea || uuid_send(id) || int8send(seq) || int8send(at_us) || int8send(at_us)
              || int4send(day - DATE '0001-01-01' + 1) || '\x00'::bytea || uuid_send(coalesce(venue, uuid_nil)) || uuid_send(coalesce(terminal, uuid_nil))
              || uuid_send(uuid_nil)
              || int4send(octet_length(kind)) || convert_to(kind, 'UTF8')
              || int4send(octet_length(actor)) || convert_to(actor, 'UTF8')
              || int4send(0) || int4send(octet_length(details)) || convert_to(details, 'UTF8')
              || int4send(32) || fingerprint || moved)
FROM written, CAST('00000000-0000-0000-0000-000000000000' AS uuid) AS uuid_nil ORDER BY seq;

INSERT INTO transfer (id, operation_seq, debit_account, credit_account, amount, debit_after, credit_after)
SELECT id, seq, debit, credit, cents, debit_after, credit_after FROM whole ORDER BY id;

INSERT INTO lot (transfer, part, book, owner, origin, day, amount, remaining)
SELECT e.first_transfer + 1, 0, a.book, a.owner, coalesce(v.id, CAST('00000000-0000-0000-0000-000000000000' AS uuid)), e.day, e.cents, CASE WHEN e.ten = last.ten THEN 500 ELSE 0 END
FROM event e JOIN account_of w ON w.kind = 'wallet' AND w.number = e.card JOIN account a ON a.id = w.id
             LEFT JOIN unnest(CAST(:venue_ids AS uuid[])) WITH ORDINALITY AS v (id, number) ON v.number = e.venue
             JOIN (SELECT card, max(ten) AS ten FROM event GROUP BY card) AS last ON last.card = e.card
WHERE e.kind <> 'sale';

INSERT INTO lot_use (transfer, place, origin, day, amount, returned)
SELECT s.first_transfer, 0, coalesce(v.id, CAST('00000000-0000-0000-0000-000000000000' AS uuid)), l.day, s.cents, 0
FROM event s JOIN event l ON l.kind <> 'sale' AND l.card = s.card AND l.ten = s.ten
             LEFT JOIN unnest(CAST(:venue_ids AS uuid[])) WITH ORDINALITY AS v (id, number) ON v.number = l.venue
WHERE s.kind = 'sale';

INSERT INTO spent_from (day, book, origin, purpose, venue, amount)
SELECT s.day, a.book, coalesce(origin.id, CAST('00000000-0000-0000-0000-000000000000' AS uuid)), 'claim', venue.id, CAST(sum(s.cents) AS bigint)
FROM event s JOIN event l ON l.kind <> 'sale' AND l.card = s.card AND l.ten = s.ten
             LEFT JOIN unnest(CAST(:venue_ids AS uuid[])) WITH ORDINALITY AS origin (id, number) ON origin.number = l.venue
             JOIN unnest(CAST(:venue_ids AS uuid[])) WITH ORDINALITY AS venue (id, number) ON venue.number = s.venue
             JOIN account_of c ON c.kind = 'claim' AND c.number = s.venue JOIN account a ON a.id = c.id
WHERE s.kind = 'sale' GROUP BY s.day, a.book, origin.id, venue.id;

INSERT INTO spent_month (month, book, origin, purpose, venue, amount)
SELECT CAST(date_trunc('month', day) AS date), book, origin, purpose, venue, CAST(sum(amount) AS bigint)
FROM spent_from GROUP BY 1, 2, 3, 4, 5;
