-- The ledger as the last Daybook without numbered migrations made it, by pg_dump --schema-only. Never changed.
CREATE SCHEMA daybook;

COMMENT ON SCHEMA daybook IS '5ab6b24857421f81367ad1bb947574b1f2856b9eef6156a5b0300bce3fe89994';

CREATE FUNCTION daybook.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $$
begin
    raise exception '%.%: rows are added and never changed', tg_table_schema, tg_table_name using errcode = '42501';
end $$;

CREATE FUNCTION daybook.refuse_other_name() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $$
begin
    if new.pipeline <> old.pipeline and not exists (
        select from "daybook".pipeline_change written
        where what = 'rename' and written.pipeline = old.pipeline and written.became = new.pipeline)
    then
        raise exception '%.%: rows are added and never changed', tg_table_schema, tg_table_name using errcode = '42501';
    end if;
    return new;
end $$;

CREATE TABLE daybook.decision (
    decided_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    pipeline text NOT NULL,
    day date NOT NULL,
    run_id bigint NOT NULL,
    what text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    found text NOT NULL,
    CONSTRAINT decision_what_check CHECK ((what = ANY (ARRAY['release'::text, 'rollback'::text, 'mend'::text])))
);

CREATE TABLE daybook.due_day (
    pipeline text NOT NULL,
    day date NOT NULL
);

CREATE TABLE daybook.due_range (
    pipeline text NOT NULL,
    schedule text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL
);

CREATE TABLE daybook.export_owed (
    pipeline text NOT NULL,
    day date NOT NULL,
    export text NOT NULL,
    run_id bigint NOT NULL,
    is_asked boolean DEFAULT false NOT NULL,
    owed_since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    tried_at timestamp with time zone,
    error text
);

CREATE TABLE daybook.exported (
    exported_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    pipeline text NOT NULL,
    day date NOT NULL,
    export text NOT NULL,
    connection text NOT NULL,
    run_id bigint NOT NULL,
    files jsonb NOT NULL
);

CREATE TABLE daybook.finished_period (
    pipeline text NOT NULL,
    summary text NOT NULL,
    period date NOT NULL,
    state text NOT NULL,
    files jsonb NOT NULL
);

CREATE TABLE daybook.identity (
    is_only boolean DEFAULT true NOT NULL,
    ledger_id uuid DEFAULT gen_random_uuid() NOT NULL,
    CONSTRAINT identity_is_only_check CHECK (is_only)
);

CREATE TABLE daybook.ledger (
    run_id bigint NOT NULL,
    pipeline text NOT NULL,
    day date NOT NULL,
    published_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    content_sha256 text NOT NULL,
    facts_sha256 text NOT NULL,
    rows_read bigint NOT NULL,
    rows_refused bigint NOT NULL,
    totals jsonb NOT NULL,
    changes jsonb NOT NULL,
    receipts jsonb NOT NULL
);

CREATE TABLE daybook.pipeline_change (
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    what text NOT NULL,
    pipeline text NOT NULL,
    summary text,
    became text,
    who text NOT NULL,
    why text NOT NULL,
    CONSTRAINT pipeline_change_check CHECK (((what = 'rename'::text) = (became IS NOT NULL))),
    CONSTRAINT pipeline_change_what_check CHECK ((what = ANY (ARRAY['rename'::text, 'retire'::text])))
);

CREATE TABLE daybook.published (
    pipeline text NOT NULL,
    day date NOT NULL,
    run_id bigint NOT NULL,
    linked_run_id bigint
);

CREATE TABLE daybook.run (
    run_id bigint NOT NULL,
    pipeline text NOT NULL,
    day date NOT NULL,
    started_by text NOT NULL,
    read_at timestamp with time zone NOT NULL,
    saved_at timestamp with time zone DEFAULT now() NOT NULL,
    removed_at timestamp with time zone,
    is_published boolean DEFAULT false,
    files_removed_at timestamp with time zone
);

ALTER TABLE daybook.run ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME daybook.run_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE daybook.saved_summary (
    run_id bigint NOT NULL,
    summary text NOT NULL,
    columns text[] NOT NULL
);

CREATE TABLE daybook.step (
    pipeline text NOT NULL,
    day date NOT NULL,
    run text NOT NULL,
    step text NOT NULL,
    state text NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    started_by text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
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
    CONSTRAINT step_state_check CHECK ((state = ANY (ARRAY['done'::text, 'reused'::text, 'waiting'::text, 'failed'::text])))
);

ALTER TABLE ONLY daybook.due_day
    ADD CONSTRAINT due_day_pkey PRIMARY KEY (pipeline, day);

ALTER TABLE ONLY daybook.due_range
    ADD CONSTRAINT due_range_pkey PRIMARY KEY (pipeline);

