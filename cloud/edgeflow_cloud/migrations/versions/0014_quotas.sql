-- Quotas: which plan an organization is on, what it uses, and its calls a day.

-- One row a tenant. Whoever reserves something under a limit locks it, so that of two at the limit one wins.
create table tenant_plans (
    tenant_id uuid primary key references organizations (tenant_id) on delete cascade,
    plan text not null,
    changed_at timestamptz not null
);
select secure_tenant_table('tenant_plans');

-- The plan moves here. The owner of the tables sees no tenant's row; the platform's role sees all.
set local role edgeflow_system;
insert into tenant_plans (tenant_id, plan, changed_at) select tenant_id, plan, updated_at from organizations;
reset role;
-- squawk-ignore ban-drop-column
alter table organizations drop column plan;

-- Calls of people and programs a day (UTC); the running day's count is in Valkey and is folded in every minute.
create table api_calls (
    tenant_id uuid not null references organizations (tenant_id) on delete cascade,
    day date not null,
    calls bigint not null check (calls >= 0),
    updated_at timestamptz not null,
    primary key (tenant_id, day)
);
create index api_calls_updated on api_calls (updated_at);
select secure_tenant_table('api_calls');

-- How many of a resource a tenant has, counted where they are, so that no counter can drift. Asked only for plans with a
-- limit. A subsystem that brings another resource replaces this function with one more branch.
create function count_resource(wanted uuid, resource text) returns bigint
language plpgsql stable as $$
begin
    case resource
        when 'devices' then return (select count(*) from devices where tenant_id = wanted);
        when 'members' then return (select count(*) from members where tenant_id = wanted);
        when 'projects' then return (select count(*) from projects where tenant_id = wanted);
        else return 0;
    end case;
end
$$;
grant execute on function count_resource(uuid, text) to edgeflow_app, edgeflow_system;

-- The organizations of one user, the oldest membership first; with the plan from its new place, and whether it is closed.
drop function find_organizations_of_user(uuid);
create function find_organizations_of_user(wanted uuid) returns table (
    tenant_id uuid, role text, name text, slug text, plan text, settings jsonb, metadata jsonb,
    version bigint, created_at timestamptz, updated_at timestamptz,
    suspended_at timestamptz, deleted_at timestamptz, purge_after timestamptz
)
language sql stable security definer set search_path = pg_catalog, public
as $$
    select o.tenant_id, m.role, o.name, o.slug, p.plan, o.settings, o.metadata, o.version, o.created_at, o.updated_at,
        o.suspended_at, o.deleted_at, o.purge_after
    from members m
    join organizations o on o.tenant_id = m.tenant_id
    join tenant_plans p on p.tenant_id = o.tenant_id
    where m.user_id = wanted
    order by m.joined_at, m.tenant_id
$$;
select secure_lookup('find_organizations_of_user(uuid)');
