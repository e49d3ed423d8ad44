"""`airflow dags trigger` for several runs in one process, because each start of Airflow's command line takes seconds.

A child of `airflow dags backfill --batch`. It reads a JSON list from standard input: for each run its words.
"""

import json
import sys

from airflow.__main__ import main

if __name__ == "__main__":
    for words in json.load(sys.stdin):
        sys.argv = ["airflow", "dags", "trigger", *words]
        main()  # type: ignore[no-untyped-call]
