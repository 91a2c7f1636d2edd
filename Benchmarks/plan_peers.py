"""The commission run of `make bench` in DuckDB and PostgreSQL: the same files in, the same statements out."""
import subprocess
import time

# Level rates in parts of 10,000; amounts are cut, as `rounding: down` says.
RATES = [500, 400, 300, 200, 200, 100, 100]
RANK = """case when not act then 0 when gv >= 10000000 and legs >= 3 then 4 when gv >= 2000000 and legs >= 2 then 3
          when gv >= 500000 and legs >= 1 then 2 else 1 end"""
DEPTH = "case rank when 4 then 7 when 3 then 6 when 2 then 4 when 1 then 2 else 0 end"


def duckdb_run(folder, out, threads):
    """Reads the CSV, computes, writes statements; gives seconds for reading, computing and writing, and the total."""
    import duckdb
    db = duckdb.connect()
    db.execute(f"set threads={threads}; set memory_limit='16GB'; set temp_directory='{folder}/duckdb.tmp'")
    began = time.perf_counter()
    db.execute(f"""create table member as select row_number() over () - 1 as place, * from
        read_csv('{folder}/members.csv', header=true, all_varchar=true)""")
    db.execute(f"""create table orders as select id, buyer_id, amount from read_csv('{folder}/orders.csv', header=true, columns={{
        'id': 'varchar', 'buyer_id': 'varchar', 'occurred_at': 'timestamp', 'amount': 'bigint', 'currency': 'varchar',
        'commission_volume': 'bigint', 'qualifying_volume': 'bigint', 'sku': 'varchar', 'refund_of': 'varchar'}})""")
    db.execute("""create table m as select a.place::int id, coalesce(b.place, -1)::int parent from member a left join member b on b.id = a.enroller_id""")
    db.execute("create table o as select member.place::int buyer, orders.amount::bigint amount from orders join member on member.id = orders.buyer_id")
    read = time.perf_counter()
    db.execute("""create table pv as select m.id, m.parent, coalesce(s, 0)::bigint pv, coalesce(s, 0) >= 50000 act
        from m left join (select buyer, sum(amount) s from o group by 1) x on x.buyer = m.id""")
    db.execute("""create table gv as with recursive w(anc, v) as (select id, pv from pv union all
        select pv.parent, w.s from (select anc, sum(v) s from w group by anc) w join pv on pv.id = w.anc where pv.parent >= 0)
        select anc id, sum(v)::bigint gv from w group by anc""")
    db.execute(f"""create table rk as select id, act, pv, gv, ({RANK})::int rank from (select pv.*, gv.gv, coalesce(legs, 0) legs
        from pv join gv using (id) left join (select parent id, count(*) filter (act) legs from pv group by 1) l using (id))""")
    db.execute(f"""create table cp as with recursive w(id, c, act) as (select id, -1, act from pv where parent < 0 union all
        select p.id, case when w.act then w.id else w.c end, p.act from w join pv p on p.parent = w.id)
        select w.id, w.c, ({DEPTH})::int dep from w join rk using (id)""")
    names = sorted(set(RATES))
    db.execute("create table s as select buyer, " + ", ".join(f"sum(amount * {rate} // 10000)::bigint s{rate}" for rate in names) + " from o group by 1")
    db.execute("create table anc as select b.id buyer, " + ", ".join(f"a{k}.id x{k}, a{k}.dep d{k}" for k in range(1, 8))
               + " from cp b left join cp a1 on a1.id = b.c " + " ".join(f"left join cp a{k} on a{k}.id = a{k - 1}.c" for k in range(2, 8)))
    db.execute("create table pay as select id, sum(p)::bigint pay from (" + " union all ".join(
        f"select x{k} id, s{RATES[k - 1]} p from s join anc using (buyer) where d{k} >= {k}" for k in range(1, 8)) + ") group by id")
    computed = time.perf_counter()
    db.execute(f"""copy (select member.id member_id, rank, pv personal_volume, gv group_volume, coalesce(pay, 0) amount from rk
        join member on member.place = rk.id left join pay on pay.id = rk.id where gv <> 0 order by member.id collate "C") to '{out}' (header true)""")
    written = time.perf_counter()
    total = db.execute("select sum(pay)::bigint from pay").fetchone()[0]
    return read - began, computed - read, written - computed, total


