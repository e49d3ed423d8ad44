"""The local deployment: all that `./daybook up` starts, on 127.0.0.1, without Docker and without root.

    home.py             where the state of a checkout lies, and the lock that lets one deployment run in it
    secret_values.py    the passwords and keys, made once
    servers/postgres.py  PostgreSQL's programs: made, started, stopped
    servers/databases.py        the databases, the roles and their rights
    servers/ftp.py       an FTP server with one read-only user
    servers/flights.py   a year of real flights: two tables, and one CSV a day
    environment.py      the settings of every Airflow process
    processes/components.py        started in sessions of their own, recorded, and stopped with all that they started
    processes/watcher.py          stops them when the supervisor itself was killed
    processes/signals.py          Ctrl-C, SIGTERM, SIGHUP: once, and never halfway through starting something
    supervisor.py       `Deployment`: starts all of it, tells what it does, stops all of it
    control/api.py      what is asked of Airflow's REST API: the client of daybook_airflow
    control/runs.py     the runs of a plan, started and followed to their end
    control/cancel.py   the end of a backfill
    waiting.py          the one way to wait
    running.py          the servers of a home for one command
    backup.py, tidying.py  copied, stopped, removed
    compose/env.py      writes `.env`, the passwords and keys of the docker compose stack
    compose/init.py     its `init` service: databases, source and login, as they are made here

The business knows nothing of this package, and this package knows nothing of what the business does to a row.
"""
