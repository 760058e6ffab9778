"""The papers' tables as rows that can be run: one file a paper, the records (``record``), and the same in ``small``."""

from __future__ import annotations

from attseg.errors import UsageError, unknown
from attseg.recipes.recipe import Recipe
from attseg.recipes.tables import compared, dfdam, pan, psanet, readings, refine
from attseg.recipes.tables.record import Table

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        *refine.TABLES,
        *sorted((*dfdam.TABLES, *compared.DFDAM), key=lambda table: table.name),
        *sorted((*pan.TABLES, *compared.PAN), key=lambda table: table.name),
        *sorted((*psanet.TABLES, *compared.PSANET), key=lambda table: table.name),
        *readings.TABLES,
    )
}


def find_table(name: str) -> Table:
    """The table of a name.

    Raises:
        UsageError: There is none.

    Example:
        >>> find_table("pan:1").row("se").printed
        'ResNet101+SE'
    """
    if name not in TABLES:
        raise unknown("table", name, TABLES)
    return TABLES[name]


def find_tables(name: str) -> tuple[Table, ...]:
    """The table of a name, or those of all papers for ``readings``.

    Raises:
        UsageError: There is none.

    Example:
        >>> [table.name for table in find_tables("readings")]
        ['a2r:readings', 'dfdam:readings', 'pan:readings', 'psanet:readings']
    """
    if name == readings.ALL:
        return readings.TABLES
    if name not in TABLES:
        raise unknown("table", name, [*TABLES, readings.ALL])
    return (TABLES[name],)


def find_row_recipe(name: str) -> Recipe:
    """The recipe of a row, named by its table and itself, ``pan:1/se``.

    Raises:
        UsageError: There is no such table or row, or the row cannot be run.
    """
    table, _, row = name.partition("/")
    found = find_table(table).row(row)
    if found.recipe is None:
        raise UsageError(f"{name} cannot be run: {found.note}")
    return found.recipe
