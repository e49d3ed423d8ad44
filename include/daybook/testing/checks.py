"""Checks that every pipeline has to pass, as a class of pytest that a test of a pipeline inherits."""

from collections.abc import Callable, Mapping
from typing import ClassVar

import pytest

from daybook.errors import DaybookError
from daybook.ledger.receipt import STEPS
from daybook.spec import Pipeline
from daybook.testing import supplier
from daybook.testing.killed import run_until_killed
from daybook.testing.trial import Sample, Trial

TrialOf = Callable[[Pipeline, Sample], Trial]
RELEASED = "a sample"


class PipelineChecks:
    """Runs a pipeline on a sample that it accepts, and on what goes wrong one day.

    Inherit it in a class whose name begins with Test, with the attributes `pipeline` and `sample`: a day that is
    published, with its files and tables. A day that is held for its few rows is released. If the facts are a file that
    is no plain CSV with its header in the first line, name what the supplier sends on a day without rows (`empty`) and
    what he would send with a column under another name (`drifted`), by path; else these checks are skipped.
    """

    pipeline: ClassVar[Pipeline]
    sample: ClassVar[Sample]
    empty: ClassVar[Mapping[str, bytes] | None] = None
    drifted: ClassVar[Mapping[str, bytes] | None] = None

    def test_the_same_day_gives_the_same_bytes_in_another_place(self, trial_of: TrialOf) -> None:
        first, second = (self._published(trial_of(self.pipeline, self.sample)) for _ in range(2))
        assert first == second

    def test_a_run_that_is_killed_in_each_of_its_steps_goes_on_and_publishes_the_same(self, trial_of: TrialOf) -> None:
        trial = trial_of(self.pipeline, self.sample)
        for step in STEPS:
            run_until_killed(trial, self.sample.day, "killed", step, RELEASED)
        trial.run(self.sample.day, run="killed", why=RELEASED)
        assert trial.summaries(self.sample.day) == self._published(trial_of(self.pipeline, self.sample))

    def test_a_file_that_comes_late_is_waited_for(self, trial_of: TrialOf) -> None:
        paths = supplier.files_of_facts(self.pipeline, self.sample)
        if not paths:
            pytest.skip("the facts are a table")
        trial = trial_of(self.pipeline, self.sample)
        (trial.supplier / paths[0]).unlink()
        with pytest.raises(DaybookError):
            trial.run(self.sample.day, why=RELEASED)
        assert trial.published(self.sample.day) == {}
        trial.deliver(self.sample)
        assert self._published(trial) == self._published(trial_of(self.pipeline, self.sample))

    def test_what_is_delivered_a_second_time_changes_nothing(self, trial_of: TrialOf) -> None:
        trial = trial_of(self.pipeline, self.sample)
        before = trial.run(self.sample.day, why=RELEASED)
        trial.deliver(self.sample)
        after = trial.run(self.sample.day, why=RELEASED)
        assert after.files == before.files
        assert after.outcome == "unchanged"

    def test_a_day_without_rows_is_published_as_such_or_ends_with_a_message(self, trial_of: TrialOf) -> None:
        trial = trial_of(self.pipeline, self.sample)
        supplier.send_no_rows(trial, self.sample, self.empty)
        try:
            published = trial.run(self.sample.day)
        except DaybookError:
            assert trial.published(self.sample.day) == {}
        else:
            grouped = [summary.name for summary in self.pipeline.summaries if summary.by]
            assert [name for name in grouped if published.rows(name)] == []

    def test_a_column_under_another_name_ends_with_a_message_and_readers_keep_the_day(self, trial_of: TrialOf) -> None:
        trial = trial_of(self.pipeline, self.sample)
        before = trial.run(self.sample.day, why=RELEASED)
        supplier.rename_a_column(trial, self.sample, self.drifted)
        with pytest.raises(DaybookError):
            trial.run(self.sample.day, why=RELEASED)
        assert trial.published(self.sample.day) == before.files

    def _published(self, trial: Trial) -> Mapping[str, bytes]:
        """Publish the day; return the files of its summaries."""
        trial.run(self.sample.day, why=RELEASED)
        files = trial.summaries(self.sample.day)
        assert files
        return files
