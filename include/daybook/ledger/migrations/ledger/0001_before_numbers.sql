-- The ledger: which run of which day readers see, what was published when, and what people decided.
-- It is the only migration that is safe to run again, and it has to be: it makes the tables of any release before the
-- numbers, from 0.1.0 on, what they are from here on. Such a release noted a hash of its tables as the schema's comment.
comment on schema {ledger} is null;

-- This ledger's own name. Databases that follow it note it, so that two of Daybook never write to one schema of theirs.
-- A backup has it too.
create table if not exists {ledger}.identity (
    is_only boolean primary key default true check (is_only),
    ledger_id uuid not null default gen_random_uuid()
);
insert into {ledger}.identity default values on conflict do nothing;

-- One row per run that saved rows. Numbers only grow. `read_at` is when the run began to read its facts, or when a later
-- run found the same: an older reading never replaces a newer one (the fence of deploy.py). `removed_at`: its rows are gone.
create table if not exists {ledger}.run (
    run_id bigint generated always as identity primary key,
    pipeline text not null,
    day date not null,
    started_by text not null,
    read_at timestamptz not null,
    saved_at timestamptz not null default now(),
    removed_at timestamptz
);
create index if not exists run_by_day on {ledger}.run (pipeline, day);
-- What a cleanup looks for among the runs of all days, however many there are: `is_published`, null only while this
-- statement is at work, and `files_removed_at`, when the run's own files went by their age (`keep_files_days`).
alter table {ledger}.run add column if not exists is_published boolean;
alter table {ledger}.run add column if not exists files_removed_at timestamptz;
create index if not exists run_not_published on {ledger}.run (pipeline, saved_at)
    where removed_at is null and not is_published;
create index if not exists run_with_files on {ledger}.run (pipeline, saved_at) where files_removed_at is null;

-- The pointer: the run that readers of a day see. `linked_run_id`: the one that the published folder points to.
create table if not exists {ledger}.published (
    pipeline text not null,
    day date not null,
    run_id bigint not null references {ledger}.run,
    linked_run_id bigint,
    primary key (pipeline, day)
);
create index if not exists published_not_linked on {ledger}.published (pipeline, day)
    where linked_run_id is distinct from run_id;

-- One row per publication, never changed: the account of the day, with the receipts of all steps before `deploy`.
-- `totals` are its row count and the measures that can be summed; `changes` what became of the rows published before.
create table if not exists {ledger}.ledger (
    run_id bigint primary key references {ledger}.run,
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
create index if not exists ledger_by_day on {ledger}.ledger (pipeline, day);
create index if not exists ledger_by_facts on {ledger}.ledger (pipeline, facts_sha256);
update {ledger}.run set is_published = exists (select from {ledger}.ledger of_run where of_run.run_id = run.run_id)
    where is_published is null;
alter table {ledger}.run alter column is_published set default false;

-- What a person decided about a day, never changed: released although it was held, rolled back to an earlier run, or
-- published with rows that were mended.
create table if not exists {ledger}.decision (
    decided_at timestamptz not null default clock_timestamp(),
    pipeline text not null,
    day date not null,
    run_id bigint not null references {ledger}.run,
    what text not null,
    who text not null,
    why text not null,
    found text not null
);
create index if not exists decision_by_day on {ledger}.decision (pipeline, day);
-- Apart from the table, for one that was made when there were fewer words.
alter table {ledger}.decision drop constraint if exists decision_what_check;
alter table {ledger}.decision add constraint decision_what_check check (what in ('release', 'rollback', 'mend'));

-- What became of a whole pipeline, or of one of its summaries, at a person's word: renamed (`became` is the name since
-- then) or retired.
create table if not exists {ledger}.pipeline_change (
    changed_at timestamptz not null default clock_timestamp(),
    what text not null check (what in ('rename', 'retire')),
    pipeline text not null,
    summary text,
    became text,
    who text not null,
    why text not null,
    check ((what = 'rename') = (became is not null))
);

