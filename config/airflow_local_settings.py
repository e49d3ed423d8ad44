"""Airflow imports this before it reads its own arguments: for `airflow dags backfill`, and imports that tasks share.

Airflow finds it because `config/` is on PYTHONPATH (or is $AIRFLOW_HOME/config). It changes no setting of Airflow.
"""

import sys

# Airflow copies every public name of this module into its settings, unless __all__ says which.
__all__: list[str] = []

RUNS_TASKS = sys.argv[1:2] == ["scheduler"] or sys.argv[1:3] == ["celery", "worker"]
# It forks for each parse. Idle, with one each 30 seconds, it takes 2 % of a core with this and 7 % without.
PARSES = sys.argv[1:2] == ["dag-processor"]

if RUNS_TASKS or PARSES:
    from daybook.libraries import BrokenLibrary
    from daybook_airflow import preload

    try:
        preload.preload() if RUNS_TASKS else preload.import_modules()
    except BrokenLibrary as error:
        # Airflow would log any other exception with two tracebacks.
        sys.exit(f"daybook: {error}")

if sys.argv[1:3] == ["dags", "backfill"]:
    from daybook_airflow.backfill import command

    command.run()
