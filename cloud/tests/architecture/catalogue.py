"""What PostgreSQL's own catalogue says about tenancy; each function returns sentences, one a violation."""

from edgeflow_cloud.infra.db import PgConnection

OURS = "n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_%'"


async def unsecured_tables(connection: PgConnection) -> list[str]:
    """Tables with a `tenant_id` that people's transactions reach without forced row-level security.

    COPY does not work under it, so the sample tables have none: then the app's role has no grant at all.
    """
    rows = await connection.fetch(
        f"""
        select c.oid::regclass::text as name, c.relrowsecurity and c.relforcerowsecurity as forced,
            coalesce((
                select bool_or(p.polqual is not null and p.polwithcheck is not null
                    and pg_get_expr(p.polqual, p.polrelid) = '(tenant_id = current_tenant())'
                    and pg_get_expr(p.polwithcheck, p.polrelid) = '(tenant_id = current_tenant())')
                from pg_policy p
                where p.polrelid = c.oid and p.polpermissive and 'edgeflow_app'::regrole::oid = any (p.polroles)
            ), false) as own_rows_only,
            (
                select count(*) from pg_policy p
                where p.polrelid = c.oid and (p.polpermissive or p.polname <> 'in_projects')
                    and p.polroles && array['edgeflow_app'::regrole::oid, 0::oid]
            ) as policies,
            has_any_column_privilege('edgeflow_app', c.oid, 'select, insert, update')
                or has_table_privilege('edgeflow_app', c.oid, 'delete, truncate') as reached
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relkind in ('r', 'p') and {OURS}
        order by 1
        """
    )
    said: list[str] = []
    for row in rows:
        if not row["forced"] and row["reached"]:
            said.append(
                f"{row['name']} is reached by edgeflow_app: select secure_tenant_table('{row['name']}')."
            )
        elif row["forced"] and not (row["own_rows_only"] and row["policies"] == 1):
            said.append(f"{row['name']}: edgeflow_app must have one policy, tenant_id = current_tenant().")
    return said


async def misplaced_keys(connection: PgConnection) -> list[str]:
    """Primary keys of tenant tables that `tenant_id` does not lead, and tables without a primary key.

    A partitioned table may be without one, for it could not dedupe; then an index must begin with the tenant.
    """
    rows = await connection.fetch(
        f"""
        select c.oid::regclass::text as name, first.attname as first_column
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
        left join pg_attribute first on first.attrelid = c.oid and first.attnum = k.conkey[1]
        where c.relkind in ('r', 'p') and not c.relispartition and {OURS}
            and first.attname is distinct from 'tenant_id'
            and not (c.relkind = 'p' and k.oid is null and exists (
                select from pg_index i where i.indrelid = c.oid and i.indkey[0] = a.attnum
            ))
        order by 1
        """
    )
    return [f"{row['name']}: its primary key must begin with tenant_id." for row in rows]


async def loose_foreign_keys(connection: PgConnection) -> list[str]:
    """Foreign keys between tenant tables that do not pair `tenant_id` with `tenant_id`, first.

    A foreign key looks past row-level security: without the pair one tenant's row could hang on another's.
    """
    rows = await connection.fetch(
        f"""
        select k.conname as name, k.conrelid::regclass::text as child, k.confrelid::regclass::text as parent
        from pg_constraint k
        join pg_class c on c.oid = k.conrelid
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute child on child.attrelid = k.conrelid and child.attname = 'tenant_id'
        join pg_attribute parent on parent.attrelid = k.confrelid and parent.attname = 'tenant_id'
        where k.contype = 'f' and {OURS}
            and (k.conkey[1] <> child.attnum or k.confkey[1] <> parent.attnum)
        order by 1
        """
    )
    return [
        f"{row['name']}: {row['child']} -> {row['parent']} must pair tenant_id with tenant_id, first."
        for row in rows
    ]


async def shared_tables(connection: PgConnection) -> set[str]:
    """Tables without a `tenant_id` that people's transactions reach."""
    rows = await connection.fetch(
        f"""
        select c.oid::regclass::text as name
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and not c.relispartition and {OURS}
            and not exists (
                select from pg_attribute a
                where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
            )
            and (
                has_any_column_privilege('edgeflow_app', c.oid, 'select, insert, update')
                or has_table_privilege('edgeflow_app', c.oid, 'delete, truncate')
            )
        """
    )
    return {row["name"] for row in rows}


async def open_views(connection: PgConnection) -> list[str]:
    """Views that the app's role reads with their owner's eyes and that are no barrier by tenant."""
    rows = await connection.fetch(
        f"""
        select c.oid::regclass::text as name
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('v', 'm') and {OURS} and has_table_privilege('edgeflow_app', c.oid, 'select')
            and not coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on'], false)
            and not (
                coalesce(c.reloptions && array['security_barrier=true', 'security_barrier=on'], false)
                and pg_get_viewdef(c.oid) like '%tenant_id = current_tenant()%'
            )
        """
    )
    return [
        f"{row['name']} is a view that ignores row-level security: make it security_invoker, or filter by "
        "current_tenant() behind security_barrier."
        for row in rows
    ]


async def loose_functions(connection: PgConnection) -> list[str]:
    """Definer functions that are open to everybody, or find their tables by the caller's path."""
    rows = await connection.fetch(
        f"""
        select p.oid::regprocedure::text as name,
            not exists (
                select from unnest(p.proconfig) setting where setting like 'search\\_path=%'
            ) as wandering,
            has_function_privilege('public', p.oid, 'execute') as public,
            p.proowner <> 'edgeflow_system'::regrole
                and has_function_privilege('edgeflow_app', p.oid, 'execute') as too_strong
        from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace
        where p.prosecdef and {OURS}
        """
    )
    said = [f"{row['name']} must set its search_path." for row in rows if row["wandering"]]
    said += [f"{row['name']} is open to PUBLIC: select secure_lookup(…)." for row in rows if row["public"]]
    said += [
        f"{row['name']} lends people the owner's rights: select secure_lookup(…)."
        for row in rows
        if row["too_strong"]
    ]
    return said


async def tables(connection: PgConnection) -> set[str]:
    """Every table and view of ours by name, partitions left out."""
    rows = await connection.fetch(
        f"""
        select c.oid::regclass::text as name
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition and {OURS}
        """
    )
    return {row["name"] for row in rows}
