"""Daybook's business: a table and a file in, published daily summaries out, every row accounted for.

The nine steps, in the order of the work (dags/daybook.py writes it down once):

    extract_tables ─┐
                    ├─> load ─> clean ─> index ─> aggregate ─> summarize ─> save ─> deploy
    extract_files ──┘

    spec.py, pipelines/     what a pipeline is, and the pipelines there are
    steps.py                one function a task: read, call the pure function, write, log one line of counts
    load.py … summarize.py  the pure steps: they decide about data, and read and write nothing
    save.py, deploy.py      the warehouse: rows under a run's id, then the pointer moved to them
    postgres.py, ftp.py     careful transfer over connections that somebody else opened
    folder.py, receipt.py   the day's files, and the account of its rows
    ledger.py               what was published, when, from which run

Nothing here imports Airflow: a DAG, a test or a script hands in the day, the folder and the connections.
"""
