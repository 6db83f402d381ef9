"""The table of the views that agents keep."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from relaydesk.store.columns import Id, Json, Key, Moment, Words


class SavedViewTable(SQLModel, table=True):
    """A list with its filters, by a name. ``place`` is the address of the list, ``query`` its filters; a
    shared one is everybody's to open."""

    __tablename__: ClassVar[str] = "saved_view"
    __table_args__ = (UniqueConstraint("owner", "name"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    owner: str = Field(sa_type=Key)
    name: str = Field(sa_type=Key)
    shared: bool = False
    place: str = Field(sa_type=Words)
    query: dict[str, Any] = Field(sa_type=Json)
    made_at: datetime = Field(sa_type=Moment)
