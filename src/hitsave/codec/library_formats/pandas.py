"""Formats of pandas: frames, series, indexes, arrays and scalars.

Owns how each is made of arrays that have formats of their own: exact in dtype, index, order, time
zone, frequency and `attrs`, which Arrow's form of a frame is not. Refuses subclasses, flags, sparse
arrays and what else it does not know.
"""

import sys
from importlib import import_module
from typing import Any

from hitsave.codec.format import Format, NotStorableError
from hitsave.codec.library_formats.common import Finder, by_name


def _pandas() -> Any:
    return import_module("pandas")  # only a stored value of its asks for it


def _plain_attrs(value: Any) -> Any:
    if not value.flags.allows_duplicate_labels:
        raise NotStorableError
    return dict(value.attrs) if value.attrs else None


def _array_of(values: Any) -> Any:
    """Return what a column is made of: numpy's array where it is one, else pandas' own."""
    array = values.array
    if type(array) is _pandas().arrays.NumpyExtensionArray:
        return array.to_numpy(copy=False)
    return array


def _same_dtype(made: Any, array: Any) -> Any:
    if made.dtype != array.dtype:
        raise ValueError(f"{made.dtype} came of {array.dtype}")
    return made


# -- frames and series --------------------------------------------------------------------------


def _take_frame(value: Any) -> list[Any]:
    head = [value.index, value.columns, _plain_attrs(value)]
    kinds = set(value.dtypes)
    if len(value) and len(kinds) == 1 and _is_plain(kinds.pop()):
        return [*head, True, value.to_numpy(copy=False)]
    return [*head, False, *(_array_of(value.iloc[:, n]) for n in range(value.shape[1]))]


def _is_plain(kind: Any) -> bool:
    """Whether a dtype is numpy's, and is kept by pandas as it is."""
    return type(kind).__module__.startswith("numpy") and not kind.hasobject


def _build_frame(parts: list[Any]) -> Any:
    pandas = _pandas()
    index, columns, attrs, is_block, *arrays = parts
    if is_block:
        (block,) = arrays
        frame = pandas.DataFrame(block, index=index, columns=columns, copy=False)
        if set(frame.dtypes) != {block.dtype}:
            raise ValueError("not the dtype that was stored")
    else:
        if len(arrays) != len(columns):
            raise ValueError("not as many columns as labels")
        contents = {n: _series(array, index, None) for n, array in enumerate(arrays)}
        frame = pandas.DataFrame(contents, index=index, copy=False)
        frame.columns = columns
    frame.attrs.update(attrs or {})
    return frame


def _series(array: Any, index: Any, name: Any) -> Any:
    made = _pandas().Series(array, index=index, name=name, dtype=array.dtype, copy=False)
    return _same_dtype(made, array)


def _take_series(value: Any) -> list[Any]:
    return [_array_of(value), value.index, value.name, _plain_attrs(value)]


def _build_series(parts: list[Any]) -> Any:
    array, index, name, attrs = parts
    series = _series(array, index, name)
    series.attrs.update(attrs or {})
    return series


# -- indexes ------------------------------------------------------------------------------------


def _take_index(value: Any) -> list[Any]:
    return [_array_of(value), value.name]


def _build_index(kind: str) -> Any:
    def build(parts: list[Any]) -> Any:
        array, name = parts
        made = getattr(_pandas(), kind)(array, dtype=array.dtype, name=name, copy=False)
        if type(made).__name__ != kind:
            raise ValueError(f"no {kind} came of it")
        return _same_dtype(made, array)

    return build


def _take_range(value: Any) -> list[Any]:
    return [value.start, value.stop, value.step, value.name]


def _build_range(parts: list[Any]) -> Any:
    *numbers, name = parts
    return _pandas().RangeIndex(*numbers, name=name)


def _take_multi(value: Any) -> list[Any]:
    count, order = value.nlevels, value.sortorder
    return [count, order, *value.levels, *map(_codes, value.codes), *value.names]


