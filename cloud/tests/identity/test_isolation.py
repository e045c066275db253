"""Users under row-level security: what the app's role can see and do without any WHERE."""

import asyncpg
import pytest

from edgeflow_cloud import identity, organizations
from edgeflow_cloud.identity import NewUser
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.clock import SystemClock
from edgeflow_cloud.kernel.ids import UserId
from edgeflow_cloud.kernel.principal import Principal


async def settle(db: Database, principal: Principal, name: str) -> None:
    """Make the principal's user and organization."""
    now = SystemClock().now()
    new = NewUser(
        id=UserId(principal.id),
        email=f"{name}@example.com",
        first_name=name,
        last_name="Test",
        password_hash="$argon2id$not-a-real-one",
    )
    async with db.tenant_tx(principal) as tx:
        await identity.add_user(tx, principal, new, now)
        await organizations.create_with_owner(tx, principal, name=name, slug=name, plan="free", now=now)


@pytest.fixture
async def two(db: Database, owner: Principal, stranger: Principal) -> None:
    await settle(db, owner, "ada")
    await settle(db, stranger, "bob")


@pytest.mark.usefixtures("two")
async def test_an_organization_sees_its_members_only(
    db: Database, owner: Principal, stranger: Principal
) -> None:
    async with db.tenant_tx(owner) as tx:
        assert [row["email"] for row in await tx.fetch("select email from users")] == ["ada@example.com"]
        assert [row["slug"] for row in await tx.fetch("select slug from organizations")] == ["ada"]
        assert await tx.fetchval("select count(*) from members") == 1
        assert await identity.get_users(tx, [UserId(stranger.id)]) == {}


@pytest.mark.usefixtures("two")
async def test_before_anyone_is_known_nobody_is_seen(db: Database) -> None:
    async with db.lookup() as tx:
        assert await tx.fetch("select email from users") == []
        assert await tx.fetch("select slug from organizations") == []
        assert await tx.fetch("select role from members") == []
        assert await tx.fetch("select id from sessions") == []
        found = await identity.find_credentials(tx, "ADA@example.com")
    assert found is not None and found.password_hash.startswith("$argon2id$")


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    "statement",
    [
        "select password_hash from users",
        "select * from users",
        "delete from users",
        "update users set id = gen_random_uuid()",
        "update users set email = 'taken@example.com'",
        "update users set email_verified_at = now()",
    ],
)
async def test_the_app_reads_no_hash_and_deletes_nobody(
    db: Database, owner: Principal, statement: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.tenant_tx(owner) as tx:
            await tx.execute(statement)


@pytest.mark.usefixtures("two")
async def test_a_change_without_where_reaches_fellows_only(db: Database, owner: Principal) -> None:
    async with db.tenant_tx(owner) as tx:
        assert await tx.execute("update users set first_name = 'X'") == "UPDATE 1"
        assert await tx.execute("update organizations set name = 'X'") == "UPDATE 1"
        assert await tx.execute("delete from members") == "DELETE 1"


async def test_nobody_is_added_without_an_organization(db: Database, owner: Principal) -> None:
    now = SystemClock().now()
    new = NewUser(
        id=UserId(ids.new()), email="x@example.com", first_name="X", last_name="Y", password_hash="$"
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.lookup() as tx:
            await identity.add_user(tx, owner, new, now)
