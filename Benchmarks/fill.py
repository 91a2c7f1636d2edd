"""Puts many links and earlier sales straight into a SQLite file that `kith setup` made, by SQL on the real schema: plausible rows, made ids."""
import subprocess

SALES_PER_CUSTOMER = 4
DAY_MS = 86_400_000


def fill_links(path, workspace, program, member, links, now_ms):
    run(path, f"""
        INSERT INTO link (id, workspace_id, program_id, member_id, host, code, code_folded, destination, kind, code_needs_referral, created_at)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {links})
        SELECT 'lnk_01k00' || printf('%021d', i), '{workspace}', '{program}', '{member}', '', printf('b%07d', i), printf('b%07d', i),
               'https://shop.example.com/products/' || i, 'link', 0, {now_ms} FROM n;""")


def fill_sales(path, workspace, program, rule, member, sales, now_ms):
    """Each sale with one commission and its posting; a customer has bought four times."""
    customers = max(1, sales // SALES_PER_CUSTOMER)
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {sales})"
    shares = '[{"memberId":"' + member + '","sharePpm":1000000,"touchId":null,"reason":"boundCustomer"}]'
    attribution = '{"status":"attributed","model":null,"shares":' + shares + ',"rejected":[],"touches":[]}'
    at = f"{now_ms} - 400 * {DAY_MS} + i * (390 * {DAY_MS} / {sales})"
    run(path, f"""
        INSERT INTO person (id, workspace_id, key_id, created_at)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {customers})
        SELECT 'per_01k00' || printf('%021d', i), '{workspace}', 'pk_01k00' || printf('%021d', i), {now_ms} FROM n;
        INSERT INTO customer (id, workspace_id, person_id, external_hash, created_at)
        SELECT 'cus_' || substr(id, 5), workspace_id, id, randomblob(32), created_at FROM person WHERE id LIKE 'per_01k00%';
        INSERT INTO sale (id, workspace_id, program_id, program_version, customer_id, invoice_id, amount, currency, sale_number, coupon_used,
                          items, facts_hash, attribution, refusals, occurred_at, recorded_at)
        {numbers}
        SELECT 'sale_01k00' || printf('%021d', i), '{workspace}', '{program}', 1, 'cus_01k00' || printf('%021d', 1 + i % {customers}), 'early-' || i,
               100 + i * 7919 % 20000, 'EUR', 1 + i / {customers}, 0, '[]', randomblob(32), '{attribution}', '[]', {at}, {at} FROM n;
        INSERT INTO commission (id, workspace_id, program_id, cause_kind, cause_id, sale_id, member_id, rule_id, rule_version, line, level, base,
                                rate, share_ppm, unit, amount, state, hold_until, explanation, occurred_at, recorded_at)
        SELECT 'com_' || substr(id, 6), workspace_id, program_id, 'sale', id, id, '{member}', '{rule}', 1, 0, 0, amount, '0.1', 1000000, 'EUR',
               amount / 10, 'approved', occurred_at, '{{"base":' || amount || ',"rate":"0.1"}}', occurred_at, recorded_at
        FROM sale WHERE id LIKE 'sale_01k00%';
        INSERT INTO account VALUES ('acc_bench_expense', '{workspace}', 'expenses:commissions:bench', 'EUR', 'debit', 1, 0);
        INSERT INTO account VALUES ('acc_bench_payable', '{workspace}', 'liabilities:payable:available:bench', 'EUR', 'credit', 0, 0);
        INSERT INTO journal_transaction (workspace_id, sequence, id, recorded_at, effective_at, cause, purpose, hash)
        {numbers}
        SELECT '{workspace}', i, 'jtx_' || lower(hex(randomblob(16))), {at}, {at}, 'sale_01k00' || printf('%021d', i), 'commission', randomblob(32) FROM n;
        INSERT INTO journal_entry (workspace_id, sequence, position, account_id, amount, balance_after)
        SELECT workspace_id, sequence, 0, 'acc_bench_expense', 10 + sequence % 2000, 0 FROM journal_transaction WHERE workspace_id = '{workspace}';
        INSERT INTO journal_entry (workspace_id, sequence, position, account_id, amount, balance_after)
        SELECT workspace_id, sequence, 1, 'acc_bench_payable', -10 - sequence % 2000, 0 FROM journal_transaction WHERE workspace_id = '{workspace}';
        INSERT INTO journal_head VALUES ('{workspace}', {sales}, randomblob(32), {sales}, 2 * {sales})
        ON CONFLICT (workspace_id) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash,
            transaction_count = excluded.transaction_count, entry_count = excluded.entry_count;""")


def run(path, text):
    subprocess.run(
        ["sqlite3", "-bail", path], input=f"PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN;{text}COMMIT; PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;",
        text=True, check=True, capture_output=True)