def _codes(codes: Any) -> Any:
    return codes.view(sys.modules["numpy"].ndarray)


def _build_multi(parts: list[Any]) -> Any:
    count, order, *rest = parts
    levels, codes, names = (rest[start * count : (start + 1) * count] for start in range(3))
    return _pandas().MultiIndex(levels, codes, sortorder=order, names=names)


# -- arrays -------------------------------------------------------------------------------------


def _frequency(value: Any) -> str | None:
    if value.freq is None:
        return None
    text: str = value.freq.freqstr
    if _pandas().tseries.frequencies.to_offset(text) != value.freq:
        raise NotStorableError
    return text


def _take_times(value: Any) -> list[Any]:
    if getattr(value, "freq", None) is not None:
        raise NotStorableError  # before pandas 3 an array may have one
    return _moments(value)


def _moments(value: Any) -> list[Any]:
    kind = "m8" if type(value).__name__.startswith("Timedelta") else "M8"
    return [value.view("i8").view(f"{kind}[{value.unit}]"), getattr(value, "tz", None)]


def _build_times(kind: str) -> Any:
    return lambda parts: _time_index(kind, *parts).array


def _time_index(kind: str, content: Any, zone: Any) -> Any:
    index = getattr(_pandas(), kind)(content, copy=False)
    if index.dtype != content.dtype:
        raise ValueError("not the unit that was stored")
    return index if zone is None else index.tz_localize("UTC").tz_convert(zone)


def _take_time_index(value: Any) -> list[Any]:
    return [*_moments(value), _frequency(value), value.name]


def _build_time_index(kind: str) -> Any:
    def build(parts: list[Any]) -> Any:
        *content, frequency, name = parts
        made = _time_index(kind, *content)
        made.freq = frequency
        return made.rename(name)

    return build


def _take_periods(value: Any) -> list[Any]:
    # By the name of the dtype: that of its offset is another.
    return [value.view("i8"), value.dtype.name[len("period[") : -1]]


def _build_periods(parts: list[Any]) -> Any:
    ordinals, frequency = parts
    pandas = _pandas()
    return pandas.arrays.PeriodArray(ordinals, dtype=pandas.PeriodDtype(frequency))


def _take_categories(value: Any) -> list[Any]:
    return [_codes(value.codes), value.categories, value.ordered]


def _build_categories(parts: list[Any]) -> Any:
    codes, categories, ordered = parts
    pandas = _pandas()
    kind = pandas.CategoricalDtype(categories, ordered)
    return pandas.Categorical.from_codes(codes, dtype=kind)


def _build_intervals(parts: list[Any]) -> Any:
    left, right, closed = parts
    return _pandas().arrays.IntervalArray.from_arrays(left, right, closed=closed)


def _masked(name: str) -> Format:
    return Format(
        f"pandas.{name}.1",
        lambda value: [value._data, value._mask],
        lambda parts: getattr(_pandas().arrays, name)(*parts),
    )


_FEW_TEXTS = 4096  # up to here they go one by one, which needs no parser but ours


def _take_text(value: Any) -> list[Any]:
    kind = value.dtype
    missing = None if kind.na_value is _pandas().NA else "nan"
    if kind.storage == "pyarrow" and len(value) > _FEW_TEXTS:
        return [kind.storage, missing, value.__arrow_array__()]
    return [kind.storage, missing, value.to_numpy(dtype=object, na_value=None)]


def _build_text(parts: list[Any]) -> Any:
    storage, missing, content = parts
    pandas = _pandas()
    given = {} if missing is None else {"na_value": float("nan")}
    return pandas.array(content, dtype=pandas.StringDtype(storage, **given), copy=False)


# -- scalars ------------------------------------------------------------------------------------


def _take_moment(value: Any) -> list[Any]:
    parts = [value.asm8, getattr(value, "tzinfo", None)]
    again = (_build_timestamp if hasattr(value, "tzinfo") else _build_timedelta)(parts)
    if again != value or again.unit != value.unit or repr(again) != repr(value):
        raise NotStorableError
    return parts


