"""The tools that Ardoise works with besides Linear, each a department that lives by the same clock."""

from collections.abc import Callable, Sequence

from .github.life import Engineering
from .jira.life import JiraDepartment
from .life import Life
from .notion.life import NotionDepartment
from .productboard.life import ProductOffice
from .wires import Department

ALL: Sequence[Callable[[Life], Department]] = (ProductOffice, NotionDepartment, Engineering, JiraDepartment)
