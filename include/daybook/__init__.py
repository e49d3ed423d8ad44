"""Daybook's business: a table and a file in, published daily summaries out, every row accounted for.

The nine steps, in the order of the work (dags/daybook.py writes it down once):

    extract_tables ─┐
                    ├─> load ─> clean ─> index ─> aggregate ─> summarize ─> save ─> deploy
    extract_files ──┘

Where things stand; imports go downward:

    __main__.py, *_command.py           what a person types: plan, status, why, trace, refused, replay, check, rollback
    steps.py, run/several_days.py, planning/look_back.py  one function a task; several days in one run; days that are done again
    run/day_run.py, run/step_run.py, ledger/fingerprint.py, ledger/receipt.py
                                        a day's work and one step of it: what it rests on, and the account of its rows
    load*.py rules/clean.py rules/index.py rules/aggregate.py rules/summarize.py rules/plausible.py planning/plan.py pages/report.py
                                        deciding about data: they read and write nothing
    publish/save.py publish/deploy.py publish/rollback.py publish/published_folder.py publish/cleanup.py
                                        the warehouse and the published folder: rows, the pointer, what is left over
    ledger/runs.py ledger/step_log.py ledger/queries.py publish/deploy.py planning/observe.py ledger/queries.py
                                        what was done to which day, and how days stand now
    delivery*.py raw_*.py               which files a source comes in on a day, and where their rows stand
    refused*.py refused/mends.py replay*.py     refused rows, and those of them that a person mended
    ftp*.py postgres*.py                careful transfer over connections that somebody else opened
    storage/folder.py storage/disk.py storage/partial_file.py      the day's files: whole or not there
    pages/run_state.py, pages/run_page.py           what the Report tab shows of a run
    spec*.py pipelines/ days.py errors.py  what a pipeline is, the pipelines there are, and what a person can mend

Nothing here imports Airflow: a DAG, a test or a script hands in the day, the folder and the connections.
"""
