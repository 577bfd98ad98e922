"""How well mail is sorted, by the rules and by whatever else can sort."""

from __future__ import annotations

from examples.email_assistant.evaluation import sort
from tests.examples.evaluation.conftest import Said, Scripted, case_of, letter


def test_the_rules_keep_what_they_reached_on_the_development_half(corpus, rules):
    sorting = sort(corpus, rules).of("dev")

    assert sorting.accuracy >= 37 / 44
    assert (sorting.confusion.score("respond").precision or 0) >= 17 / 18


def test_on_the_held_back_half_the_rules_are_right_in_28_of_44_cases(corpus, rules):
    """An honest number: measured once, never tuned on. Whoever changes the rules writes down here what became of it."""
    sorting = sort(corpus, rules).of("held_back")

    assert (sorting.confusion.right, len(sorting.results)) == (28, 44)
    assert [[sorting.confusion.count(row, column) for column in sorting.confusion.labels] for row in sorting.confusion.labels] == [
        [5, 5, 1],
        [1, 11, 3],
        [0, 6, 12],
    ]


def test_a_mail_that_should_be_answered_is_never_thrown_away(corpus, rules):
    assert sort(corpus, rules).confusion.count("respond", "ignore") == 0


def test_a_sorter_that_fails_on_a_mail_has_failed_on_that_mail_only():
    class Moody:
        name = "moody"

        def triage(self, mail, now):
            if mail.subject == "Pump":
                raise ConnectionError("no model there")
            return Said("notify")

    sorting = sort([case_of(id="pump"), case_of(id="letter", mail=letter(), label="notify")], Moody())

    assert [(one.id, one.found) for one in sorting.results] == [("pump", "failed"), ("letter", "notify")]
    assert sorting.results[0].reasons == ("ConnectionError: no model there",)


def test_a_label_that_does_not_exist_is_a_failure():
    (result,) = sort([case_of()], Scripted([], label="later")).results

    assert (result.found, result.reasons) == ("failed", ("there is no label 'later'",))


def test_results_are_counted_by_kind_and_language():
    cases = [case_of(id="a", kinds=("cc", "html")), case_of(id="b", kinds=("cc",), language="de", label="ignore")]
    sorting = sort(cases, Scripted([]))

    assert sorting.by_kind == {"cc": (1, 2), "html": (1, 1)}
    assert sorting.by_language == {"de": (0, 1), "en": (1, 1)}
    assert [one.id for one in sorting.wrong] == ["b"]


def test_of_no_cases_nothing_is_right():
    sorting = sort([], Scripted([]))

    assert (sorting.accuracy, sorting.interval.low, sorting.interval.high) == (0.0, 0.0, 1.0)
