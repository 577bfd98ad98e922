# mypy: disable-error-code="arg-type, attr-defined, call-overload, comparison-overlap, has-type, index"
# mypy: disable-error-code="list-item, misc, typeddict-item, typeddict-unknown-key"
# Values of the wrong type, and values of any type that come back, are what these tests are about.
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkit.errors import InvalidConfigError, InvalidMessageError
from graphkit.messages import REMOVE_ALL_MESSAGES, AIMessage, HumanMessage, RemoveMessage, add_messages

A, B, C = HumanMessage("a", id="1"), AIMessage("b", id="2"), HumanMessage("c", id="3")


def test_new_messages_are_appended_in_order():
    assert add_messages([A], [B, C]) == [A, B, C]


def test_the_messages_that_were_there_stay_the_same_objects():
    merged = add_messages([A, B], [C])

    assert [id(message) for message in merged] == [id(message) for message in (A, B, C)]


def test_a_known_id_takes_the_place_of_the_old_message():
    new = HumanMessage("better", id="1")

    assert add_messages([A, B], [new, C]) == [new, B, C]


def test_the_last_of_two_messages_with_one_id_wins_at_the_first_place():
    assert add_messages([], [A, B, HumanMessage("again", id="1")]) == [HumanMessage("again", id="1"), B]


def test_messages_without_an_id_get_one_that_is_unique():
    merged = add_messages([], ["a", "b", ("ai", "c")])

    assert len({message.id for message in merged}) == 3
    assert all(len(message.id) == 36 for message in merged)


def test_a_message_is_removed_by_its_id():
    assert add_messages([A, B, C], [RemoveMessage("2")]) == [A, C]


def test_a_message_can_be_removed_in_the_update_that_adds_it():
    assert add_messages([A], [B, RemoveMessage("2")]) == [A]


def test_a_message_removed_and_added_again_is_the_last():
    assert add_messages([A, B], [RemoveMessage("1"), A]) == [B, A]


def test_removing_what_is_not_there_is_an_error_that_names_it():
    with pytest.raises(InvalidMessageError, match="doesn't exist"):
        add_messages([A], [RemoveMessage("9")])


def test_everything_before_remove_all_is_gone_also_of_the_same_update():
    assert add_messages([A], [B, RemoveMessage(REMOVE_ALL_MESSAGES), C]) == [C]
    assert add_messages([A, B], RemoveMessage(REMOVE_ALL_MESSAGES)) == []


def test_the_given_lists_are_not_changed():
    left, right = [A], [B]

    add_messages(left, right)

    assert (left, right) == ([A], [B])


def test_single_messages_do_for_lists():
    assert [message.text for message in add_messages("a", ("ai", "b"))] == ["a", "b"]


@pytest.mark.parametrize("call", [lambda: add_messages([A]), lambda: add_messages(right=[A]), lambda: add_messages([A], [B], format="xml")])
def test_a_call_that_makes_no_sense_is_refused(call):
    with pytest.raises(InvalidConfigError):
        call()


def test_the_openai_format_has_blocks_of_chat_completions():
    message = HumanMessage([{"type": "image", "base64": "aGk=", "mime_type": "image/jpeg"}, {"type": "text", "text": "look"}], id="1")

    (merged,) = add_messages([], [message], format="langchain-openai")

    assert merged.content == [{"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,aGk="}}, {"type": "text", "text": "look"}]
    assert add_messages(format="langchain-openai")([], [message]) == [merged]


ids = st.sampled_from(["1", "2", "3", "4", "5"])
updates = st.lists(
    st.one_of(st.builds(lambda i, text: HumanMessage(text, id=i), ids, st.text(max_size=3)), st.builds(RemoveMessage, ids)), max_size=8
)


@given(st.lists(updates, max_size=4))
def test_merging_equals_a_dict_that_keeps_its_order(all_updates):
    merged, model = [], {}
    for update in all_updates:
        expected = dict(model)
        try:
            for message in update:
                if message.type == "remove":
                    del expected[message.id]
                else:
                    expected[message.id] = message
        except KeyError:
            with pytest.raises(InvalidMessageError):
                add_messages(merged, update)
            continue
        merged, model = add_messages(merged, update), expected

        assert merged == list(model.values())
