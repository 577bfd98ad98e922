"""What a batch does: operations of users, checked, to operations of the port, and replies to results. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, assert_never, cast

from graphkit.core.record import record, replace
from graphkit.errors import EmbeddingError, GraphkitError, InvalidConfigError, StorageError, StoreConflictError
from graphkit.storage.address import checked_limit
from graphkit.storage.store import names, port
from graphkit.storage.store.embedding import Texts
from graphkit.storage.store.filters import parsed, satisfies
from graphkit.storage.store.index import checked_fields, texts_of
from graphkit.storage.store.items import GetOp, Item, ListNamespacesOp, PutOp, SearchItem, SearchOp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from graphkit.serde import Codec
    from graphkit.storage.store.embedding import Embedded
    from graphkit.storage.store.expiry import Expiry
    from graphkit.storage.store.filters import Condition
    from graphkit.storage.store.index import Index
    from graphkit.storage.store.items import MatchCondition, Namespace, Op, Result

CONDITIONS: Final = {"prefix": names.begins, "suffix": names.ends}


@record
class Setup:
    """What a store was told: how values become bytes, what is embedded, how long items live."""

    codec: Codec
    index: Index | None
    expiry: Expiry


@record
class Step:
    """One operation on its way to the database.

    Args:
        asked: From the user.
        operation: For the port; its vectors are still to come.
        texts: To embed for a Write.
        query: To embed for a Find.
    """

    asked: Op
    operation: port.Operation
    texts: tuple[str, ...] = ()
    query: str | None = None

    def embedded(self, vectors: Embedded) -> port.Operation:
        """Return the operation with its vectors."""
        if self.texts:
            return replace(self.operation, vectors=tuple([vectors.documents[text] for text in self.texts]))
        return self.operation if self.query is None else replace(self.operation, vector=vectors.queries[self.query])


def steps_of(ops: Iterable[Op], setup: Setup) -> list[Step]:
    """Check the operations of a batch and encode their values.

    Raises:
        RequestError: An argument is wrong.
        UnserializableValueError: A value cannot be stored.
    """
    return [_step(op, setup) for op in ops]


def texts_of_steps(steps: Sequence[Step]) -> Texts:
    """Return what has to be embedded before the transaction."""
    documents = dict.fromkeys([text for step in steps for text in step.texts])
    return Texts(tuple(documents), tuple(dict.fromkeys([step.query for step in steps if step.query is not None])))


def results_of(steps: Sequence[Step], replies: list[object] | port.Refusal, setup: Setup) -> list[Result]:
    """Return what users get.

    Raises:
        StoreConflictError: An item did not have the version that was expected.
        EmbeddingError: The database holds vectors of another size.
        StorageError: A stored value cannot be read.
    """
    if isinstance(replies, port.REFUSALS):
        raise _refused(replies, setup)
    return [_result(step.asked, reply, setup.codec) for step, reply in zip(steps, replies, strict=True)]


def _step(op: Op, setup: Setup) -> Step:
    match op:
        case GetOp():
            path = names.path_of(names.checked_namespace(op.namespace))
            return Step(op, port.Read(path, names.checked_key(op.key), setup.expiry.refreshes(op.refresh_ttl)))
        case SearchOp():
            return Step(op, _find(op, setup), query=_checked_query(op.query, setup.index))
        case PutOp():
            return _put(op, setup)
        case ListNamespacesOp():
            return Step(op, port.ListPaths(_checked_listing(op)))
        case _:
            raise InvalidConfigError(f"{op!r:.200} is no operation of a store.", hint="Use GetOp, SearchOp, PutOp and ListNamespacesOp.")


def _find(op: SearchOp, setup: Setup) -> port.Find:
    path = names.path_of(names.checked_prefix(op.namespace_prefix))
    condition = parsed(op.filter)
    matches = _matcher(setup.codec, condition) if condition is not None else None
    refresh = setup.expiry.refreshes(op.refresh_ttl)
    return port.Find(path, matches, None, checked_limit(op.limit), names.checked_offset(op.offset), refresh)


def _put(op: PutOp, setup: Setup) -> Step:
    path, key = names.path_of(names.checked_namespace(op.namespace)), names.checked_key(op.key)
    if_version = None if op.if_version is None else names.checked_count(op.if_version, "if_version", 0)
    ttl = setup.expiry.seconds(op.ttl)
    fields = checked_fields(op.index) if op.index is not None and op.index is not False else None
    if op.value is None:
        return Step(op, port.Remove(path, key, if_version))
    if not isinstance(op.value, dict):
        raise InvalidConfigError(
            f"The value for key {key!r} is a {type(op.value).__name__}, not a dict.", hint='Write {"text": ...}.', key=key
        )
    # Encoded first: what cannot be stored is found before anything looks into it.
    encoded = setup.codec.encode(op.value)
    texts: tuple[str, ...] = ()
    if setup.index is not None and op.index is not False:
        texts = texts_of(op.value, setup.index.fields if fields is None else fields)
    return Step(op, port.Write(path, key, encoded, (), ttl, if_version), texts=texts)


def _matcher(codec: Codec, condition: Condition) -> Callable[[bytes], bool]:
    def matches(stored: bytes) -> bool:
        return satisfies(codec.decode(stored), condition)

    return matches


def _checked_query(query: object, index: Index | None) -> str | None:
    if query is None:
        return None
    if not isinstance(query, str):
        raise InvalidConfigError(f"query={query!r:.80} is no text.", hint="Pass a string, or use filter=.")
    if index is None:
        raise InvalidConfigError(
            "This store has no index, so it cannot rank by a query.",
            hint='Make it with index={"dims": ..., "embed": function}, or search with filter=.',
        )
    return query


def _checked_listing(op: ListNamespacesOp) -> str:
    checked_limit(op.limit)
    names.checked_offset(op.offset)
    if op.max_depth is not None:
        names.checked_count(op.max_depth, "max_depth", 1)
    conditions = op.match_conditions or ()
    if any([condition.match_type not in CONDITIONS for condition in conditions]):
        raise InvalidConfigError("The match_type of a condition is 'prefix' or 'suffix'.")
    prefixes = [names.checked_pattern(condition.path) for condition in conditions if condition.match_type == "prefix"]
    for condition in conditions:
        names.checked_pattern(condition.path)
    return names.path_of(max(map(names.literal, prefixes), key=len, default=()))


def _result(op: Op, reply: Any, codec: Codec) -> Result:  # noqa: ANN401 - as the port says for each operation
    match op:
        case GetOp():
            return None if reply is None else Item(*_parts(reply, codec))
        case SearchOp():
            return [SearchItem(*_parts(found.row, codec), score=found.score) for found in reply]
        case PutOp():
            return None
        case ListNamespacesOp():
            return _listed(op, reply)
        case _:
            assert_never(op)


def _parts(row: port.Row, codec: Codec) -> tuple[dict[str, Any], str, Namespace, datetime, datetime, int]:
    namespace = names.namespace_of(row.path)
    try:
        value = codec.decode(row.record)
    except StorageError as error:
        error.add_note(f"This is the item {row.key!r} of {namespace!r}.")
        raise
    return cast("dict[str, Any]", value), row.key, namespace, _time(row.created_at), _time(row.updated_at), row.version


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _listed(op: ListNamespacesOp, paths: Sequence[str]) -> list[Namespace]:
    conditions = op.match_conditions or ()
    found = [namespace for namespace in map(names.namespace_of, paths) if _satisfies(namespace, conditions)]
    return sorted({namespace[: op.max_depth] for namespace in found})[op.offset : op.offset + op.limit]


def _satisfies(namespace: Namespace, conditions: Sequence[MatchCondition]) -> bool:
    return all([CONDITIONS[condition.match_type](namespace, condition.path) for condition in conditions])


def _refused(refusal: port.Refusal, setup: Setup) -> GraphkitError:
    match refusal:
        case port.Conflict(path, key, expected, found):
            there = f"has version {found}" if found else "is not there"
            wanted = f"version {expected}" if expected else "that it is not there"
            return StoreConflictError(
                f"The item {key!r} of {names.namespace_of(path)!r} {there}; the write expects {wanted}. Nothing was written.",
                hint="Read it again and decide anew.",
                namespace=names.namespace_of(path),
                key=key,
                expected=expected,
                found=found,
            )
        case port.Unfit(size):
            dims = setup.index.dims if setup.index is not None else None
            return EmbeddingError(
                f"The database holds vectors of {size} numbers; this store's index has dims={dims}.",
                hint="Use the embedding function of before, or another file.",
                dims=dims,
                size=size,
            )
        case _:
            assert_never(refusal)
