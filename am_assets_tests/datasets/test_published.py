"""The identity of responses."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from am_assets.datasets.published import IDENTITY, response_ids
from am_assets.storage.memo import key_of

TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS, st.integers(0, 9), TEXTS)))
def test_the_id_of_a_response_is_the_key_of_its_identity(rows) -> None:
    every = "".join(map(chr, [*range(0x300), 0x2028, 0xFEFF, 0xFFFF, 0x1F600]))
    rows = [*rows, ("a", "b", "c", None, 0, every), ("a", every, "c", "d", 1, "")]
    kinds = dict.fromkeys(IDENTITY, pl.String) | {"sample_index": pl.Int64}
    table = pl.DataFrame(rows, kinds, orient="row")
    assert response_ids(table).to_list() == [key_of(*row) for row in rows]
    assert response_ids(table.clear()).is_empty()
