-- The floors of the database side: the least that a double-entry sale costs in SQL, without HTTP, seal or history.
CREATE SCHEMA floor;
CREATE TABLE floor.account (
    id bigint PRIMARY KEY, currency int NOT NULL, balance bigint NOT NULL, overdraws boolean NOT NULL,
    CHECK (overdraws OR balance >= 0)
) WITH (fillfactor = 50);
CREATE TABLE floor.transfer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key uuid NOT NULL UNIQUE,
    debit bigint NOT NULL, credit bigint NOT NULL, amount bigint NOT NULL CHECK (amount > 0)
);
INSERT INTO floor.account VALUES (1, 1, 0, false);
INSERT INTO floor.account SELECT 100 + n, 1, 1000000000, false FROM generate_series(1, 10000) n;

-- One sale in a transaction of its own; every sale credits the same venue.
CREATE FUNCTION floor.sale(wallet bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE number bigint;
BEGIN
    UPDATE floor.account SET balance = balance + 1 WHERE id = 1;
    UPDATE floor.account SET balance = balance - 1 WHERE id = wallet;
    INSERT INTO floor.transfer (key, debit, credit, amount) VALUES (gen_random_uuid(), wallet, 1, 1) RETURNING id INTO number;
    RETURN number;
END $$;

-- `size` sales in one set-based statement; generating them is part of the figure.
CREATE FUNCTION floor.batch(size int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE keys uuid[]; wallets bigint[]; posted bigint;
BEGIN
    SELECT array_agg(gen_random_uuid()), array_agg(101 + floor(random() * 10000)::bigint) INTO keys, wallets
        FROM generate_series(1, size);
    PERFORM 1 FROM floor.account WHERE id = 1 OR id = ANY(wallets) ORDER BY id FOR NO KEY UPDATE;
    WITH added AS (
        INSERT INTO floor.transfer (key, debit, credit, amount)
        SELECT key, wallet, 1, 1 FROM unnest(keys, wallets) AS t(key, wallet) ON CONFLICT (key) DO NOTHING
        RETURNING debit, credit, amount
    ), net AS (
        SELECT account, sum(change)::bigint AS change FROM (
            SELECT debit AS account, -amount AS change FROM added UNION ALL SELECT credit, amount FROM added
        ) legs GROUP BY account
    ), moved AS (
        UPDATE floor.account a SET balance = a.balance + net.change FROM net WHERE a.id = net.account RETURNING 1
    )
    SELECT (SELECT count(*) FROM added) INTO posted FROM (SELECT count(*) FROM moved) done;
    RETURN posted;
END $$;
