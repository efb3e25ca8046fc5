"""What is refused about a workbook; the same table as CSV or JSON is not."""

from kernel.errors import Conflict, Invalid


class WorkbookBusy(Conflict):
    """Another workbook is being made in this process; tills come first."""

    code = "workbook-busy"


class WorkbookTooBig(Invalid):
    """More rows than a workbook may have, or a sheet of 2 GiB. Facts: `most`, the rows."""

    code = "workbook-too-big"
