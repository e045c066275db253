-- Codes in bulk belong to a batch, and may put their devices into a project.
alter table provisioning_codes add column batch_id uuid;
alter table provisioning_codes add column project_id uuid;
alter table provisioning_codes add constraint provisioning_codes_project
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete set null (project_id);
create index provisioning_codes_by_batch on provisioning_codes (tenant_id, batch_id) where batch_id is not null;
create index provisioning_codes_by_project on provisioning_codes (tenant_id, project_id) where project_id is not null;

-- Devices that left their organization and wait for the next one. They belong to nobody, and nobody lists them: whoever
-- holds the code takes one. Kept is what the box is, not what the organization called it or where it stood.
create table released_devices (
    id uuid primary key,
    hash bytea not null unique,
    hint text not null,
    hardware jsonb not null,
    hardware_key text,
    released_at timestamptz not null,
    expires_at timestamptz not null
);
create index released_devices_expired on released_devices (expires_at);
grant select, insert, update, delete on released_devices to edgeflow_system;

-- Note a device of the current organization as released: under its own code if it came by one, else under the fresh one.
create function release_device(
    device uuid, fresh_hash bytea, fresh_hint text, known_by text, at timestamptz, until timestamptz
) returns table (hint text, fresh boolean)
language sql volatile security definer set search_path = pg_catalog, public
as $$
    insert into released_devices (id, hash, hint, hardware, hardware_key, released_at, expires_at)
    select d.id, coalesce(c.hash, fresh_hash), coalesce(c.hint, fresh_hint), d.hardware,
        coalesce(c.hardware_key, known_by), at, until
    from devices d
    left join provisioning_codes c on c.tenant_id = d.tenant_id and c.device_id = d.id
    where d.tenant_id = current_tenant() and d.id = device
    returning released_devices.hint, released_devices.hash = fresh_hash
$$;
select secure_lookup('release_device(uuid, bytea, text, text, timestamptz, timestamptz)');

-- Take the released device of this code: of any number of callers at once exactly one gets it.
create function take_released_device(wanted bytea, at timestamptz) returns table (
    hint text, hardware jsonb, hardware_key text
)
language sql volatile security definer set search_path = pg_catalog, public
as $$
    delete from released_devices r where r.hash = wanted and r.expires_at > at
    returning r.hint, r.hardware, r.hardware_key
$$;
select secure_lookup('take_released_device(bytea, timestamptz)');
