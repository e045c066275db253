-- One-time codes: only a keyed hash of each. A used one is kept with its device, since the same hardware may show it again.
create table provisioning_codes (
    tenant_id uuid not null,
    id uuid not null,
    hash bytea not null unique,
    hint text not null,
    name text,
    tags text[] not null default '{}',
    reclaim_window interval not null,
    created_at timestamptz not null default now(),
    created_by text not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    device_id uuid,
    hardware_key text,
    primary key (tenant_id, id),
    foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
);
create unique index provisioning_codes_by_device on provisioning_codes (tenant_id, device_id);
create index provisioning_codes_unused on provisioning_codes (expires_at) where used_at is null;
select secure_tenant_table('provisioning_codes');

-- Whose code is this? A device that shows one is not known yet; the code is consumed afterwards, under the tenant's rules.
create function find_provisioning_code(wanted bytea) returns uuid
language sql stable security definer set search_path = pg_catalog, public
as $$
    select tenant_id from provisioning_codes where hash = wanted
$$;
select secure_lookup('find_provisioning_code(bytea)');
