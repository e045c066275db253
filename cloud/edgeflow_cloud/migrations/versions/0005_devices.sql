-- The registry: what a device is. Presence is a narrow table of its own, since it changes every few seconds.
create table devices (
    tenant_id uuid not null,
    id uuid not null,
    name text not null,
    notes text not null default '',
    tags text[] not null default '{}',
    hardware jsonb not null default '{}',
    network jsonb not null default '{}',
    firmware_version text,
    agent_version text,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id),
    unique (id)
);
create index devices_by_name on devices (tenant_id, lower(name), id);
create index devices_by_tag on devices using gin (tags);
select secure_tenant_table('devices');

create table device_presence (
    tenant_id uuid not null,
    device_id uuid not null,
    epoch bigint not null default 0,
    online boolean not null default false,
    hub_id text,
    connected_at timestamptz,
    last_seen_at timestamptz,
    negotiated_at timestamptz,
    primary key (tenant_id, device_id),
    foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
) with (fillfactor = 70);
create index device_presence_online on device_presence (tenant_id) where online;
create index device_presence_hub on device_presence (hub_id) where online;
select secure_tenant_table('device_presence');

-- Keys of devices: only their SHA-256. `prefix` is shown to people, so that they can tell keys apart.
create table device_keys (
    tenant_id uuid not null,
    device_id uuid not null,
    id uuid not null,
    hash bytea not null unique,
    prefix text not null,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    expires_at timestamptz,
    primary key (tenant_id, device_id, id),
    foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
);
select secure_tenant_table('device_keys');

-- Which of these pairs of device and key hash are right? For the tunnel and the devices' REST, before a tenant is known.
create function find_device_keys(device_ids uuid[], hashes bytea[])
returns table (device_id uuid, tenant_id uuid)
language sql stable security definer set search_path = pg_catalog, public
as $$
    select k.device_id, k.tenant_id
    from unnest(device_ids, hashes) as asked (device_id, hash)
    join device_keys k on k.hash = asked.hash and k.device_id = asked.device_id
    where k.expires_at is null or k.expires_at > now()
$$;
select secure_lookup('find_device_keys(uuid[], bytea[])');

-- Whose key is this? A key is unique by itself; REST calls of a device carry nothing else.
create function find_device_key(wanted bytea)
returns table (device_id uuid, tenant_id uuid)
language sql stable security definer set search_path = pg_catalog, public
as $$
    select k.device_id, k.tenant_id from device_keys k
    where k.hash = wanted and (k.expires_at is null or k.expires_at > now())
$$;
select secure_lookup('find_device_key(bytea)');
