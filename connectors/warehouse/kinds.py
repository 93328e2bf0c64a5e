"""Which databases can be read, with which driver, and what their addresses look like."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Kind:
    """One kind of database. `extra` is what to install where a driver is missing; `port` None: it is a file."""

    key: str
    name: str
    driver: str  # what SQLAlchemy's address begins with
    modules: tuple[str, ...]
    extra: str
    example: str
    port: int | None = None
    hosts: tuple[str, ...] = ()  # a service's own domains; empty: any host that may be reached
    schemes: tuple[str, ...] = ()
    walls: tuple[str | Promise, ...] = field(default=())

    @property
    def is_file(self) -> bool:
        return self.port is None

    @property
    def missing(self) -> str:
        """Return the extra to install, or nothing where the driver is here."""
        return "" if all(_is_here(module) for module in self.modules) else self.extra


def _is_here(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


KINDS: Mapping[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            "postgresql", "PostgreSQL", "postgresql+psycopg", ("sqlalchemy", "psycopg"), "sql",
            "postgresql://metrics_ro:…@db.example.com:5432/shop", 5432, (), ("postgresql", "postgres"),
            (_("A role of its own that may only read; no superuser, no role that may make others."),),
        ),
        Kind(
            "mysql", "MySQL, MariaDB", "mysql+pymysql", ("sqlalchemy", "pymysql"), "mysql",
            "mysql://metrics_ro:…@db.example.com:3306/shop", 3306, (), ("mysql", "mariadb"),
            (_("A user with SELECT on what is asked, and without FILE."),),
        ),
        Kind(
            "bigquery", "BigQuery", "bigquery", ("sqlalchemy", "sqlalchemy_bigquery"), "bigquery",
            "bigquery://project/dataset?credentials_base64=…", 443, ("googleapis.com",), ("bigquery",),
            (_("A service account with the roles BigQuery Data Viewer and Job User, and a limit on bytes billed."),),
        ),
        Kind(
            "snowflake", "Snowflake", "snowflake", ("sqlalchemy", "snowflake.sqlalchemy"), "snowflake",
            "snowflake://metrics_ro:…@account/shop/public?warehouse=small&role=metrics_ro", 443,
            ("snowflakecomputing.com",), ("snowflake",),
            (_("A role with USAGE and SELECT only, and a small warehouse of its own."),),
        ),
        Kind(
            "duckdb", "DuckDB", "duckdb", ("sqlalchemy", "duckdb_engine"), "duckdb",
            "duckdb:////srv/figures/shop.duckdb", None, (), ("duckdb",),
            (_("The file is opened read only, without extensions, and no other file can be reached from it."),),
        ),
        Kind(
            "sqlite", "SQLite", "sqlite", ("sqlalchemy",), "sql",
            "sqlite:////srv/figures/shop.sqlite3", None, (), ("sqlite",),
            (_("The file is opened read only, and no other file can be reached from it."),),
        ),
    )
}  # fmt: skip


def kind_of(address: str) -> Kind | None:
    """Return the kind of database that an address leads to."""
    scheme = address.partition(":")[0].partition("+")[0].lower()
    return next((kind for kind in KINDS.values() if scheme in kind.schemes), None)
