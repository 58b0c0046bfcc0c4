"""An answer to what cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.doubt import MOST_SURE, doubted


@given(st.lists(st.floats(0.001, 1), min_size=3, max_size=3))
def test_nothing_is_above_the_most_and_the_order_stays(weights: list[float]) -> None:
    given_ = [weight / sum(weights) for weight in weights]
    found = doubted(given_)
    assert max(found) <= MOST_SURE + 1e-9
    assert sum(found) == pytest.approx(1)
    assert sorted(range(3), key=lambda at: (found[at], given_[at])) == sorted(range(3), key=given_.__getitem__)


def test_what_is_unsure_stays_as_it_is() -> None:
    assert doubted((0.5, 0.3, 0.2)) == [0.5, 0.3, 0.2]


def test_all_parts_come_nearer_to_a_third_by_the_same_share() -> None:
    assert doubted((1.0, 0.0, 0.0)) == pytest.approx([0.5, 0.25, 0.25])