ALTER TABLE ONLY daybook.export_owed
    ADD CONSTRAINT export_owed_pkey PRIMARY KEY (pipeline, day, export);

ALTER TABLE ONLY daybook.finished_period
    ADD CONSTRAINT finished_period_pkey PRIMARY KEY (pipeline, summary, period);

ALTER TABLE ONLY daybook.identity
    ADD CONSTRAINT identity_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY daybook.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY daybook.published
    ADD CONSTRAINT published_pkey PRIMARY KEY (pipeline, day);

ALTER TABLE ONLY daybook.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY daybook.saved_summary
    ADD CONSTRAINT saved_summary_pkey PRIMARY KEY (run_id, summary);

ALTER TABLE ONLY daybook.step
    ADD CONSTRAINT step_pkey PRIMARY KEY (pipeline, day, run, step);

CREATE INDEX decision_by_day ON daybook.decision USING btree (pipeline, day);

CREATE INDEX exported_by_day ON daybook.exported USING btree (pipeline, day, export, exported_at);

CREATE INDEX ledger_by_day ON daybook.ledger USING btree (pipeline, day);

CREATE INDEX ledger_by_facts ON daybook.ledger USING btree (pipeline, facts_sha256);

CREATE INDEX published_not_linked ON daybook.published USING btree (pipeline, day) WHERE (linked_run_id IS DISTINCT FROM run_id);

CREATE INDEX run_by_day ON daybook.run USING btree (pipeline, day);

CREATE INDEX run_not_published ON daybook.run USING btree (pipeline, saved_at) WHERE ((removed_at IS NULL) AND (NOT is_published));

CREATE INDEX run_with_files ON daybook.run USING btree (pipeline, saved_at) WHERE (files_removed_at IS NULL);

CREATE INDEX step_by_end ON daybook.step USING btree (pipeline, day, step, ended_at);

CREATE INDEX step_not_done ON daybook.step USING btree (pipeline, day) WHERE (state = ANY (ARRAY['failed'::text, 'waiting'::text]));

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OF decided_at, day, run_id, what, who, why, found OR TRUNCATE ON daybook.decision FOR EACH STATEMENT EXECUTE FUNCTION daybook.refuse_change();

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OF exported_at, day, export, connection, run_id, files OR TRUNCATE ON daybook.exported FOR EACH STATEMENT EXECUTE FUNCTION daybook.refuse_change();

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OF run_id, day, published_at, content_sha256, facts_sha256, rows_read, rows_refused, totals, changes, receipts OR TRUNCATE ON daybook.ledger FOR EACH STATEMENT EXECUTE FUNCTION daybook.refuse_change();

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OF changed_at, what, summary, became, who, why OR TRUNCATE ON daybook.pipeline_change FOR EACH STATEMENT EXECUTE FUNCTION daybook.refuse_change();

CREATE TRIGGER only_renamed BEFORE UPDATE OF pipeline ON daybook.decision FOR EACH ROW EXECUTE FUNCTION daybook.refuse_other_name();

CREATE TRIGGER only_renamed BEFORE UPDATE OF pipeline ON daybook.exported FOR EACH ROW EXECUTE FUNCTION daybook.refuse_other_name();

CREATE TRIGGER only_renamed BEFORE UPDATE OF pipeline ON daybook.ledger FOR EACH ROW EXECUTE FUNCTION daybook.refuse_other_name();

CREATE TRIGGER only_renamed BEFORE UPDATE OF pipeline ON daybook.pipeline_change FOR EACH ROW EXECUTE FUNCTION daybook.refuse_other_name();

ALTER TABLE ONLY daybook.decision
    ADD CONSTRAINT decision_run_id_fkey FOREIGN KEY (run_id) REFERENCES daybook.run(run_id);

ALTER TABLE ONLY daybook.export_owed
    ADD CONSTRAINT export_owed_run_id_fkey FOREIGN KEY (run_id) REFERENCES daybook.run(run_id);

ALTER TABLE ONLY daybook.exported
    ADD CONSTRAINT exported_run_id_fkey FOREIGN KEY (run_id) REFERENCES daybook.run(run_id);

ALTER TABLE ONLY daybook.ledger
    ADD CONSTRAINT ledger_run_id_fkey FOREIGN KEY (run_id) REFERENCES daybook.run(run_id);

ALTER TABLE ONLY daybook.published
    ADD CONSTRAINT published_run_id_fkey FOREIGN KEY (run_id) REFERENCES daybook.run(run_id);

ALTER TABLE ONLY daybook.saved_summary
    ADD CONSTRAINT saved_summary_run_id_fkey FOREIGN KEY (run_id) REFERENCES daybook.run(run_id) ON DELETE CASCADE;
