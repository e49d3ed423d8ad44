"""Pipelines that do not load, told by the DAG processor's process that finds it: to handlers, and to whom alerts go.

Airflow's own hook comes once, when the first of them breaks, and never when they are mended.
"""

import json
import logging
from pathlib import Path

from daybook.alerts.gathering import Told
from daybook.alerts.outbox import Outbox, outbox_folder
from daybook.events.handlers import tell
from daybook.events.happening import Event, Happening
from daybook.pipelines import Pipelines
from daybook_airflow.alerts.listener import tell_file_broken, tell_file_mended

KNOWN = "broken_pipelines.json"
log = logging.getLogger(__name__)


def tell_broken(pipelines: Pipelines, dag_file: str) -> None:
    """Tell of each pipeline that does not load, if its reason is news, and if all load again. Raises nothing.

    dag_file: the file that raises their reasons, for Airflow to show.
    """
    try:
        _tell(Outbox(outbox_folder()), pipelines.broken, dag_file)
    except Exception:
        log.exception("That pipelines do not load, or load again, could not be told")


def _tell(outbox: Outbox, broken: dict[str, str], dag_file: str) -> None:
    known = _known(outbox.folder / KNOWN)
    if broken != known:
        _keep(outbox.folder / KNOWN, broken)
    news = {path: reason for path, reason in broken.items() if known.get(path) != reason}
    for path, reason in news.items():
        # Its name cannot be read; that of its module is mostly the same.
        tell(Happening(Event.BROKEN_TASK, Path(path).stem, error=f"{path}: {reason}"))
    if news and known:
        tell_file_broken(dag_file, "\n".join(f"{path}: {reason}" for path, reason in broken.items()))
    if not broken and f"import {Path(dag_file).name}" in Told.of(outbox.told()).open:
        tell_file_mended(dag_file)


def _keep(file: Path, broken: dict[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_text(json.dumps(broken))


def _known(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
