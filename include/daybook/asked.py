"""What all commands about days are asked alike: of which pipeline, which days, and whether to answer in JSON."""

import argparse
from collections.abc import Mapping
from datetime import date, datetime

from daybook.days import days_between, last_finished_day
from daybook.errors import BadSpec
from daybook.pipelines import load_pipelines
from daybook.spec import Pipeline, nearest


def parser(command: str, says: str) -> argparse.ArgumentParser:
    """Return a command's parser with what all of them take: the pipeline's name, and --json."""
    made = argparse.ArgumentParser(f"daybook {command}", description=says)
    made.add_argument("pipeline", help="the pipeline's name, such as flights; not needed where there is just one")
    made.add_argument("--json", action="store_true", help="answer in JSON")
    return made


def with_pipeline(words: list[str], pipelines: Mapping[str, Pipeline] = load_pipelines().good) -> list[str]:
    """Return the words with the pipeline's name before them, where they name none and there is just one."""
    # A column may be called as a pipeline is; a day never is.
    is_named_later = bool(words) and not _is_day(words[0]) and not set(words).isdisjoint(pipelines)
    if len(pipelines) > 1 or is_named_later or (words and not words[0].startswith("-") and not _is_day(words[0])):
        return words
    return [*pipelines, *words]


def pipeline_named(name: str, pipelines: Mapping[str, Pipeline] = load_pipelines().good) -> Pipeline:
    """Return the pipeline of a name. Raises BadSpec, with the most alike, where there is none."""
    if name not in pipelines:
        raise BadSpec(f"{name}: no such pipeline{nearest(name, pipelines)}; there are {', '.join(pipelines)}")
    return pipelines[name]


def asked_days(pipeline: Pipeline, first: date | None, last: date | None, now: datetime) -> list[date]:
    """Return the local days from first to last, both included; an open end is the schedule's start, or the last day
    that is over. now: an instant. Raises BadSpec for ends in the wrong order, and for a day that is not over."""
    schedule = pipeline.schedule
    finished = last_finished_day(schedule.time_zone, now)
    begin, end = first or schedule.start, last or min(finished, schedule.end or finished)
    if end > finished:
        raise BadSpec(
            f"{pipeline.name}: {end} is not over yet in {schedule.time_zone}; expected {finished} or before; "
            "nothing was done; give an earlier last day"
        )
    if end < begin:
        raise BadSpec(
            f"{pipeline.name}: the last day, {end}, is before the first, {begin}; nothing was done; exchange them, or "
            "give both"
        )
    return days_between(begin, end)


def _is_day(word: str) -> bool:
    try:
        return bool(date.fromisoformat(word))
    except ValueError:
        return False
