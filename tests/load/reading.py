"""The floor of reads: FastAPI and one SELECT, `python -m tests.load.reading PORT`, the database in
EDGEFLOW_DATABASE_URL.

GET /tenants/{tenant}/devices/{device} answers four columns of one row: no login, no permission, no row-level
security, no limit, no metrics. The same uvicorn, event loop and HTTP parser as the product's.
"""

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID

import asyncpg
import uvicorn
from fastapi import FastAPI, Request

CONNECTIONS = 10


@asynccontextmanager
async def _connected(api: FastAPI) -> AsyncGenerator[None]:
    async with asyncpg.create_pool(os.environ["EDGEFLOW_DATABASE_URL"], max_size=CONNECTIONS) as pool:
        api.state.pool = pool
        yield


def make_api() -> FastAPI:
    """The one route."""
    api = FastAPI(lifespan=_connected)

    @api.get("/tenants/{tenant}/devices/{device}")
    async def read_device(request: Request, tenant: UUID, device: UUID) -> dict[str, object]:
        pool = cast("asyncpg.Pool[asyncpg.Record]", request.app.state.pool)
        row = await pool.fetchrow(
            "select id, name, tags, created_at from devices where tenant_id = $1 and id = $2", tenant, device
        )
        return {"status": "done", **dict(row or {})}

    return api


if __name__ == "__main__":
    uvicorn.run(
        make_api(),
        port=int(sys.argv[1]),
        http="httptools",
        loop="uvloop",
        log_config=None,
        access_log=False,
    )
