"""The table of the views that agents keep."""

from datetime import datetime
from typing import Any, ClassVar

from sqlmodel import Field, SQLModel

from relaydesk.store.columns import Id, Json, Key, Moment, Words


class SavedViewTable(SQLModel, table=True):
    """A list with its filters, by a name; ``shared`` with everybody where a lead made it so."""

    __tablename__: ClassVar[str] = "saved_view"
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    owner: str = Field(index=True, sa_type=Key)
    name: str = Field(sa_type=Words)
    shared: bool = False
    query: dict[str, Any] = Field(sa_type=Json)
    made_at: datetime = Field(sa_type=Moment)
