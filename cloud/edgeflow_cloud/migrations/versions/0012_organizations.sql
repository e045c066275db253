-- Organizations, second part: how one is closed, who is invited, what groups devices, and keys of programs.

-- A suspended organization lets nobody in until the operator resumes it. A deleted one lets in only its owners, who may
-- restore it until `purge_after`; then a job removes every row of the tenant.
alter table organizations
    add column suspended_at timestamptz,
    add column suspended_reason text,
    add column deleted_at timestamptz,
    add column purge_after timestamptz,
    add constraint organizations_purged_when_deleted check ((deleted_at is null) = (purge_after is null));
create index organizations_purge on organizations (purge_after) where purge_after is not null;

-- Keys of programs: only their SHA-256. `prefix` is the beginning of the key, so that people can tell keys apart.
create table api_keys (
    tenant_id uuid not null references organizations (tenant_id) on delete cascade,
    id uuid not null,
    name text not null check (length(name) between 1 and 120),
    hash bytea not null unique check (length(hash) = 32),
    prefix text not null,
    scopes text[] not null check (cardinality(scopes) > 0),
    created_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    primary key (tenant_id, id)
);
select secure_tenant_table('api_keys');

-- Whose good key this is, before a tenant is known. It notes the use at most once a minute, so that a busy program costs
-- one write a minute and not one a call.
create function use_api_key(wanted bytea, at timestamptz) returns table (
    tenant_id uuid, key_id uuid, scopes text[], closed text
)
language sql volatile security definer set search_path = pg_catalog, public
as $$
    with noted as (
        update api_keys k set last_used_at = at
        where k.hash = wanted and (k.expires_at is null or k.expires_at > at)
            and (k.last_used_at is null or k.last_used_at < at - interval '1 minute')
    )
    select k.tenant_id, k.id, k.scopes,
        case when o.suspended_at is not null then 'suspended' when o.deleted_at is not null then 'deleted' end
    from api_keys k join organizations o on o.tenant_id = k.tenant_id
    where k.hash = wanted and (k.expires_at is null or k.expires_at > at)
$$;
select secure_lookup('use_api_key(bytea, timestamptz)');

-- Which of these organizations let nobody in: for devices, whose tunnels and calls begin before a tenant is known.
create function find_closed_organizations(wanted uuid[]) returns table (tenant_id uuid)
language sql stable security definer set search_path = pg_catalog, public
as $$
    select o.tenant_id from organizations o
    where o.tenant_id = any (wanted) and (o.suspended_at is not null or o.deleted_at is not null)
$$;
select secure_lookup('find_closed_organizations(uuid[])');

-- Invitations: one link each, of which only the token's hash is kept.
create table invitations (
    tenant_id uuid not null references organizations (tenant_id) on delete cascade,
    id uuid not null,
    email text not null check (email ~ '^[!-~]+@[!-~]+$' and length(email) <= 254),
    role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
    extra_permissions text[] not null default '{}'
        check (extra_permissions <@ array['users:manage', 'devices:manage', 'flows:manage', 'resources:delete']),
    token_hash bytea not null unique check (length(token_hash) = 32),
    created_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (tenant_id, id)
);
create unique index invitations_email on invitations (tenant_id, lower(email));
create index invitations_expired on invitations (expires_at);
select secure_tenant_table('invitations');

-- Whose invitation this token opens, before anyone is known. It stays good: `delete … returning` takes it.
create function find_invitation(wanted bytea, at timestamptz) returns table (
    tenant_id uuid, invitation_id uuid, email text, organization_name text
)
language sql stable security definer set search_path = pg_catalog, public
as $$
    select i.tenant_id, i.id, i.email, o.name
    from invitations i join organizations o on o.tenant_id = i.tenant_id
    where i.token_hash = wanted and i.expires_at > at and o.suspended_at is null and o.deleted_at is null
$$;
select secure_lookup('find_invitation(bytea, timestamptz)');

-- Projects group devices inside an organization.
create table projects (
    tenant_id uuid not null references organizations (tenant_id) on delete cascade,
    id uuid not null,
    name text not null check (length(name) between 1 and 120),
    description text not null default '' check (length(description) <= 2000),
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id)
);
create unique index projects_name on projects (tenant_id, lower(name));
select secure_tenant_table('projects');

-- A device is in at most one project; a project that goes leaves its devices in the organization.
alter table devices add column project_id uuid;
alter table devices add constraint devices_project
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete set null (project_id);
create index devices_by_project on devices (tenant_id, project_id) where project_id is not null;

-- Exports: an archive in the object store, made by a job and gone after a few days.
create table organization_exports (
    tenant_id uuid not null references organizations (tenant_id) on delete cascade,
    id uuid not null,
    state text not null check (state in ('waiting', 'done', 'failed')),
    size bigint,
    created_by text not null,
    created_at timestamptz not null,
    finished_at timestamptz,
    primary key (tenant_id, id)
);
create index organization_exports_created on organization_exports (created_at);
select secure_tenant_table('organization_exports');

-- The end of an organization. Every table with a `tenant_id` that the platform may delete from, but the audit log (which
-- nobody changes) and `organizations`, which goes last and by itself.
create function tenant_tables() returns table (name text)
language sql stable set search_path = pg_catalog, public
as $$
    select c.oid::regclass::text
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and c.relname <> 'organizations' and c.relname not like 'audit\_%'
        and has_table_privilege('edgeflow_system', c.oid, 'delete')
    order by 1
$$;
revoke all on function tenant_tables() from public;
grant execute on function tenant_tables() to edgeflow_app, edgeflow_system;

-- Up to `most` rows of a tenant leave one of these tables, and only while the tenant's grace time is over.
create function forget_tenant_rows(name text, wanted uuid, most integer) returns integer
language plpgsql volatile set search_path = pg_catalog, public
as $$
declare
    gone integer;
begin
    if name not in (select t.name from tenant_tables() t)
        or not exists (select from organizations o where o.tenant_id = wanted and o.purge_after <= now()) then
        return 0;
    end if;
    execute format(
        'delete from %s where (tableoid, ctid) in (select tableoid, ctid from %s where tenant_id = $1 limit $2)',
        name, name
    ) using wanted, most;
    get diagnostics gone = row_count;
    return gone;
end
$$;
revoke all on function forget_tenant_rows(text, uuid, integer) from public;
grant execute on function forget_tenant_rows(text, uuid, integer) to edgeflow_system;

-- Rows of one table as JSON, as the caller's row-level security shows them. Secrets are kept as bytea (hashes, seeds,
-- sealed text), so no column of that type is in it.
create function export_tenant_rows(name text, wanted uuid) returns table (document text)
language plpgsql stable set search_path = pg_catalog, public
as $$
declare
    columns text;
begin
    if name not in (select t.name from tenant_tables() t union all values ('organizations'), ('audit_entries')) then
        return;
    end if;
    select string_agg(format('%L, t.%I', a.attname, a.attname), ', ' order by a.attnum) into columns
    from pg_attribute a
    where a.attrelid = name::regclass and a.attnum > 0 and not a.attisdropped and a.atttypid <> 'bytea'::regtype;
    return query execute format(
        'select json_build_object(%s)::text from %s t where t.tenant_id = $1', columns, name
    ) using wanted;
end
$$;
revoke all on function export_tenant_rows(text, uuid) from public;
grant execute on function export_tenant_rows(text, uuid) to edgeflow_app, edgeflow_system;
