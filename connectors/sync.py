"""Deciding what a page changes, which window comes next and what a sweep may mark. Pure: no network, no database."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from . import reasons
from .base import Json, Notice, Slice, Stream, field_at

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
PAGES_PER_WINDOW = 40  # more, and the window is halved
SHORTEST_WINDOW = timedelta(hours=1)
PAGES_PER_PASS = 20_000  # no source of ours has a million records of one kind
REFUSED_SHARE, REFUSED_FEW = 0.05, 3
SWEEP_SHARE, SWEEP_FEW = 0.8, 2
EMPTY_PAGES = 3


@dataclass(frozen=True)
class Fetched:
    """A record as it came, cleaned, with its hash and version.

    The hash is of the spelling that the source chose; one that orders its keys otherwise only costs a needless write.
    """

    external_id: str
    record: Json
    text: str
    content_hash: str
    version: datetime | None


@dataclass(frozen=True)
class Refused:
    """A record that can't be used, and why: in words for a person, and as the check itself put it."""

    external_id: str
    record: Json
    path: str
    notice: Notice
    detail: str = ""


@dataclass(frozen=True)
class Stored:
    """What the hub holds of a record."""

    content_hash: str
    version: datetime | None
    is_deleted: bool
    map_version: int
    produced: Sequence[str] = ()


@dataclass
class Changes:
    """What a page means for what is stored."""

    new: list[Fetched] = field(default_factory=list)
    changed: list[Fetched] = field(default_factory=list)
    unchanged: list[Fetched] = field(default_factory=list)
    stale: list[Fetched] = field(default_factory=list)

    @property
    def to_write(self) -> list[Fetched]:
        return self.new + self.changed


def judge(stream: Stream, records: Iterable[Json]) -> tuple[list[Fetched], list[Refused]]:
    """Part a page's records into usable ones and refused ones. Of a record that comes twice, the newest counts."""
    good: dict[str, Fetched] = {}
    bad: dict[str, Refused] = {}
    for number, record in enumerate(records):
        key = field_at(record, stream.key_path) if isinstance(record, dict) else None
        if not isinstance(key, str | int) or key == "" or len(str(key)) > 200:
            missing = f"(record {number} without {stream.key_path})"
            bad[missing] = Refused(missing, as_object(record), stream.key_path, Notice(reasons.NO_ID))
            continue
        external_id = str(key)
        judged = judge_one(stream, stream.shape, external_id, record)
        if isinstance(judged, Refused):
            bad[external_id] = judged
            continue
        before = good.get(external_id)
        if before is None or newer(judged.version, before.version):
            good[external_id] = judged
    return list(good.values()), [refused for key, refused in bad.items() if key not in good]


def judge_one(stream: Stream, shape: type[BaseModel], external_id: str, record: Json) -> Fetched | Refused:
    """Check one record against its shape, and bring it into the spelling that is stored."""
    try:
        data = to_json(record, inf_nan_mode="constants")
        if b"\\u0000" in data or b"Infinity" in data or b"NaN" in data:
            data = canonical(record := cleaned(record)).encode()
    except (PydanticSerializationError, UnicodeEncodeError):
        data = canonical(record := cleaned(record)).encode()
    except (ValueError, TypeError, RecursionError) as error:
        return Refused(external_id, {}, "", Notice(reasons.NOT_JSON), reasons.detail_of(error))
    try:
        shape.model_validate(record)
    except ValidationError as error:
        return Refused(external_id, record, *reasons.of_validation(error, stream))
    digest = blake2b(data, digest_size=16).hexdigest()
    return Fetched(external_id, record, data.decode(), digest, version_of(stream, record))


def canonical(record: Any) -> str:
    """Spell a value in JSON that PostgreSQL takes. Raises ValueError for numbers that JSON doesn't have."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def cleaned(value: Any) -> Any:
    """Replace what PostgreSQL can't store in text: NUL and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    return value


def as_object(record: Any) -> Json:
    return cleaned(record) if isinstance(record, dict) else {"value": str(record)[:500]}


def version_of(stream: Stream, record: Json) -> datetime | None:
    """Return the record's version as an aware moment, None where it has none that can be read."""
    value = field_at(record, stream.version_path) if stream.version_path else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def newer(one: datetime | None, other: datetime | None) -> bool:
    return one is None or other is None or one >= other


