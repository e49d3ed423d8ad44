"""Alerts of an Airflow: what its listeners and its DAGs notice, and the process that sends it.

    listener.py   notices: failed tasks and runs, runs that went well, files that cannot be loaded; it only writes
    described.py  an event in the words of a person: days, error, mend, command, links
    connections.py  where a mail server or a webhook is: a connection of Airflow
    post.py       one message to one place
    sender.py     a process of its own: it works the outbox off, and tries again

`listener.py` is imported by the scheduler and by every task, so it needs nothing but Airflow's mark for hooks.
"""
