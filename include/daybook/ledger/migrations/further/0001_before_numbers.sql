-- What a further target holds: nothing is decided here. `published` follows the ledger's table of the same name, and the
-- views of summaries rest on it as they do in the first target.
-- Safe to run again, as the ledger's first migration is, and for the same reason.
comment on schema {ledger} is null;

-- The ledger that these tables follow: its own name, from its table `identity`.
create table if not exists {ledger}.followed (
    is_only boolean primary key default true check (is_only),
    ledger_id uuid not null
);

-- One row per day that was ever shown. `run_id`: none if the day was taken back. `content_sha256`: of all that the rows
-- are made from. `as_of`: when the ledger was asked, by its own server; what it said earlier never replaces it.
create table if not exists {ledger}.published (
    pipeline text not null,
    day date not null,
    run_id bigint,
    content_sha256 text not null,
    as_of timestamptz not null,
    shown_at timestamptz not null default clock_timestamp(),
    primary key (pipeline, day)
);

-- The runs whose rows are here; what follows the spec asks for them.
create or replace view {ledger}.run as select run_id, pipeline, day from {ledger}.published where run_id is not null;

-- As in the ledger: what each run saved, and the days that the schedule means.
create table if not exists {ledger}.saved_summary (
    run_id bigint not null,
    summary text not null,
    columns text[] not null,
    primary key (run_id, summary)
);
create table if not exists {ledger}.due_range (
    pipeline text primary key,
    schedule text not null,
    first_day date not null,
    last_day date not null
);
create table if not exists {ledger}.due_day (
    pipeline text not null,
    day date not null,
    primary key (pipeline, day)
);
