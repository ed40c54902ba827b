"""Readers: functions of libraries that hand a path to compiled code, which opens it unseen.

Owns the table of these functions, by module and qualified name, and where the path is among their
parameters. Python's own `open` is audited, and needs no place here.
"""

import glob
import os
from collections.abc import Iterator
from types import FrameType
from typing import Any

from hitsave.observe.active import Notes
from hitsave.observe.locations import absolute
from hitsave.observe.reads import make, read_file, read_listing

MOST_FILES = 10_000
"""How many files of one folder are looked at, where a folder stands for all that it holds."""

_FUNCTIONS = {
    "pandas.io.parquet": "read_parquet",
    "pandas.io.feather_format": "read_feather",
    "pandas.io.orc": "read_orc",
    "pyarrow.parquet.core": "read_table read_schema read_metadata",
    "pyarrow.feather": "read_table read_feather",
    "pyarrow.orc": "read_table",
    "pyarrow.dataset": "dataset",
    "polars.io.parquet.functions": "read_parquet scan_parquet",
    "polars.io.csv.functions": "read_csv scan_csv read_csv_batched",
    "polars.io.ipc.functions": "read_ipc scan_ipc read_ipc_stream",
    "polars.io.ndjson": "read_ndjson scan_ndjson",
    "polars.io.avro": "read_avro",
    "xarray.backends.api": "open_dataset open_dataarray open_mfdataset open_datatree open_groups",
    "tables.file": "open_file",
    "safetensors.torch": "load_file",
    "safetensors.numpy": "load_file",
    "safetensors.flax": "load_file",
    "safetensors.tensorflow": "load_file",
    "torchvision.io.image": "read_file read_image decode_image",
    "torchvision.io.video": "read_video",
    "geopandas.io.file": "_read_file",
    "rasterio": "open",
    "SimpleITK.extra": "ReadImage",
}
_METHODS = {
    "h5py._hl.files": "File.__init__",
    "pandas.io.pytables": "HDFStore.__init__",
    "pyarrow.parquet.core": "ParquetFile.__init__ ParquetDataset.__init__",
    "soundfile": "SoundFile.__init__",
    "lightgbm.basic": "Dataset.__init__",
    "xgboost.core": "Booster.load_model DMatrix.__init__",
}


def read_first(frame: FrameType, notes: tuple[Notes, ...]) -> None:
    """A function that is given a path, several, or a pattern for paths, as its first argument."""
    _read(frame, 0, notes)


def read_second(frame: FrameType, notes: tuple[Notes, ...]) -> None:
    """A method that is given them as its first argument beside the object."""
    _read(frame, 1, notes)


READERS = [
    *((module, name, read_first) for module, names in _FUNCTIONS.items() for name in names.split()),
    *((module, name, read_second) for module, names in _METHODS.items() for name in names.split()),
]
"""The module, the qualified name and the probe of each."""


def _read(frame: FrameType, position: int, notes: tuple[Notes, ...]) -> None:
    values = frame.f_locals
    mode = values.get("mode")
    is_made = isinstance(mode, str) and mode[:1] in ("w", "x")
    for path in _paths(values.get(frame.f_code.co_varnames[position])):
        if is_made:
            make(path, notes)
        else:
            _read_all(path, frame.f_back, notes)


def _paths(given: Any) -> Iterator[str]:
    if isinstance(given, (list, tuple)):
        for each in given:
            yield from _paths(each)
    elif isinstance(given, (str, os.PathLike)):
        path = absolute(given)
        if path and "://" not in str(given):
            yield path


def _read_all(path: str, frame: FrameType | None, notes: tuple[Notes, ...]) -> None:
    """A file; all files of a folder; or those that a pattern fits."""
    if glob.has_magic(path) and not os.path.lexists(path):
        read_listing(os.path.dirname(path), frame, notes)
        for found in sorted(glob.glob(path, recursive=True))[:MOST_FILES]:
            read_file(found, frame, notes)
    elif os.path.isdir(path):
        for found in _files_below(path, frame, notes):
            read_file(found, frame, notes)
    else:
        read_file(path, frame, notes)


def _files_below(folder: str, frame: FrameType | None, notes: tuple[Notes, ...]) -> list[str]:
    found: list[str] = []
    for above, _, names in os.walk(folder):
        read_listing(above, frame, notes)
        found += [os.path.join(above, name) for name in sorted(names)]
        if len(found) > MOST_FILES:
            break
    return found[:MOST_FILES]