def plan_page(stored: Mapping[str, Stored], fetched: Iterable[Fetched], *, map_version: int) -> Changes:
    """Tell which records are new, changed, unchanged, or older than what is stored.

    A record of equal version but other content is taken; one that was gone and is back counts as changed.
    """
    changes = Changes()
    for item in fetched:
        held = stored.get(item.external_id)
        if held is None:
            changes.new.append(item)
        elif not newer(item.version, held.version):
            changes.stale.append(item)
        elif held.content_hash == item.content_hash and not held.is_deleted and held.map_version >= map_version:
            changes.unchanged.append(item)
        else:
            changes.changed.append(item)
    return changes


def next_window(watermark: datetime | None, upper: datetime, longest: timedelta) -> Slice:
    """Return the window [from, to) that follows the watermark. Without one: everything up to `upper`."""
    if watermark is None:
        return Slice(BEGINNING, upper)
    return Slice(watermark, max(watermark, min(watermark + longest, upper)))


def halved(start: datetime, end: datetime) -> datetime:
    """Return the middle of a window, on a whole second."""
    return (start + (end - start) / 2).replace(microsecond=0)


def may_halve(start: datetime, end: datetime) -> bool:
    return end - start > SHORTEST_WINDOW


def moved_watermark(window_end: datetime, upper: datetime, overlap: timedelta) -> datetime:
    """Return how far a finished window moves the watermark: never past the start of the run less the overlap."""
    return min(window_end, upper - overlap)


def is_drifting(*, seen: int, refused: int) -> bool:
    """Tell whether so many records are refused that the source must have changed its shape."""
    if seen > 1 and refused == seen:
        return True
    return refused > max(REFUSED_FEW, seen * REFUSED_SHARE)


def is_sweep_plausible(*, alive: int, still_seen: int) -> bool:
    """Tell whether the rows that a full listing no longer names may be marked as gone."""
    lost = alive - still_seen
    if lost <= 0:
        return True
    if still_seen == 0:
        return False
    return lost <= SWEEP_FEW or still_seen >= alive * SWEEP_SHARE


@dataclass(frozen=True)
class LoopWatch:
    """Notices page tokens that come again, in constant space (Brent's cycle detection)."""

    mark: int = 0
    power: int = 1
    steps: int = 0

    def after(self, token: str) -> "LoopWatch | None":
        """Return the watch after one more token, None when it has come round."""
        value = int.from_bytes(blake2b(token.encode(), digest_size=7).digest(), "big") + 1
        if value == self.mark:
            return None
        if self.steps + 1 >= self.power:
            return LoopWatch(value, self.power * 2, 0)
        return LoopWatch(self.mark, self.power, self.steps + 1)


def in_order(streams: Sequence[Stream], only: Sequence[str] = ()) -> list[Stream]:
    """Return the streams, each after those it needs. `only` narrows to the named ones.

    Raises ValueError for needs that go in a circle or lead nowhere.
    """
    known = {stream.name: stream for stream in streams}
    done: dict[str, Stream] = {}

    def visit(stream: Stream, above: tuple[str, ...]) -> None:
        if stream.name in above:
            raise ValueError(f"streams need each other: {' → '.join((*above, stream.name))}")
        for need in stream.needs:
            if need not in known:
                raise ValueError(f"{stream.name} needs {need}, which is no stream")
            visit(known[need], (*above, stream.name))
        done.setdefault(stream.name, stream)

    for stream in streams:
        visit(stream, ())
    return [stream for name, stream in done.items() if not only or name in only]


def paths_of(record: Json, depth: int = 3, prefix: str = "") -> dict[str, str]:
    """Return the dotted paths of a record's fields, with the JSON type found there; a list is judged by its first."""
    found: dict[str, str] = {}
    for key, value in record.items():
        path = f"{prefix}{key}"
        found[path] = json_type(value)
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict) and depth > 1:
            found.update(paths_of(inner, depth - 1, f"{path}."))
    return found


def json_type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def masked(record: Any, personal: Sequence[str], prefix: str = "") -> Any:
    """Return a record with what is personal put out of sight, for showing it to an administrator."""
    if isinstance(record, list):
        return [masked(item, personal, prefix) for item in record]
    if not isinstance(record, dict):
        return record
    shown = {}
    for key, value in record.items():
        path = f"{prefix}{key}"
        hidden = path in personal or key in personal
        shown[key] = reasons.HIDDEN if hidden and value not in (None, "") else masked(value, personal, f"{path}.")
    return shown
