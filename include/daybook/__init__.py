"""Daybook's business: a table and a file in, published daily summaries out, every row accounted for.

The nine steps, in the order of the work (dags/daybook.py writes it down once):

    extract_tables ─┐
                    ├─> load ─> clean ─> index ─> aggregate ─> summarize ─> save ─> deploy
    extract_files ──┘

The rooms; each may import those above it that tests/unit/test_rooms.py allows it, and everybody the first line:

    spec/ errors.py text.py days.py    what a pipeline is, what a person can mend, words, days
    events/     what happened, and a user's handlers of it
    storage/    files whole or not there; where they lie; tables in and out
    postgres/   sessions, and tables by COPY
    ftp/        a delivery seen, and copied whole; files sent; FTP itself
    transports/ every other way to a file: SFTP, HTTPS, S3, a folder
    loader/     CSV bytes to typed rows and refused rows
    rules/      clean, index, aggregate, summarize, plausible
    ledger/     receipts, fingerprints, what was done to a day, decisions
    refused/    refused rows, mends, replay
    publish/    save, deploy, exports, rollback, cleanup
    planning/   what has to be done to which day, and why
    run/        one day's run, one step's run, reuse, several days
    alerts/     what is told of a deployment, to whom and how often
    stream/     load, clean, index and aggregate, a batch of rows at a time
    pages/      the report and what Airflow's UI shows
    steps.py    the nine functions, in order

`loader` and `rules` decide about data: they read and write nothing. Nothing here imports Airflow: a DAG, a test or a
command hands in the day, the folder and the connections.
"""
