-- The ledger: which run of which day readers see, and what was published when. Safe to run again.
create schema if not exists daybook;

-- One row per run that saved rows. Numbers only grow: a later save has a larger one (the fence of deploy.py).
create table if not exists daybook.run (
    run_id bigint generated always as identity primary key,
    pipeline text not null,
    day date not null,
    started_by text not null,
    saved_at timestamptz not null default now()
);

-- The pointer: the run that readers of a day see.
create table if not exists daybook.published (
    pipeline text not null,
    day date not null,
    run_id bigint not null references daybook.run,
    primary key (pipeline, day)
);

-- One row per publication, never changed: the account of the day, with the nine receipts.
create table if not exists daybook.ledger (
    run_id bigint primary key references daybook.run,
    pipeline text not null,
    day date not null,
    published_at timestamptz not null default now(),
    content_sha256 text not null,
    rows_read bigint not null,
    rows_refused bigint not null,
    receipts jsonb not null
);
