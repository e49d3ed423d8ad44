"""The one command, `./daybook`: a module for each verb, and the code that they share.

    __main__.py          the verbs in their paragraphs, and one exit code for each way that a verb ends
    arguments.py         arguments shared by the verbs: the pipeline, the day, the days, the format of the answer
    output.py            tables, JSON, progress, or nothing
    exit_codes.py        the meaning of each exit code
    wrong_words.py       one line for a wrong word, with the nearest right one
    connections.py       the connections to sources and warehouse, as Airflow reads them from the environment
    servers.py           the servers that a verb asks: the environment's, or this checkout's own
    planned_backfill.py  a plan done by Airflow
    published_days.py    one run followed to its end, and the table of the days that it published
    flights_table.py     the demo's table
    check_file.py        a file tried on the loader
    spellings.py         how suppliers usually spell nothing, yes and no, dates and numbers
    draft/               the first module of a pipeline, from a sample
    tracing.py           from a published number to its lines

In a container, or anywhere else with the tasks' environment, `python -m commands` is the same command.
"""

__version__ = "0.1.0"
