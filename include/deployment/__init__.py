"""The local deployment: all that `./daybook up` starts, on 127.0.0.1, without Docker and without root.

    home.py                   where the state of a checkout lies, and the lock that lets one deployment run in it
    secret_values.py          the passwords and keys, made once
    secret_rules.py           which values are no secrets
    environment.py            the settings of every Airflow process
    servers/postgres.py       PostgreSQL: made, started, stopped
    servers/programs.py       its programs, and as whom they run
    servers/databases.py      the databases, the roles and their rights
    servers/ftp.py            an FTP server with one read-only user
    servers/flights.py        a year of real flights: two tables, and one CSV a day
    processes/components.py   processes in sessions of their own, recorded, and stopped with all that they started
    processes/restarts.py     how often a part that died is started again
    processes/health.py       which part lives and does not answer
    processes/watcher.py      stops them if the supervisor itself was killed
    processes/signals.py      Ctrl-C, SIGTERM, SIGHUP: once, and never halfway through starting something
    supervisor.py             `Deployment`: starts all of it, says what it does, stops all of it
    running.py                the servers of a home for one command
    control/runs.py           the runs of a plan, started and followed to their end
    control/failures.py       what went wrong in a run
    control/cancel.py         the end of a backfill
    backup.py, tidying.py     copied, stopped, removed
    compose/env.py            writes `.env`, the passwords and keys of the docker compose stack
    compose/check_secrets.py  its first service: nothing starts with an unfit secret
    compose/init.py           its `init` service: databases, source and login, as they are made here

The business knows nothing of this package, and this package knows nothing of what the business does to a row.
"""
