"""The law families, one file each, found by name; forms that laws share stand in files whose names begin with `_`.

A law is turned on by its key in params.yaml; the key is the name of its module and of its stage. Nothing else has to be
edited to add one: every check in the tests applies itself to every file of this folder.

May import the top files, `registry` and `fitting`.
"""

from typing import TYPE_CHECKING

from foresaid import exporting
from foresaid.project import own_code

if TYPE_CHECKING:
    from foresaid.laws._loader import law_class, load, names

__all__ = ["law_class", "load", "names"]
__getattr__ = exporting(__name__, dict.fromkeys(__all__, "_loader"))
__path__ += own_code("laws")  # a worker that is sent a law of a project imports it from there
