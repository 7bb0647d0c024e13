"""From plain functions to compiled ones: what is compiled, under which name it is kept, and when a person is told.

A function and all it calls are compiled together. Compiled code is kept beside the source, or in the user's cache where that
cannot be written, so a compiler runs once on a machine. Numba is loaded here and nowhere else, by the first fit.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import threading
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

COLUMNS = "11212"  # parameters, constants, x by columns; curve, Jacobian: see law.Columns
_ONE_AT_A_TIME = threading.Lock()  # two threads that want the same function compile it once
LANES = "dot"  # the function that four_lanes stands in for


def available() -> bool:
    """Say whether compiled kernels are wanted and can be had: FORESAID_ENGINE=numpy turns them off."""
    if os.environ.get("FORESAID_ENGINE") == "numpy":
        return False
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


def loaded() -> bool:
    """Say whether compiled kernels are wanted and their compiler is loaded: for what is done sooner without than by loading it."""
    return "numba" in sys.modules and available()


def four_lanes() -> Any:
    """Return kernels.dot as four lanes of one register: what a compiler may not do by itself, since it would reorder a sum."""
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    @intrinsic
    def dot(typing: Any, a: Any, i: Any, b: Any, j: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            four = ir.VectorType(ir.DoubleType(), 4)
            lanes = []
            for kind, value, row in zip(signature.args[::2], values[::2], values[1::2], strict=True):
                array = context.make_array(kind)(context, builder, value)
                length = builder.extract_value(array.shape, 1)
                lanes.append(builder.bitcast(builder.gep(array.data, [builder.mul(row, length)]), four.as_pointer()))
            total = cgutils.alloca_once_value(builder, ir.Constant(four, [0.0] * 4))  # type: ignore[no-untyped-call]
            with cgutils.for_range(builder, builder.udiv(length, ir.Constant(length.type, 4)), intp=length.type) as loop:
                x, y = (builder.load(builder.gep(lane, [loop.index]), align=8) for lane in lanes)
                builder.store(builder.fadd(builder.load(total), builder.fmul(x, y)), total)
            parts = [builder.extract_element(builder.load(total), ir.Constant(ir.IntType(32), k)) for k in range(4)]
            return builder.fadd(builder.fadd(parts[0], parts[1]), builder.fadd(parts[2], parts[3]))

        return types.float64(a, types.intp, b, types.intp), generate

    return dot


def _reached(function: FunctionType, found: dict[str, FunctionType], said: list[str]) -> None:
    """Collect the functions of the package that a function calls, and the text that decides what it does."""
    said.append(inspect.getsource(function))
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType) and found.get(name) is not value:
            if name in found:
                raise TypeError(f"{function.__module__}: found two functions named {name} behind one kernel, expected one")
            _reached(value, found, said)
            found[name] = value
        elif isinstance(value, int | float):
            said.append(f"{name} = {value!r}")


def compiled(function: Any, inputs: str = COLUMNS) -> Any:
    """Compile a function, or load it from disk; the first time takes up to some seconds and is announced.

    `inputs` names the kinds of its arguments, one letter each: 1, 2 or 3 for an array of so many axes, f a number, b true or
    false, H and B one of one and of two axes of those, i one axis of whole numbers, k a law's columns. Numba looks for changes in
    the file a function stands in and nowhere else, so its name on disk carries a digest of all it calls.
    """
    with _ONE_AT_A_TIME:
        return _compiled(function, inputs)


@cache
def _compiled(function: Any, inputs: str) -> Any:
    import numba
    from numba import types

    kinds: dict[str, Any] = {axes: types.Array(types.float64, int(axes), "C") for axes in "123"}
    kinds |= {"f": types.float64, "b": types.boolean, "i": types.Array(types.int64, 1, "C")}
    kinds |= {letter: types.Array(types.boolean, axes, "C") for letter, axes in (("H", 1), ("B", 2))}
    kinds["k"] = types.FunctionType(types.void(*(kinds[letter] for letter in COLUMNS)))
    signature = types.void(*(kinds[letter] for letter in inputs))
    called: dict[str, FunctionType] = {}
    said = [inspect.getsource(four_lanes)]
    _reached(function, called, said)
    # Without numba's runtime (nrt) a function can allocate no array, and none of its views is counted.
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
    said.append(repr(options))
    digest = hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]
    ready: dict[str, Any] = {}

    def copied(source: FunctionType) -> FunctionType:
        made = FunctionType(source.__code__, {**source.__globals__, **ready}, source.__name__)
        made.__module__, made.__qualname__ = source.__module__, source.__qualname__
        return made

    for name, value in called.items():  # callees come before their callers
        ready[name] = four_lanes() if name == LANES else numba.njit(**options)(copied(value))
    copy = copied(function)
    copy.__qualname__ = f"{function.__qualname__}-{digest}"
    made = numba.njit(cache=True, **options)(copy)
    if not any(Path(made.stats.cache_path).glob(f"*{digest}*.nbi")):
        print(f"foresaid: compiling {function.__module__}.{function.__qualname__}, once", file=sys.stderr, flush=True)
    made.compile(signature)
    made.disable_compile()  # a law is handed over as a pointer: no version of the driver for each
    only = made.overloads[signature.args]
    made.get_compile_result = lambda _: only  # asked twice for a law by each call of the driver, which took as long as a short fit
    return made
