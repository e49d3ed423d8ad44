"""The raw files of a source, and one hash of them, from the receipt of the step that extracted them. Pure."""

import hashlib
from collections.abc import Mapping
from itertools import count, takewhile

from daybook.ledger.receipt import Output, Receipt
from daybook.loader.line_numbers import RawFile
from daybook.spec import File, Pipeline, Source


def raw_files(extracted: Receipt, source: str, name: str) -> list[RawFile]:
    """Return the raw files of a source, in the order of their rows.

    extracted: the receipt of the step that copied them. name: of the source in messages, if it is one file and the
    receipt has no name for it.
    """
    outputs, only = extracted.outputs, f"{source}.csv"
    if only in outputs:
        origin = extracted.origins.get(source)
        return [RawFile(only, origin.name if origin and origin.name else name, 0, outputs[only].sha256)]
    stems = ((number, f"{source}.{number}") for number in count(1))
    found = takewhile(lambda numbered: f"{numbered[1]}.csv" in outputs, stems)
    return [
        RawFile(f"{stem}.csv", extracted.origins[stem].name, number, outputs[f"{stem}.csv"].sha256)
        for number, stem in found
    ]


def content_of(extracted: Receipt, source: str) -> Output:
    """Return the size of a source's raw bytes, and one hash of them: for a single file, the file's own."""
    outputs = [extracted.outputs[raw.file] for raw in raw_files(extracted, source, source)]
    if len(outputs) == 1 and f"{source}.csv" in extracted.outputs:
        return outputs[0]
    hashes = "\n".join(output.sha256 for output in outputs)
    size_bytes = sum(output.size_bytes for output in outputs)
    return Output(size_bytes=size_bytes, sha256=hashlib.sha256(hashes.encode()).hexdigest())


def extracted_by(source: Source) -> str:
    """Return the step that extracts a source's raw files."""
    return "extract_files" if isinstance(source, File) else "extract_tables"


def raw_sha256(pipeline: Pipeline, receipts: Mapping[str, Receipt]) -> dict[str, str]:
    """Return the hash of each source's raw bytes. receipts: of the two extracts, by step."""
    sources = pipeline.sources
    return {source.name: content_of(receipts[extracted_by(source)], source.name).sha256 for source in sources}
