"""Files in another encoding than the declared one, marks where files were joined, and what Python calls an encoding."""

import encodings
import encodings.aliases
import io
import pkgutil

import pytest

from daybook.errors import BadData, BadSpec
from daybook.loader.line_numbers import RawFile
from daybook.loader.load import load_parts
from daybook.spec import File, Form, integer, text
from tests.support.drawn import PEOPLE, loaded, refusal, with_columns

ALL = sorted(
    {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    | set(encodings.aliases.aliases)
    | set(encodings.aliases.aliases.values())
)


def declared(encoding: str, *columns: object, **words: object) -> File:
    """Return PEOPLE, or other columns, in an encoding."""
    return with_columns(*(columns or PEOPLE.columns), form=Form(encoding=encoding, **words))


def known(encoding: str) -> Form | None:
    """Return a form with an encoding, or None if the spec refuses it."""
    try:
        return Form(encoding=encoding)
    except BadSpec:
        return None


@pytest.mark.parametrize("encoding", ALL)
def test_each_encoding_that_Python_lists_is_read_or_refused_by_the_spec(encoding: str) -> None:
    """Bytes that are none refuse their row or the file, and nothing else is raised."""
    form = known(encoding)
    if form is None:
        return
    source = with_columns(*PEOPLE.columns, form=form)
    file = "id,name\n1,ann\n2,bob\n".encode(encoding)
    assert loaded(file, source).column("name") == ["ann", "bob"]
    for odd in (
        bytes(range(128, 256)),
        b"+2AA-",
        b"\xd8\x00\xd8\x00",
        b"\x00\xd8\x00\xd8",
        b"\x1b$B!",
        b"~{",
        b"\\ud800",
    ):
        try:
            kept = loaded(file + "3,".encode(encoding) + odd + "\n".encode(encoding), source).column("name")
        except BadData:
            continue
        assert "".join(kept).encode()


@pytest.mark.parametrize(
    "encoding",
    [
        "idna",
        "punycode",
        "rot13",
        "zlib",
        "base64",
        "hex",
        "undefined",
        "unicode_escape",
        "raw-unicode-escape",
        "utf-9",
    ],
)
def test_what_is_no_encoding_of_a_file_is_refused_by_the_spec(encoding: str) -> None:
    with pytest.raises(BadSpec, match="encoding"):
        Form(encoding=encoding)


def test_half_of_a_surrogate_pair_refuses_its_row() -> None:
    result = loaded(b"id,name\n1,ann\n2,+2AA-\n3,cleo\n4,joe\n", declared("utf-7"))
    assert result.refused == [(3, None, "wrong_encoding")]
    assert result.column("id") == [1, 3, 4]


SINGLE = ["cp1252", "latin-1", "iso8859-15", "cp1250", "cp1251", "koi8-r", "cp850", "cp437", "mac-roman", "shift_jis"]


@pytest.mark.parametrize("encoding", SINGLE)
@pytest.mark.parametrize("block_bytes", [2**23, 16])
def test_C9_UTF_8_is_seen_though_another_encoding_is_declared(encoding: str, block_bytes: int) -> None:
    file = "id,name\n1,ann\n2,Zürich\n3,Łódź € “x”\n".encode()
    assert refusal(file, declared(encoding), block_bytes=block_bytes).startswith("drawn: ")
    only = "id,name\n1,ann\n2,Zürich\n3,joe\n".encode()
    message = refusal(only, declared(encoding), block_bytes=block_bytes)
    assert f"all its bytes beyond ASCII are UTF-8, {declared(encoding).form.encoding} agreed" in message
    assert "nothing is loaded" in message


@pytest.mark.parametrize("place", [0, 2**20 - 1, 2**20, 3_000_000])
def test_C9_also_where_the_only_such_letter_is_far_down(place: int) -> None:
    rows = b"1,ann\n" * (place // 6 + 1)
    file = b"id,name\n" + rows + "2,Zürich\n".encode() + b"3,joe\n" * 1000
    assert "all its bytes beyond ASCII are UTF-8" in refusal(file, declared("cp1252"))
    right = file.replace("ü".encode(), b"\xfc")
    assert loaded(right, declared("cp1252")).refused == []


def test_C9_one_letter_that_is_not_UTF_8_shows_that_the_declaration_is_right() -> None:
    file = "id,name\n1,ZÃ¼rich\n2,é\n".encode("cp1252")
    assert loaded(file, declared("cp1252")).column("name") == ["ZÃ¼rich", "é"]


def test_C9_letters_that_look_like_UTF_8_are_read_where_that_is_declared_as_meant() -> None:
    file = "id,name\n1,ZÃ¼rich\n".encode("cp1252")
    assert loaded(file, declared("cp1252", is_encoding_certain=True)).column("name") == ["ZÃ¼rich"]


def test_C9_a_letter_cut_at_the_end_is_not_UTF_8() -> None:
    source = declared("cp1252", is_last_line_end_needed=False)
    assert loaded(b"id,name\n1,ann\n2,bob\xc3", source).column("name") == ["ann", "bobÃ"]


def test_C9_a_header_with_such_letters_says_so_too() -> None:
    source = declared("cp1252", text("Größe", "size"), text("name"))
    message = refusal("Größe,name\n1,ann\n".encode(), source)
    assert "missing column 'Größe'" in message
    assert "all its bytes beyond ASCII are UTF-8, cp1252 agreed" in message


def test_C9_a_mark_of_UTF_8_says_so_at_once() -> None:
    assert "it is UTF-8, cp1252 agreed" in refusal(b"\xef\xbb\xbfid,name\n1,ann\n", declared("cp1252"))


def test_C9_each_part_of_a_source_is_looked_at() -> None:
    contents = {"a": "id,name\n1,Zürich\n".encode("cp1252"), "b": "id,name\n2,Zürich\n".encode()}
    files = [RawFile(name, f"{name}.csv", number, name) for number, name in enumerate(contents, 1)]
    with pytest.raises(BadData, match=r"^b.csv: all its bytes beyond ASCII are UTF-8, cp1252 agreed"):
        list(load_parts(files, declared("cp1252"), "people", lambda file: io.BytesIO(contents[file.file])))


TABLE = "id,name\n1,Zürich\n2,bob\n"


@pytest.mark.parametrize("kind", ["utf-16", "utf-32"])
@pytest.mark.parametrize("order", ["le", "be"])
def test_C6_without_a_mark_the_order_of_bytes_is_proposed(kind: str, order: str) -> None:
    message = refusal(TABLE.encode(f"{kind}-{order}"), declared(kind))
    assert message == f"drawn: {kind} agreed, and it has no byte order mark; declare the encoding '{kind}-{order}'"
    assert len(loaded(TABLE.encode(f"{kind}-{order}"), declared(f"{kind}-{order}")).kept) == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
@pytest.mark.parametrize("delivered", ["utf-8", "utf-8-sig", "cp1252"])
def test_C6_bytes_of_one_byte_letters_are_seen(encoding: str, delivered: str) -> None:
    assert "it looks like UTF-8, or an encoding of one byte" in refusal(TABLE.encode(delivered), declared(encoding))
    assert "it looks like UTF-8" in refusal(b"i", declared(encoding))


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_C6_the_other_order_of_bytes_is_seen(mark: str) -> None:
    file = (mark + TABLE).encode("utf-16-be")
    assert "it looks like utf-16-be, utf-16-le agreed" in refusal(file, declared("utf-16-le"))


def test_C6_letters_that_end_in_a_NUL_byte_are_no_sign_of_another_order() -> None:
    """一 is U+4E00."""
    source = declared("utf-16-le", integer("id"), text("一一一", "name"))
    assert loaded("id,一一一\n1,一一\n2,一\n".encode("utf-16-le"), source).column("一一一") == ["一一", "一"]


MARK = "\ufeff"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-8-sig"])
@pytest.mark.parametrize("name", ["BB", '"BB"', '"B\nB"'])
@pytest.mark.parametrize("block_bytes", [2**23, 9])
def test_C5_a_mark_in_the_middle_where_files_were_joined_is_no_part_of_a_text(
    encoding: str, name: str, block_bytes: int
) -> None:
    source = declared(encoding, text("store"), integer("n"))
    file = f"{MARK}store,n\nAA,1\n{MARK}{name},2\n{name},3\n{MARK}\nCC{MARK},4\n".encode(encoding)
    result = loaded(file, source, block_bytes=block_bytes)
    value = name.strip('"')
    assert result.column("store") == ["AA", value, value, f"CC{MARK}"]
    assert (result.refused, result.blank) == ([], 1)


def test_C5_a_header_with_a_mark_is_a_header_again() -> None:
    file = f"{MARK}store,n\nAA,1\n{MARK}store,n\nBB,2\n".encode()
    assert "the header is repeated 1 time" in refusal(file, with_columns(text("store"), integer("n")))


@pytest.mark.parametrize("end", ["\x1a", "\x1a\x1a\x1a", "\x1a" * 128])
def test_C13_a_mark_of_the_end_of_a_file_after_its_last_line_is_no_row(end: str) -> None:
    result = loaded(f"id,name\n1,ann\n2,bob\n{end}".encode())
    assert result.column("id") == [1, 2]
    assert (result.refused, result.blank) == ([], 0)


def test_C13_elsewhere_it_is_a_control_byte() -> None:
    result = loaded(b"id,name\n1,ann\n2,bo\x1ab\n3,cleo\n\x1a\n4,joe\n5,kim\n6,lea\n7,mia\x1a")
    assert [(line, reason) for line, _, reason in result.refused] == [
        (3, "control_byte"),
        (5, "control_byte"),
        (9, "no_line_end"),
    ]