def _build_timestamp(parts: list[Any]) -> Any:
    moment, zone = parts
    made = _pandas().Timestamp(moment)
    return made if zone is None else made.tz_localize("UTC").tz_convert(zone)


def _build_timedelta(parts: list[Any]) -> Any:
    return _pandas().Timedelta(parts[0])


def _build_period(parts: list[Any]) -> Any:
    ordinal, frequency = parts
    return _pandas().Period(ordinal=ordinal, freq=frequency)


def _single(name: str) -> Format:
    return Format(f"pandas.{name}.1", lambda _: [], lambda _: getattr(_pandas(), name))


def _time_format(kind: str) -> Format:
    return Format(f"pandas.{kind}.1", _take_time_index, _build_time_index(kind))


def _simple_index(kind: str) -> Format:
    return Format(f"pandas.{kind}.1", _take_index, _build_index(kind))


_INTERVAL = ("left", "right", "closed")
_TABLE = {
    "pandas:DataFrame": Format("pandas.DataFrame.1", _take_frame, _build_frame),
    "pandas:Series": Format("pandas.Series.1", _take_series, _build_series),
    **{
        f"pandas:{kind}": _simple_index(kind)
        for kind in (
            "Index", "PeriodIndex", "IntervalIndex", "CategoricalIndex",
        )
    },
    **{f"pandas:{kind}": _time_format(kind) for kind in ("DatetimeIndex", "TimedeltaIndex")},
    "pandas:RangeIndex": Format("pandas.RangeIndex.1", _take_range, _build_range),
    "pandas:MultiIndex": Format("pandas.MultiIndex.1", _take_multi, _build_multi),
    "pandas.arrays:DatetimeArray": Format(
        "pandas.DatetimeArray.1", _take_times, _build_times("DatetimeIndex")
    ),
    "pandas.arrays:TimedeltaArray": Format(
        "pandas.TimedeltaArray.1", _take_times, _build_times("TimedeltaIndex")
    ),
    "pandas.arrays:PeriodArray": Format(
        "pandas.PeriodArray.1", _take_periods, _build_periods
    ),
    "pandas:Categorical": Format("pandas.Categorical.1", _take_categories, _build_categories),
    "pandas.arrays:IntervalArray": Format(
        "pandas.IntervalArray.1", lambda v: [getattr(v, n) for n in _INTERVAL], _build_intervals
    ),
    **{
        f"pandas.arrays:{name}": _masked(name)
        for name in ("IntegerArray", "FloatingArray", "BooleanArray")
    },
    **{
        f"pandas.arrays:{name}": Format("pandas.StringArray.1", _take_text, _build_text)
        for name in ("StringArray", "ArrowStringArray")
    },
    "pandas.arrays:ArrowExtensionArray": Format(
        "pandas.ArrowExtensionArray.1",
        lambda value: [value.__arrow_array__()],
        lambda parts: _pandas().arrays.ArrowExtensionArray(parts[0]),
    ),
    "pandas:Timestamp": Format("pandas.Timestamp.1", _take_moment, _build_timestamp),
    "pandas:Timedelta": Format("pandas.Timedelta.1", _take_moment, _build_timedelta),
    "pandas:Period": Format(
        "pandas.Period.1", lambda v: [v.ordinal, v.freqstr], _build_period
    ),
    "pandas:Interval": Format(
        "pandas.Interval.1",
        lambda v: [getattr(v, n) for n in _INTERVAL],
        lambda parts: _pandas().Interval(*parts),
    ),
}  # fmt: skip
_SINGLE = {name: _single(name) for name in ("NaT", "NA")}

FORMATS = {**by_name(_TABLE), **by_name(_SINGLE)}
_find = Finder(_TABLE)


def find_format(kind: type) -> Format | None:
    """Return the format of values of exactly the type `kind`."""
    for name, entry in _SINGLE.items():
        if kind is type(getattr(sys.modules["pandas"], name)):
            return entry
    return _find(kind)
