-- Roles and the one function that makes a table a tenant's own. Roles are cluster-wide, so each may already exist.
do $$
declare
    name text;
begin
    foreach name in array array['edgeflow_app', 'edgeflow_system', 'edgeflow_ingest'] loop
        if not exists (select from pg_roles where rolname = name) then
            execute format('create role %I nologin', name);
        end if;
        execute format('grant %I to current_user', name);
        execute format('grant usage on schema public to %I', name);
    end loop;
end
$$;

-- The organization of the current transaction. After a transaction with a local setting it is '' and not NULL.
create function current_tenant() returns uuid
language sql stable
return nullif(current_setting('app.tenant_id', true), '')::uuid;

-- Forced row-level security: edgeflow_app sees its own tenant's rows, edgeflow_system all, the owner none.
create function secure_tenant_table(name regclass) returns void
language plpgsql as $$
begin
    execute format('alter table %s enable row level security', name);
    execute format('alter table %s force row level security', name);
    execute format(
        'create policy tenant on %s to edgeflow_app using (tenant_id = current_tenant())'
        ' with check (tenant_id = current_tenant())', name);
    execute format('create policy platform on %s to edgeflow_system using (true) with check (true)', name);
    execute format('grant select, insert, update, delete on %s to edgeflow_app, edgeflow_system', name);
end
$$;

-- A function that may look before anyone is known (login, keys, codes): runs as edgeflow_system, callable by the app.
create function secure_lookup(name regprocedure) returns void
language plpgsql as $$
begin
    grant create on schema public to edgeflow_system;
    execute format('alter function %s owner to edgeflow_system', name);
    revoke create on schema public from edgeflow_system;
    execute format('revoke all on function %s from public', name);
    execute format('grant execute on function %s to edgeflow_app, edgeflow_system', name);
end
$$;

-- Operators that the query planner may use beside row-level security only when they leak nothing (needs superuser).
do $$
begin
    if (select rolsuper from pg_roles where rolname = current_user) then
        alter function jsonb_contains(jsonb, jsonb) leakproof;
        alter function texticlike(text, text) leakproof;
        alter function arraycontains(anyarray, anyarray) leakproof;
    end if;
end
$$;
