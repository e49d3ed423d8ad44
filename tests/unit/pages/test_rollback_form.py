"""The form to roll a day back: which page may send it, and which words it takes."""

import pytest

from daybook_airflow.pages.rollback_form import Asked, asked, credential_of, is_ours, token


def test_a_word_is_of_one_user_and_one_pipeline_and_nobody_logged_in_has_none() -> None:
    words = {token(credential, dag) for credential in ("ann", "bob") for dag in ("flights", "sales")}
    assert len(words) == 4
    assert is_ours(token("ann", "flights"), token("ann", "flights"))
    assert not is_ours(token("bob", "flights"), token("ann", "flights"))
    assert not is_ours(token("", "flights"), token("", "flights"))
    assert not is_ours("\u00e9", token("ann", "flights"))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, "of the cookie"),
        ("Bearer given", "given"),
        ("bearer given", "given"),
        # Airflow takes the cookie then; another site can set this header by an address such as http://user@host.
        ("Basic known", "of the cookie"),
        ("", "of the cookie"),
    ],
)
def test_the_credential_is_the_one_that_airflow_takes(header: str | None, found: str) -> None:
    headers = {} if header is None else {"authorization": header}
    assert credential_of(headers, {"_token": "of the cookie"}, "_token") == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("7", "wrong", "8"), Asked(7, "wrong", 8)),
        (("nothing", " wrong ", "8"), Asked("nothing", "wrong", 8)),
        (("7", "a\nb\x00", "nothing"), Asked(7, "a\\nb\\x00", None)),
    ],
)
def test_the_words_of_a_form_are_read(words: tuple[str, str, str], found: Asked) -> None:
    assert asked(*words) == found


@pytest.mark.parametrize(
    "words",
    [
        ("7", "", "8"),
        ("7", " \n", "8"),
        ("7", "x" * 501, "8"),
        ("\u0667", "x", "8"),
        ("", "x", "8"),
        ("0", "x", "8"),
        ("7", "x", ""),
    ],
)
def test_a_word_that_is_missing_or_wrong_is_refused(words: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match=r"expected|nothing was changed"):
        asked(*words)
