"""The content of subclasses of builtin types: read and made past whatever the subclass overrides."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING, Final

from graphkit.core.record import record
from graphkit.serde.parts import Bag, Pairs, Parts, RefusalError, exactly, integer_in, integer_out, pairs_in, text_in, text_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@record
class Content:
    """How to read and make what a subclass inherits from its builtin base.

    Args:
        apart: Takes an instance apart.
        made: Gets the subclass and what the parts decoded to, and makes an instance.
    """

    apart: Callable[..., Parts]
    made: Callable[..., object]


FACTORIES: Final[Mapping[str, type]] = {kind.__name__: kind for kind in (list, dict, set, int, str, float)}
"""The default factories a defaultdict can be stored with."""


def factory_out(factory: object) -> str | None:
    """Return the stored name of a defaultdict's factory."""
    if factory is None:
        return None
    for name, known in FACTORIES.items():
        if factory is known:
            return name
    raise RefusalError("its default_factory is no builtin type", f"Use one of {', '.join(FACTORIES)} or None, or keep it out of the state.")


def factory_in(name: object) -> type | None:
    """Undo ``factory_out``."""
    return None if name is None else FACTORIES[exactly(str, name)]


def _made_list(kind: type[list[object]], items: object) -> list[object]:
    made = list.__new__(kind)
    list.extend(made, exactly(list, items))
    return made


def _made_bytearray(kind: type[bytearray], stored: object) -> bytearray:
    made = bytearray.__new__(kind)
    bytearray.extend(made, exactly(bytes, stored))
    return made


def _made_set(kind: type[set[object]], items: object) -> set[object]:
    made = set.__new__(kind)
    set.update(made, exactly(list, items))
    return made


def _made_deque(kind: type[deque[object]], maxlen: int | None, items: object) -> deque[object]:
    made = deque.__new__(kind)
    deque.__init__(made, exactly(list, items), maxlen)
    return made


def _made_dict(kind: type[dict[object, object]], items: object) -> dict[object, object]:
    made = dict.__new__(kind)
    dict.update(made, exactly(dict, items))
    return made


def _made_ordered(kind: type[OrderedDict[object, object]], flat: object) -> OrderedDict[object, object]:
    made = OrderedDict.__new__(kind)
    for key, value in pairs_in(flat):
        OrderedDict.__setitem__(made, key, value)
    return made


def _made_default(kind: type[defaultdict[object, object]], name: object, items: object) -> defaultdict[object, object]:
    made = defaultdict.__new__(kind)
    defaultdict.__init__(made, factory_in(name), exactly(dict, items))
    return made


# The more special base comes first: a defaultdict is a dict too.
CONTENT: Final[Mapping[type, Content]] = {
    OrderedDict: Content(lambda value: Parts([], (Pairs(list(OrderedDict.items(value))),)), _made_ordered),
    defaultdict: Content(lambda value: Parts([factory_out(value.default_factory)], (dict(dict.items(value)),)), _made_default),
    Counter: Content(lambda value: Parts([], (dict(dict.items(value)),)), _made_dict),
    dict: Content(lambda value: Parts([], (dict(dict.items(value)),)), _made_dict),
    list: Content(lambda value: Parts([], (list(list.__iter__(value)),)), _made_list),
    deque: Content(lambda value: Parts([value.maxlen], (list(deque.__iter__(value)),)), _made_deque),
    set: Content(lambda value: Parts([], (Bag(list(set.__iter__(value))),)), _made_set),
    frozenset: Content(
        lambda value: Parts([], (Bag(list(frozenset.__iter__(value))),)),
        lambda kind, items: frozenset.__new__(kind, exactly(list, items)),
    ),
    tuple: Content(lambda value: Parts([], (list(tuple.__iter__(value)),)), lambda kind, items: tuple.__new__(kind, exactly(list, items))),
    str: Content(lambda value: Parts([text_out(str.__str__(value))]), lambda kind, stored: str.__new__(kind, text_in(stored))),
    bytes: Content(
        lambda value: Parts([bytes.__getitem__(value, slice(None))]), lambda kind, stored: bytes.__new__(kind, exactly(bytes, stored))
    ),
    bytearray: Content(lambda value: Parts([bytes(bytearray.__getitem__(value, slice(None)))]), _made_bytearray),
    int: Content(lambda value: Parts([integer_out(int.__int__(value))]), lambda kind, stored: int.__new__(kind, integer_in(stored))),
    float: Content(lambda value: Parts([float.__float__(value)]), lambda kind, stored: float.__new__(kind, exactly(float, stored))),
    complex: Content(lambda value: Parts([value.real, value.imag]), complex.__new__),
}
