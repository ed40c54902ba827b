"""Numbers of bytes and shares, as people write and read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitsave.units import read_share, read_size, size_text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        (5, 5),
        ("20 GB", 20 * 10**9),
        ("20gb", 20 * 10**9),
        (" 1.5 MB ", 1_500_000),
        ("512 MiB", 512 * 2**20),
        ("2k", 2000),
        ("3 kB", 3000),
        ("1 T", 10**12),
        ("1TiB", 2**40),
        ("7 B", 7),
    ],
)
def test_sizes_are_read(text: object, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize(
    "text",
    ["", "GB", "many", "-1", "0", "0.1 B", "1 XB", "1..5 MB", "1 MB 2", "1 Bi", True, None, "٣ MB"],
)
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="a size"):
        read_size(text)


@given(st.integers(1, 10**15))
def test_a_size_that_is_shown_reads_as_about_the_same(size: int) -> None:
    assert read_size(size_text(size)) == pytest.approx(size, rel=0.06)


@pytest.mark.parametrize(
    ("text", "share"),
    [("1%", 0.01), ("100%", 1.0), ("0.5", 0.5), (1, 1.0), (" 2.5 % ", 0.025), (0.25, 0.25)],
)
def test_shares_are_read(text: object, share: float) -> None:
    assert read_share(text) == share


@pytest.mark.parametrize(
    "text", ["", "%", "0", "0%", "101%", "1.5", "-1%", "half", "1%%", True, None, "٣%", "nan"]
)
def test_what_is_no_share_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="a share"):
        read_share(text)
