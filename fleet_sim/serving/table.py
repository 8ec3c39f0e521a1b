"""Service times that were measured: whole microseconds by device, head, decoder and batch size.

`fleet-sim calibrate` writes such a table as JSON; DEFAULT comes with the package. Sizes between two that were
measured take a time between theirs.
"""

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field, ValidationError, model_validator

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.spec import Strict, misfit

NAME = "default"
DEFAULT = Path(__file__).parent / "tables" / "default.json"
Kind = Literal["ce", "kl", "svm"]


class Decoder(NamedTuple):
    """What of a codec decides how long a head takes."""

    depth: str
    width: int
    neurons: int

    @property
    def words(self) -> str:
        """As a message says it."""
        return f"depth {self.depth}, width {self.width}, {self.neurons} neurons"


class TableRow(Strict):
    """Medians of one head on one device."""

    device: Literal["cpu", "cuda"]
    processor: str = Field(description="the device's name, for readers")
    head: Kind
    depth: str
    width: int
    neurons: int
    batches: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1, description="sizes, from 1")
    service_us: tuple[Annotated[int, Field(ge=1)], ...] = Field(description="of a batch of each size")

    @property
    def decoder(self) -> Decoder:
        """Which decoder this row is of."""
        return Decoder(self.depth, self.width, self.neurons)

    @model_validator(mode="after")
    def _rises(self) -> "TableRow":
        if self.batches[0] != 1 or any(a >= b for a, b in pairwise(self.batches)):
            raise misfit("batch sizes must rise from 1", "batches")
        if len(self.service_us) != len(self.batches):
            raise misfit(f"{len(self.batches)} sizes need as many times", "service_us")
        if any(a > b for a, b in pairwise(self.service_us)):
            raise misfit("a larger batch takes no less time", "service_us")
        return self


class ServiceTable(Strict):
    """The content of a table's file."""

    made_by: str
    rows: tuple[TableRow, ...]

    def service_us(self, device: str, head: Kind, decoder: Decoder, batch: int) -> np.ndarray:
        """Service times of batches of 0 to `batch` frames, (batch + 1,) int64; nothing takes no time.

        Raises UserError where the table has no such row, or none that goes so far.
        """
        here = [row for row in self.rows if (row.device, row.head) == (device, head)]
        fitting = [row for row in here if row.decoder == decoder]
        if not fitting:
            known = "; ".join(sorted({row.decoder.words for row in here}))
            instead = f"it has {known}" if known else f"it has none of this head on {device}"
            raise UserError(
                f"has no times on {device} of a head {head} with {decoder.words}; {instead}: "
                f"fleet-sim calibrate SCENARIO --device {device} measures them"
            )
        row = fitting[0]
        if batch > row.batches[-1]:
            raise UserError(
                f"was measured up to batches of {row.batches[-1]} frames, serving.batch is {batch}: "
                "fleet-sim calibrate --batch measures more"
            )
        sizes, times_us = [0, *row.batches], [0, *row.service_us]
        service_us_N = np.zeros(batch + 1, np.int64)
        for (low, low_us), (high, high_us) in pairwise(zip(sizes, times_us, strict=True)):
            for size in range(low + 1, min(high, batch) + 1):
                service_us_N[size] = low_us + (high_us - low_us) * (size - low) // (high - low)
        return service_us_N


def read_table(name: Path) -> tuple[ServiceTable, str]:
    """The table in the file `name`, or the package's own of the name `default`; and the file's hash.

    Raises UserError where it cannot be read as one.
    """
    path = DEFAULT if str(name) == NAME else name
    try:
        content = path.read_bytes()
        return ServiceTable.model_validate(json.loads(content)), hashlib.sha256(content).hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        what = error.errors()[0] if isinstance(error, ValidationError) else None
        where = f"{'.'.join(map(str, what['loc']))}: {what['msg']}" if what else str(error)
        raise UserError(f"{path}: is no table of service times: {where}") from None


def write_table(path: Path, table: ServiceTable) -> Path:
    """Write a table for `serving.table`, a row a line; gives `path`."""
    rows = ",\n".join(json.dumps(row.model_dump(mode="json")) for row in table.rows)
    path.write_text(f'{{"made_by": {json.dumps(table.made_by)}, "rows": [\n{rows}\n]}}\n', encoding="utf-8")
    return path


def line_us(batch_us: int, frame_us: int, batch: int) -> np.ndarray:
    """Service times that lie on a line, as `ServiceTable.service_us` gives them."""
    service_us_N = batch_us + frame_us * np.arange(batch + 1, dtype=np.int64)
    service_us_N[0] = 0
    return service_us_N
