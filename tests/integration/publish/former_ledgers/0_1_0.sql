-- The ledger as 0.1.0 made it: what an upgrade begins from. Never changed.
-- The ledger: which run of which day readers see, what was published when, and what people decided. Safe to run again.
create schema if not exists daybook;

-- One row per run that saved rows. Numbers only grow. `read_at` is when the run began to read its facts, or when a later
-- run found the same: an older reading never replaces a newer one (the fence of deploy.py). `removed_at`: its rows are gone.
create table if not exists daybook.run (
    run_id bigint generated always as identity primary key,
    pipeline text not null,
    day date not null,
    started_by text not null,
    read_at timestamptz not null,
    saved_at timestamptz not null default now(),
    removed_at timestamptz
);
create index if not exists run_by_day on daybook.run (pipeline, day);

-- The pointer: the run that readers of a day see. `linked_run_id`: the one that the published folder points to.
create table if not exists daybook.published (
    pipeline text not null,
    day date not null,
    run_id bigint not null references daybook.run,
    linked_run_id bigint,
    primary key (pipeline, day)
);

-- One row per publication, never changed: the account of the day, with the receipts of all steps before `deploy`.
-- `totals` are its row count and the measures that can be summed; `changes` what became of the rows published before.
create table if not exists daybook.ledger (
    run_id bigint primary key references daybook.run,
    pipeline text not null,
    day date not null,
    -- The clock's time under the day's lock, not the transaction's start: so publications of a day are in order.
    published_at timestamptz not null default clock_timestamp(),
    content_sha256 text not null,
    facts_sha256 text not null,
    rows_read bigint not null,
    rows_refused bigint not null,
    totals jsonb not null,
    changes jsonb not null,
    receipts jsonb not null
);
create index if not exists ledger_by_day on daybook.ledger (pipeline, day);
create index if not exists ledger_by_facts on daybook.ledger (pipeline, facts_sha256);

-- What a person decided about a day, never changed: released although it was held, rolled back to an earlier run, or
-- published with rows that were mended.
create table if not exists daybook.decision (
    decided_at timestamptz not null default clock_timestamp(),
    pipeline text not null,
    day date not null,
    run_id bigint not null references daybook.run,
    what text not null,
    who text not null,
    why text not null,
    found text not null
);
-- Apart from the table, for one that was made when there were fewer words.
alter table daybook.decision drop constraint if exists decision_what_check;
alter table daybook.decision add constraint decision_what_check check (what in ('release', 'rollback', 'mend'));

-- Publications and decisions are added and never changed. The owner of the tables could take this away, nobody else.
create or replace function daybook.refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    raise exception 'daybook.%: rows are added and never changed', tg_table_name using errcode = '42501';
end $$;
create or replace trigger never_changed before update or delete or truncate on daybook.ledger
    for each statement execute function daybook.refuse_change();
create or replace trigger never_changed before update or delete or truncate on daybook.decision
    for each statement execute function daybook.refuse_change();

-- One row per run, day and step: what became of it, what it rests on, and who or what started it. A step that is tried
-- or cleared again replaces its row. `error` holds a message of ours, never a value of a row.
create table if not exists daybook.step (
    pipeline text not null,
    day date not null,
    run text not null,
    step text not null,
    state text not null check (state in ('done', 'reused', 'waiting', 'failed')),
    attempts integer not null default 1,
    started_by text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null default clock_timestamp(),
    inputs_sha256 text,
    spec_sha256 text,
    code_sha256 text,
    libraries text,
    outputs_sha256 text,
    rows_read bigint,
    rows_refused bigint,
    receipt jsonb,
    error_kind text,
    error text,
    primary key (pipeline, day, run, step)
);
create index if not exists step_by_end on daybook.step (pipeline, day, step, ended_at);
