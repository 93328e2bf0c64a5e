"""What a kept record must look like: the fields that are used. `read` cuts GitHub's down to these."""

from datetime import datetime

from pydantic import BaseModel


class Account(BaseModel):
    id: int
    login: str
    type: str = "User"  # User, Bot, Organization


class Branch(BaseModel):
    ref: str


class PullShape(BaseModel):
    id: int
    repository: str
    number: int
    title: str
    state: str
    draft: bool = False
    html_url: str = ""
    user: Account | None = None  # None: the account was deleted
    base: Branch
    head: Branch
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    merged_at: datetime | None = None


class ReleaseShape(BaseModel):
    id: int
    repository: str
    tag_name: str
    name: str | None = None
    draft: bool = False
    prerelease: bool = False
    html_url: str = ""
    author: Account | None = None
    published_at: datetime | None = None


class Status(BaseModel):
    id: int
    state: str
    created_at: datetime


class DeploymentShape(BaseModel):
    id: int
    repository: str
    environment: str
    production_environment: bool | None = None
    ref: str = ""
    creator: Account | None = None
    created_at: datetime
    statuses: list[Status] = []
