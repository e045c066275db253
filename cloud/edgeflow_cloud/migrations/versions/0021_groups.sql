-- Where a device stands, as people say it and as a map needs it (degrees, WGS 84).
alter table devices
add column place_name text,
add column latitude double precision,
add column longitude double precision;
alter table devices add constraint devices_place check (
    (latitude is null) = (longitude is null) and latitude between -90 and 90 and longitude between -180 and 180
);

-- A group of devices: fixed ones have members, dynamic ones a query.
create table device_groups (
    tenant_id uuid not null,
    id uuid not null,
    name text not null,
    description text not null default '',
    kind text not null check (kind in ('fixed', 'dynamic')),
    query text,
    project_id uuid,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id),
    check ((kind = 'dynamic') = (query is not null)),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete set null (project_id)
);
create unique index device_groups_name on device_groups (tenant_id, lower(name));
create index device_groups_project on device_groups (tenant_id, project_id) where project_id is not null;
select secure_tenant_table('device_groups');

create table device_group_members (
    tenant_id uuid not null,
    group_id uuid not null,
    device_id uuid not null,
    added_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, group_id, device_id),
    foreign key (tenant_id, group_id) references device_groups (tenant_id, id) on delete cascade,
    foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
);
create index device_group_members_device on device_group_members (tenant_id, device_id, added_at, group_id);
select secure_tenant_table('device_group_members');

-- A query with a name, and the columns and order in which its answer is shown. `created_by` is a person or program.
create table saved_searches (
    tenant_id uuid not null,
    id uuid not null,
    name text not null,
    q text not null,
    sort text,
    columns text[] not null default '{}',
    shared boolean not null default false,
    created_by text not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
create unique index saved_searches_name on saved_searches (tenant_id, created_by, lower(name));
select secure_tenant_table('saved_searches');
