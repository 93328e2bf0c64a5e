"""What a query may look like, before any database sees it. The last word is the database's: it is told to read only.

A full grammar of six dialects would be wrong somewhere; these rules are few and hold in all of them. A semicolon is
refused even inside a text: dialects disagree on where a text ends, and that disagreement is how walls are climbed.
"""

import re

LONGEST = 20_000
BEGINNING = re.compile(r"\s*(?:select|with)\b", re.IGNORECASE)
# Words that leave the database, wait or lock. What writes is refused by the database itself; these need not write.
FORBIDDEN = {
    "postgresql": ("into", "dblink", "dblink_connect", "dblink_exec", "dblink_send_query", "pg_read_file",
                   "pg_read_binary_file", "pg_ls_dir", "pg_stat_file", "lo_import", "lo_export", "lo_create", "lo_put",
                   "lo_from_bytea", "pg_sleep", "pg_sleep_for", "pg_sleep_until", "set_config", "pg_advisory_lock",
                   "pg_terminate_backend", "pg_cancel_backend", "pg_notify", "query_to_xml", "table_to_xml",
                   "pg_reload_conf", "pg_rotate_logfile", "nextval", "setval", "pg_logical_emit_message", "uescape"),
    "mysql": ("into", "outfile", "dumpfile", "load_file", "sleep", "benchmark", "get_lock", "sys_exec", "sys_eval"),
    "duckdb": ("read_csv", "read_csv_auto", "read_parquet", "parquet_scan", "read_json", "read_json_auto",
               "read_ndjson", "read_text", "read_blob", "glob", "sqlite_scan", "postgres_scan", "mysql_scan", "getenv",
               "attach", "install", "load", "pragma", "copy"),
    "sqlite": ("load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "attach", "pragma"),
    "bigquery": ("external_query", "export"),
    "snowflake": ("into", "system$wait", "system$cancel_query", "system$abort_session"),
}  # fmt: skip
LITERAL = re.compile(r"'[^']*'")
OTHER_QUOTES = re.compile(r'["`\[]')  # a name between them may hold a single quote, and then no text begins there
DOLLARS = re.compile(r"\$\w*\$")
WORD = re.compile(r"[a-z_][a-z0-9_$]*")


class NotASelect(Exception):
    """The query is refused. `code` names why, `word` the word it is about."""

    def __init__(self, code: str, word: str = "") -> None:
        super().__init__(code)
        self.code, self.word = code, word


def single_select(query: str, kind: str) -> str:
    """Return the query as it will be sent: one SELECT, without its last semicolon. Raises NotASelect."""
    text = query.strip().removesuffix(";").strip()
    if not text or len(text) > LONGEST:
        raise NotASelect("length")
    if "\x00" in text or "\\" in text:
        raise NotASelect("character")
    if ";" in text:
        raise NotASelect("several")
    if "--" in text or "/*" in text or "*/" in text or (kind == "mysql" and "#" in text):
        raise NotASelect("comment")
    if not BEGINNING.match(text):
        raise NotASelect("beginning")
    if DOLLARS.search(text):
        raise NotASelect("character")
    words = set(WORD.findall((text if OTHER_QUOTES.search(text) else LITERAL.sub("''", text)).lower()))
    for word in FORBIDDEN.get(kind, ()):
        if word in words:
            raise NotASelect("word", word)
    return text


def wrapped(text: str, most: int) -> str:
    """Put the query inside another one: what is no query fails to parse, and no more than `most` rows come."""
    return f"SELECT * FROM (\n{text}\n) AS q LIMIT {most:d}"  # noqa: S608 - the query is the point
