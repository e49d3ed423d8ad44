"""`load`, source by source: typed rows and refused ones, block by block."""

from collections import Counter

import pyarrow as pa

from daybook.ledger.receipt import Lines
from daybook.loader import load as loading
from daybook.loader.layout import lines_of_refused
from daybook.run import raw_rows
from daybook.run.step_run import SourceResult, StepRun
from daybook.spec import Source
from daybook.stream.counts import rows_of


def load_source(step: StepRun, source: Source, refused: list[pa.Table]) -> SourceResult[list[pa.Table]]:
    """Load a source; add its refused rows to the list as they come, and return the list."""
    kept, lines = 0, Lines(read=0, kept=0, refused=0, blank=0)
    dropped = Counter[str]()
    with step.new_table(f"{source.name}.parquet", loading.schema(source)) as write:
        for batch in raw_rows.batches(step, source):
            write(batch.kept)
            refused.append(batch.refused)
            kept, lines = kept + batch.kept.num_rows, _with_lines(lines, batch)
            dropped.update({"blank": batch.blank} | dict(batch.skipped))
    all_refused = pa.concat_tables(refused)
    read, counts = kept + all_refused.num_rows + dropped.total(), {word: n for word, n in dropped.items() if n}
    return SourceResult(refused, rows_of(read, kept, all_refused, counts).model_copy(update={"lines": lines}))


def _with_lines(lines: Lines, batch: loading.Batch) -> Lines:
    return Lines(
        read=lines.read + batch.read_lines,
        kept=lines.kept + batch.kept_lines,
        refused=lines.refused + lines_of_refused(batch.refused),
        blank=lines.blank + batch.blank,
        skipped=lines.skipped + sum(batch.skipped.values()),
    )
