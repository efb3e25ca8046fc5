"""Reports as JSON, CSV and XLSX, from one declaration.

A route that `produces=TABLE` has an `answer` schema with `rows`: a list of a schema whose fields
are those of `api.tables.column`. The rest of the answer are facts about the rows: which period,
by which formula, the control totals. The view answers it all, its rows as objects, dicts or plain
tuples in the order of the columns; they may be an iterator, which is read once and never held.

    class OwedView(Schema):
        '''What one store owes another.'''

        sold_at_id = column.Id("The store that owes.")
        amount = column.Money("What it owes, in minor units, net of VAT.")

    class SettlementView(Schema):
        '''What stores owe one another for a month.'''

        period = Text(required=True, metadata={"description": "The month."})
        rows = rows_of(OwedView, "By store.")

The first line of the answer's docstring is the title of the workbook.
"""

from api.tables.answering import table_answer
from api.tables.formats import FORMAT_PARAMETER, TABLE, format_asked
from api.tables.table import Table, rows_of

__all__ = ["FORMAT_PARAMETER", "TABLE", "Table", "format_asked", "rows_of", "table_answer"]