-- Publications, decisions and changes of pipelines are added and never changed. The owner of the tables could take this
-- away, nobody else.
create or replace function {ledger}.refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    raise exception '%.%: rows are added and never changed', tg_table_schema, tg_table_name using errcode = '42501';
end $$;
-- The one exception is the name by which the rows of a renamed pipeline are found, once the rename is written down.
create or replace function {ledger}.refuse_other_name() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if new.pipeline <> old.pipeline and not exists (
        select from {ledger}.pipeline_change written
        where what = 'rename' and written.pipeline = old.pipeline and written.became = new.pipeline)
    then
        raise exception '%.%: rows are added and never changed', tg_table_schema, tg_table_name using errcode = '42501';
    end if;
    return new;
end $$;
create or replace trigger never_changed before delete or truncate or update of run_id, day, published_at, content_sha256,
    facts_sha256, rows_read, rows_refused, totals, changes, receipts on {ledger}.ledger
    for each statement execute function {ledger}.refuse_change();
create or replace trigger never_changed before delete or truncate or update of decided_at, day, run_id, what, who, why,
    found on {ledger}.decision
    for each statement execute function {ledger}.refuse_change();
create or replace trigger never_changed before delete or truncate or update of changed_at, what, summary, became, who, why
    on {ledger}.pipeline_change
    for each statement execute function {ledger}.refuse_change();
create or replace trigger only_renamed before update of pipeline on {ledger}.ledger
    for each row execute function {ledger}.refuse_other_name();
create or replace trigger only_renamed before update of pipeline on {ledger}.decision
    for each row execute function {ledger}.refuse_other_name();
create or replace trigger only_renamed before update of pipeline on {ledger}.pipeline_change
    for each row execute function {ledger}.refuse_other_name();

-- One row per run, day and step: what became of it, what it rests on, and who or what started it. A step that is tried
-- or cleared again replaces its row. `error` holds a message of ours, never a value of a row.
create table if not exists {ledger}.step (
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
create index if not exists step_by_end on {ledger}.step (pipeline, day, step, ended_at);
-- What metrics look for among the steps of all days.
create index if not exists step_not_done on {ledger}.step (pipeline, day) where state in ('failed', 'waiting');

-- The columns that a run saved of each summary, its groups and measures: a roll-up is over the days whose published runs
-- saved it, and has a column if they all saved that.
create table if not exists {ledger}.saved_summary (
    run_id bigint not null references {ledger}.run on delete cascade,
    summary text not null,
    columns text[] not null,
    primary key (run_id, summary)
);

-- The days that a pipeline's schedule means, for roll-ups: all from `first_day` to `last_day`, by the schedule as it was
-- when a day was last published.
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

-- The files of finished periods that the published folder shows. `state`: a hash of all that they are made from; `files`:
-- the hash of each, by name.
create table if not exists {ledger}.finished_period (
    pipeline text not null,
    summary text not null,
    period date not null,
    state text not null,
    files jsonb not null,
    primary key (pipeline, summary, period)
);
-- One row per export of a day that is still to be done: readers see a run, and another place has the files of none or of
-- another. It is written with the pointer, in one transaction. `is_asked`: a person wants them sent whatever is there.
create table if not exists {ledger}.export_owed (
    pipeline text not null,
    day date not null,
    export text not null,
    run_id bigint not null references {ledger}.run,
    is_asked boolean not null default false,
    owed_since timestamptz not null default clock_timestamp(),
    tries integer not null default 0,
    tried_at timestamptz,
    error text,
    primary key (pipeline, day, export)
);

-- One row per export that was done, never changed: which run's files went where and when. `files`: by path, with the
-- sha256 and the size of each.
create table if not exists {ledger}.exported (
    exported_at timestamptz not null default clock_timestamp(),
    pipeline text not null,
    day date not null,
    export text not null,
    connection text not null,
    run_id bigint not null references {ledger}.run,
    files jsonb not null
);
create index if not exists exported_by_day on {ledger}.exported (pipeline, day, export, exported_at);
create or replace trigger never_changed before delete or truncate or update of exported_at, day, export, connection,
    run_id, files on {ledger}.exported
    for each statement execute function {ledger}.refuse_change();
create or replace trigger only_renamed before update of pipeline on {ledger}.exported
    for each row execute function {ledger}.refuse_other_name();
