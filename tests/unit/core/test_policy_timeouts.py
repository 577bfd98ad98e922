from __future__ import annotations

from datetime import timedelta

import pytest

from graphkit.core.policy import TimeoutPolicy, due, timeout_policy
from graphkit.errors import InvalidConfigError


def test_a_limit_is_in_seconds_however_it_was_given():
    policy = TimeoutPolicy(run_timeout=timedelta(minutes=2), idle_timeout=3)

    assert (policy.run_timeout, policy.idle_timeout) == (120.0, 3.0)
    assert timeout_policy(2) == TimeoutPolicy(run_timeout=2)
    assert timeout_policy(policy) is policy
    assert timeout_policy(None) is None


@pytest.mark.parametrize(
    "policy, step_ends, expected",
    [
        (TimeoutPolicy(run_timeout=10), None, (110, "run")),
        (TimeoutPolicy(idle_timeout=10), None, (114, "idle")),
        (TimeoutPolicy(run_timeout=10, idle_timeout=5), None, (109, "idle")),
        (TimeoutPolicy(run_timeout=10, idle_timeout=7), None, (110, "run")),
        (TimeoutPolicy(run_timeout=10, idle_timeout=5), 105, (105, "step")),
        (None, 105, (105, "step")),
    ],
)
def test_the_limit_that_is_passed_first_counts(policy, step_ends, expected):
    assert due(policy, 100.0, 104.0, step_ends) == expected


@pytest.mark.parametrize(
    "wrong", [{}, {"run_timeout": 0}, {"idle_timeout": -1}, {"run_timeout": "1"}, {"run_timeout": 1, "refresh_on": "tokens"}], ids=repr
)
def test_a_timeout_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(InvalidConfigError):
        TimeoutPolicy(**wrong)
