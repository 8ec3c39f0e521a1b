"""Controllers by name, the package's and a user's own, as functions that the compiled step calls.

Every one has the same signature, so the step is compiled once for all of them.
"""

import ast
import linecache
import re
import traceback
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types

from fleet_sim.basics.errors import UserError, instead
from fleet_sim.control.buffer import buffer
from fleet_sim.control.measured import aimd, drop, frame_bits, throughput
from fleet_sim.control.names import Own
from fleet_sim.control.observation import MIND, OBSERVATION, RAISED
from fleet_sim.control.predictive import predictive
from fleet_sim.control.value import value

BUILT_IN: dict[str, Callable[[Any, Any], int]] = {
    "throughput": throughput,
    "aimd": aimd,
    "buffer": buffer,
    "predictive": predictive,
    "drop": drop,
    "frame_bits": frame_bits,
    "value": value,
}
ARGUMENTS = (numba.from_dtype(OBSERVATION), numba.from_dtype(MIND))
SIGNATURE = types.int64(*ARGUMENTS)


class Guide(NamedTuple):
    """A controller as the step takes it: the function, and room for one observation."""

    choose: Any  # a first-class compiled function of SIGNATURE
    observation: np.ndarray  # (1,) OBSERVATION


def guide_of(controller: str, source: Own | None = None) -> Guide:
    """What the step calls for this controller; for one of INLINE something that is never called.

    Raises UserError, naming file, line and reason, where a user's own cannot be compiled.
    """
    choose = _compiled_own(source) if source is not None else _compiled(controller)
    return Guide(choose, np.zeros(1, OBSERVATION))


@cache
def _compiled(controller: str) -> Any:
    function = BUILT_IN.get(controller, throughput)
    return numba.cfunc(SIGNATURE, cache=True, error_model="numpy")(function)


@lru_cache(maxsize=64)
def _compiled_own(source: Own) -> Any:
    function = python_function(source)
    try:
        inner = numba.njit(ARGUMENTS, boundscheck=True, error_model="numpy")(function)
    except KeyError as error:  # what numba makes of a record without that field
        field = str(error.args[0])
        line = next((i for i, text in enumerate(source.source.splitlines(), 1) if f".{field}" in text), 1)
        known = [*(OBSERVATION.names or ()), *(MIND.names or ())]
        raise UserError(f"{source.path}:{line}: nothing is called {field}; {instead(field, known)}") from None
    except (numba.core.errors.NumbaError, TypeError) as error:
        at = getattr(error, "loc", None)
        code = getattr(function, "__code__", None)  # a class has none
        line = at.line if at is not None else code.co_firstlineno if code is not None else 1
        raise UserError(
            f"{source.path}:{line}: {source.function} cannot be compiled: {_short(error)}"
        ) from None

    given = inner.nopython_signatures[0].return_type
    if not isinstance(given, types.Integer):
        raise UserError(
            f"{source.path}:{function.__code__.co_firstlineno}: {source.function} returns "
            f"{_in_words(given)}; a level is a whole number, as int(...) makes one"
        )

    def guarded(o: Any, mind: Any) -> Any:
        # What leaves a function that is called from outside Python would be lost, and its level be 0.
        try:
            return inner(o, mind)
        except Exception:  # noqa: BLE001
            return RAISED

    return numba.cfunc(SIGNATURE, error_model="numpy")(guarded)


def python_function(source: Own) -> Callable[[Any, Any], int]:
    """A user's function as it stands in its file; raises UserError where there is none."""
    names: dict[str, Any] = {"__name__": Path(source.path).stem, "__file__": source.path}
    _refuse_chance(source)
    try:
        exec(compile(source.source, source.path, "exec"), names)
    except SystemExit as error:
        raise UserError(f"{source.path}:{_line_of(error, source.path)}: the file must not exit") from None
    except Exception as error:  # noqa: BLE001 - whatever it raises is the user's to mend
        raise UserError(f"{source.path}:{_line_of(error, source.path)}: {_short(error)}") from None
    # Numba quotes the source in what it says of it.
    linecache.cache[source.path] = (len(source.source), None, source.source.splitlines(True), source.path)
    function: Callable[[Any, Any], int] | None = names.get(source.function)
    if function is None or not callable(function):
        known = [name for name, value in names.items() if callable(value) and not name.startswith("__")]
        hint = instead(source.function, known) if known else "it has no functions"
        raise UserError(f"{source.path}: there is no function {source.function}; {hint}")
    return function


def _refuse_chance(source: Own) -> None:
    """UserError for a file that draws random numbers: two runs would differ."""
    try:
        tree = ast.parse(source.source)
    except SyntaxError:
        return  # said where it is compiled
    for node in ast.walk(tree):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or "", *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Attribute):
            modules = [node.attr]
        if isinstance(node, ast.stmt | ast.expr) and any("random" in name.split(".") for name in modules):
            raise UserError(
                f"{source.path}:{node.lineno}: random draws would differ from run to run; "
                "a hash of o.now_us, say, does not"
            )


def _line_of(error: BaseException, path: str) -> int:
    if isinstance(error, SyntaxError):
        return error.lineno or 1
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return lines[-1] or 1 if lines else 1


def _in_words(given: types.Type) -> str:
    """A type of numba's as a reader of Python knows it."""
    words = {
        types.Float: "a float",
        types.Boolean: "a bool",
        types.NoneType: "nothing",
        types.UnicodeType: "a text",
    }
    given = types.unliteral(given)
    if isinstance(given, types.Optional):
        return f"{_in_words(given.type)} or nothing"
    return next((said for kind, said in words.items() if isinstance(given, kind)), str(given))


def _short(error: Exception) -> str:
    """The first line of an error that says something; numba's own begin with where in numba they arose."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    text = re.sub(r"Record\(.*?;True\)", "this record", text)
    lines = [line.strip() for line in text.splitlines()]
    said = [line for line in lines if line and not line.startswith(("Failed in nopython", "- "))]
    return said[0] if said else type(error).__name__
