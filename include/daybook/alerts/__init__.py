"""Alerts: what is told of a deployment, to whom and how often; everything is written down first and sent afterwards.

    outbox.py    files: events that were noticed, messages that are not sent yet, and what was told
    alert.py     one thing to tell, and how it is written down
    gathering.py which alerts are told now, which are counted, and which wait: pure
    places.py    who is told: the pipeline's places, its owner's, or the deployment's
    message.py   a message in words: subject, plain text, HTML, Slack's text, JSON
    late.py      the days that are not published by their time

`outbox.py` is imported by Airflow's scheduler and by every task, so it needs no library.
"""
