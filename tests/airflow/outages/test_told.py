"""What goes wrong in a real Airflow is told by mail: a failed day, a run that is ended, a file with an error."""

from pathlib import Path

import psutil

from daybook.alerts.gathering import Told
from daybook.alerts.outbox import Outbox, outbox_folder
from tests.support.receivers import Receivers

from .conftest import NEW
from .outage import Outage, kill, wait_until


def test_a_failed_day_is_one_mail_with_its_error_and_so_is_the_day_that_goes_well_again(
    outage: Outage, received: Receivers
) -> None:
    day = "2013-01-17"
    run = outage.trigger(day, NEW)
    file = next((outage.deployment.ftp.root / outage.name).glob(f"*{day}*"))
    file.write_text("not,the,columns\n1,2,3\n")
    assert outage.end(run) == "failed"
    failed = f"[daybook] {outage.name} {day}: load failed"
    wait_until(lambda: failed in received.subjects(), "no mail says that the day failed")
    said = next(received.mails[received.subjects().index(failed)].iter_parts()).get_content()
    assert "BadData: flights_2013-01-17.csv: line 1 is not the header" in said
    assert f"./daybook day {day} --pipeline {outage.name}" in said
    assert outage.end(outage.trigger(day, NEW)) == "success"
    # Its mail may be gathered with those of days that went well a moment before, and come a quarter of an hour later.
    outbox = Outbox(outbox_folder(outage.deployment.environment))
    is_wrong = f"day {outage.name} {day}"
    wait_until(lambda: is_wrong not in Told.of(outbox.told()).open, "the day is still taken for a bad one")
    assert received.subjects().count(failed) == 1


def test_a_run_that_is_ended_with_a_task_whose_process_was_killed_is_told(outage: Outage, received: Receivers) -> None:
    day = "2013-01-14"
    run = outage.trigger(day, NEW)
    with outage.held_in_save():
        kill(psutil.Process(outage.wait_until_held(run, "save")).ppid())
        outage.deployment.api.end_run(outage.name, run, "failed")
    wait_until(lambda: any(day in subject for subject in received.subjects()), "no mail names the day")


def test_a_file_of_dags_that_cannot_be_loaded_is_told(outage: Outage, received: Receivers) -> None:
    file = Path(outage.deployment.environment["AIRFLOW__CORE__DAGS_FOLDER"]) / "canary.py"
    file.write_text("from airflow.sdk import DAG\nraise ValueError('the canary')\n")
    try:
        told = "[daybook] canary.py: cannot be loaded"
        wait_until(lambda: told in received.subjects(), "no mail names the file")
    finally:
        file.unlink()
    said = next(received.mails[received.subjects().index(told)].iter_parts()).get_content()
    assert "ValueError: the canary" in said
    outbox = Outbox(outbox_folder(outage.deployment.environment))
    # The server has the mail a moment before its file is gone.
    wait_until(lambda: not outbox.unsent(), "a mail that was sent is kept")
