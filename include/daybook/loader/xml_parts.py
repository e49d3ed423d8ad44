"""XML of a workbook's parts, chunk by chunk, by Expat; without a DOCTYPE, whose entities may be endless. Pure."""

from collections.abc import Callable, Iterator
from xml.parsers import expat

Attributes = dict[str, str]


def parsed(
    chunks: Iterator[bytes],
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None],
    text: Callable[[str], object],
) -> Iterator[None]:
    """Parse XML chunk by chunk, and return after each of them. The functions get the names of tags without prefixes."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, words: start(tag.rpartition(" ")[2], words)
    parser.EndElementHandler = lambda tag: end(tag.rpartition(" ")[2])
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    for chunk in chunks:
        parser.Parse(chunk, False)
        yield
    parser.Parse(b"", True)
    yield


def _refuse_doctype(*_: object) -> None:
    # A workbook has none, and the entities that one declares may be endless.
    raise ValueError("its XML has a DOCTYPE")
