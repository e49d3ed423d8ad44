"""The conf of a run: each word that is not the form's is refused with the nearest right one, and so is a wrong kind."""

from datetime import date
from typing import Any

import pytest

from daybook.errors import BadSpec
from daybook_airflow.conf import Conf, conf_of

FORM: dict[str, Any] = {"day": None, "days": [], "force": False, "release": None}


@pytest.mark.parametrize("given", [None, {}, FORM, dict.fromkeys(FORM)], ids=["no", "empty", "form", "nulls"])
def test_no_words_ask_for_the_runs_own_day(given: dict[str, Any] | None) -> None:
    assert conf_of(given) == Conf()


def test_the_words_of_the_form_are_taken() -> None:
    conf = conf_of({"days": ["2013-01-05", "2013-01-04"], "force": True, "release": "a storm"})
    assert conf.days == (date(2013, 1, 5), date(2013, 1, 4))
    assert (conf.day, conf.force, conf.release) == (None, True, "a storm")
    assert conf_of({**FORM, "day": "2013-01-05"}).day == date(2013, 1, 5)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"forse": True}, "Conf has no word 'forse'; did you mean 'force'?"),
        ({"Day": "2013-01-05"}, "Conf has no word 'Day'; did you mean 'day'?"),
        ({"DAYS": []}, "Conf has no word 'DAYS'; did you mean 'days'?"),
        ({"Release": "x"}, "did you mean 'release'?"),
        ({"self": 1}, "Conf has no word 'self'"),
        ({"": 1}, "Conf has no word ''"),
        ({"force": "true"}, "force: 'true' is refused"),
        ({"force": 1}, "force: 1 is refused"),
        ({"day": "2013-1-5"}, "day: '2013-1-5' is refused: not a day"),
        ({"day": 20130105}, "day: 20130105 is refused: not a day"),
        ({"day": ""}, "day: '' is refused: not a day"),
        ({"days": "2013-01-05"}, "days: '2013-01-05' is refused"),
        ({"days": ["2013-01-05", None]}, "days.1: None is refused: not a day"),
        ({"release": True}, "release: True is refused"),
        ({"day": "2013-01-05", "days": ["2013-01-06"]}, "day is set too; give one of them"),
    ],
)
def test_a_word_that_is_wrong_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSpec) as error:
        conf_of(given)
    assert says in str(error.value)
