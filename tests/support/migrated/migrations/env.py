"""Alembic environment of the toy."""

from sqlalchemy import MetaData

from kernel.storage.migrate import run_environment

run_environment(MetaData())
