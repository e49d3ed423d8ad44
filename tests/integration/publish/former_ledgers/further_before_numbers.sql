-- What a further target held by the last Daybook without numbered migrations, by pg_dump --schema-only. Never changed.
CREATE SCHEMA daybook;

COMMENT ON SCHEMA daybook IS '79733c97418f52d275652faaf8dd422237e2981d0b6d2ed25e44c42505454bce';

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

CREATE TABLE daybook.followed (
    is_only boolean DEFAULT true NOT NULL,
    ledger_id uuid NOT NULL,
    CONSTRAINT followed_is_only_check CHECK (is_only)
);

CREATE TABLE daybook.published (
    pipeline text NOT NULL,
    day date NOT NULL,
    run_id bigint,
    content_sha256 text NOT NULL,
    as_of timestamp with time zone NOT NULL,
    shown_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE VIEW daybook.run AS
 SELECT run_id,
    pipeline,
    day
   FROM daybook.published
  WHERE (run_id IS NOT NULL);

CREATE TABLE daybook.saved_summary (
    run_id bigint NOT NULL,
    summary text NOT NULL,
    columns text[] NOT NULL
);

ALTER TABLE ONLY daybook.due_day
    ADD CONSTRAINT due_day_pkey PRIMARY KEY (pipeline, day);

ALTER TABLE ONLY daybook.due_range
    ADD CONSTRAINT due_range_pkey PRIMARY KEY (pipeline);

ALTER TABLE ONLY daybook.followed
    ADD CONSTRAINT followed_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY daybook.published
    ADD CONSTRAINT published_pkey PRIMARY KEY (pipeline, day);

ALTER TABLE ONLY daybook.saved_summary
    ADD CONSTRAINT saved_summary_pkey PRIMARY KEY (run_id, summary);
