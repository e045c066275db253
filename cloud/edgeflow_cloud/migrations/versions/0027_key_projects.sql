-- API keys limited to projects. The transaction says which (`app.projects`), and the rows of every table answer to it:
-- no subsystem can forget to ask.

-- Null: no limit. A limit outlives its projects: a key whose projects are deleted reaches nothing.
alter table api_keys add column projects uuid[];
alter table api_keys add constraint api_keys_projects check (cardinality(projects) > 0);

-- The projects that the current transaction is limited to, or null.
create function current_projects() returns uuid[]
language sql stable
return nullif(current_setting('app.projects', true), '')::uuid[];

-- The devices of those projects. Runs as edgeflow_system, since views that have their owner's rights ask, too.
create function devices_in_projects() returns setof uuid
language sql stable security definer set search_path = pg_catalog, public
as $$
    select d.id from devices d
    where d.tenant_id = public.current_tenant() and d.project_id = any (public.current_projects())
$$;
select secure_lookup('devices_in_projects()');

-- Narrows a table to the transaction's projects, beside its tenant policy. What belongs to a device goes by the
-- device; what has a project of its own goes by that.
create function limit_to_projects(name regclass) returns void
language plpgsql as $$
declare
    col text;
    ours text;
begin
    select a.attname into col from pg_attribute a
    where a.attrelid = name and not a.attisdropped
        and (a.attname = 'project_id' or a.attname = 'device_id' and a.attnotnull)
    order by a.attname = 'device_id' desc
    limit 1;
    if name = 'projects'::regclass then
        ours := 'id = any (current_projects())';
    elsif col = 'project_id' then
        ours := 'project_id = any (current_projects())';
    elsif col = 'device_id' then
        ours := 'device_id in (select devices_in_projects())';
    else
        return;
    end if;
    execute format('create policy in_projects on %s as restrictive to edgeflow_app'
        ' using ((select current_projects()) is null or %s) with check ((select current_projects()) is null or %s)',
        name, ours, ours);
end
$$;

-- As before, and every table that is made from now on is narrowed, too.
create or replace function secure_tenant_table(name regclass) returns void
language plpgsql as $$
begin
    execute format('alter table %s enable row level security', name);
    execute format('alter table %s force row level security', name);
    execute format(
        'create policy tenant on %s to edgeflow_app using (tenant_id = current_tenant())'
        ' with check (tenant_id = current_tenant())', name);
    execute format('create policy platform on %s to edgeflow_system using (true) with check (true)', name);
    execute format('grant select, insert, update, delete on %s to edgeflow_app, edgeflow_system', name);
    perform limit_to_projects(name);
end
$$;

-- The tables there are. Partitions are reached through their parent.
do $$
declare
    found regclass;
begin
    for found in
        select c.oid::regclass from pg_class c join pg_policy p on p.polrelid = c.oid
        where p.polname = 'tenant' and c.relnamespace = 'public'::regnamespace
        order by c.relname
    loop
        perform limit_to_projects(found);
    end loop;
end
$$;

-- Telemetry without row-level security is read through these.
create or replace view device_samples with (security_barrier = true) as
    select * from system_samples where tenant_id = current_tenant()
        and ((select current_projects()) is null or device_id in (select devices_in_projects()));
create or replace view device_custom_samples with (security_barrier = true) as
    select * from custom_samples where tenant_id = current_tenant()
        and ((select current_projects()) is null or device_id in (select devices_in_projects()));
create or replace view own_device_events with (security_barrier = true) as
    select * from device_events where tenant_id = current_tenant()
        and ((select current_projects()) is null or device_id in (select devices_in_projects()));
create or replace view own_device_logs with (security_barrier = true) as
    select * from device_logs where tenant_id = current_tenant()
        and ((select current_projects()) is null or device_id in (select devices_in_projects()));

-- Whose good key this is, whether it may be used from this address, and its projects. A refused use is not noted.
create function use_limited_key(wanted bytea, at timestamptz, origin inet) returns table (
    tenant_id uuid, key_id uuid, scopes text[], closed text, allowed boolean, projects uuid[]
)
language sql volatile security definer set search_path = pg_catalog, public
as $$
    with found as (
        select k.tenant_id, k.id, k.scopes, k.projects, k.last_used_at,
            cardinality(k.networks) = 0 or coalesce(origin <<= any (k.networks), false) as allowed
        from api_keys k
        where k.hash = wanted and (k.expires_at is null or k.expires_at > at)
    ),
    noted as (
        update api_keys k set last_used_at = at
        from found f
        where k.tenant_id = f.tenant_id and k.id = f.id and f.allowed
            and (k.last_used_at is null or k.last_used_at < at - interval '1 minute')
    )
    select f.tenant_id, f.id, f.scopes,
        case when o.suspended_at is not null then 'suspended' when o.deleted_at is not null then 'deleted' end,
        f.allowed, f.projects
    from found f join organizations o on o.tenant_id = f.tenant_id
$$;
select secure_lookup('use_limited_key(bytea, timestamptz, inet)');

-- The release before knows no limits: to it, a key that has one is no good key.
create or replace function use_api_key(wanted bytea, at timestamptz, origin inet) returns table (
    tenant_id uuid, key_id uuid, scopes text[], closed text, allowed boolean
)
language sql volatile security definer set search_path = pg_catalog, public
as $$
    select u.tenant_id, u.key_id, u.scopes, u.closed, u.allowed
    from use_limited_key(wanted, at, origin) u where u.projects is null
$$;
