"""The raw files of a source, and one hash of them, from the receipt of the step that extracted them. Pure."""

import hashlib
import re
from collections.abc import Mapping

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
    found = (re.fullmatch(rf"{re.escape(source)}\.([0-9]+)\.csv", output) for output in outputs)
    return [
        RawFile(f"{source}.{number}.csv", extracted.origins[f"{source}.{number}"].name, number, outputs[file].sha256)
        for number, file in sorted((int(match[1]), match[0]) for match in found if match)
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