def same_statements(ours, theirs):
    """How many members of two statements files differ in volumes or amount."""
    import duckdb
    return duckdb.connect().execute(f"""select count(*) from read_csv('{ours}', header=true) a
        full join read_csv('{theirs}', header=true) b using (member_id)
        where a.personal_volume is distinct from b.personal_volume or a.group_volume is distinct from b.group_volume
            or a.amount is distinct from b.amount""").fetchone()[0]


def postgres_run(folder, psql):
    """The same in PostgreSQL, from CSV: seconds for reading and for computing, and the total."""
    script = f"""
\\set ON_ERROR_STOP on
set work_mem = '1GB'; set max_parallel_workers_per_gather = 2; set jit = off; set synchronous_commit = off;
drop schema if exists plan_bench cascade; create schema plan_bench; set search_path = plan_bench;
create unlogged table member (place serial, id text, kind text, enroller_id text, pp text, slot text, joined_at timestamptz, status text);
create unlogged table orders (id text, buyer_id text, occurred_at timestamptz, amount bigint, currency text, cv bigint, qv bigint, sku text, refund_of text);
select clock_timestamp() as t0 \\gset
\\copy member (id, kind, enroller_id, pp, slot, joined_at, status) from '{folder}/members.csv' csv header
\\copy orders from '{folder}/orders.csv' csv header
create unlogged table m as select a.place id, coalesce(b.place, -1) parent from member a left join member b on b.id = a.enroller_id;
create unlogged table o as select member.place buyer, orders.amount from orders join member on member.id = orders.buyer_id;
create index on m (id); analyze m; analyze o;
select clock_timestamp() as t1 \\gset
create unlogged table pv as select m.id, m.parent, coalesce(s, 0)::bigint pv, coalesce(s, 0) >= 50000 act
    from m left join (select buyer, sum(amount) s from o group by 1) x on x.buyer = m.id;
create index on pv (id); create index on pv (parent); analyze pv;
create unlogged table lv as with recursive w(id, lvl) as (select id, 0 from pv where parent < 0 union all
    select pv.id, lvl + 1 from w join pv on pv.parent = w.id) select * from w;
create index on lv (id); analyze lv;
create unlogged table gv as select id, pv gv from pv; create index on gv (id); analyze gv;
do $$ declare l int; begin
    for l in select generate_series((select max(lvl) from lv), 1, -1) loop
        update gv set gv = gv.gv + x.s from (select pv.parent, sum(g.gv) s from lv join pv using (id) join gv g using (id) where lv.lvl = l group by 1) x
            where gv.id = x.parent;
    end loop; end $$;
create unlogged table rk as select id, act, pv, gv, {RANK} rank from (select pv.*, gv.gv, coalesce(legs, 0) legs from pv join gv using (id)
    left join (select parent id, count(*) filter (where act) legs from pv group by 1) l using (id)) x;
create index on rk (id); analyze rk;
create unlogged table cp as with recursive w(id, c, act) as (select id, -1, act from pv where parent < 0 union all
    select p.id, case when w.act then w.id else w.c end, p.act from w join pv p on p.parent = w.id)
    select w.id, w.c, {DEPTH} dep from w join rk using (id);
create index on cp (id); analyze cp;
create unlogged table anc as select b.id buyer, {", ".join(f"a{k}.id x{k}, a{k}.dep d{k}" for k in range(1, 8))} from cp b left join cp a1 on a1.id = b.c
    {" ".join(f"left join cp a{k} on a{k}.id = a{k - 1}.c" for k in range(2, 8))};
create unlogged table pay as select v.id, sum(o.amount * v.bps / 10000)::bigint pay from o join anc using (buyer) cross join lateral
    (values {", ".join(f"(x{k}, d{k}, {k}, {RATES[k - 1]})" for k in range(1, 8))}) v(id, d, l, bps) where v.d >= v.l group by 1;
select clock_timestamp() as t2 \\gset
\\echo result
select extract(epoch from timestamptz :'t1' - timestamptz :'t0'), extract(epoch from timestamptz :'t2' - timestamptz :'t1'), (select sum(pay)::bigint from pay);
drop schema plan_bench cascade;
"""
    answer = subprocess.run([*psql, "-X", "-q", "-A", "-t", "-F", " "], input=script, text=True, capture_output=True, check=True)
    read, computed, total = answer.stdout.split("result\n")[1].split()
    return float(read), float(computed), int(total)
