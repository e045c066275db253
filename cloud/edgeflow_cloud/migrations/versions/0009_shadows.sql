-- One row per device that ever had a shadow. `version` rises by one with each accepted update and never goes back.
-- The metadata are flat: dotted path of a leaf -> RFC 3339 time of the last change that named it.
create table shadows (
    tenant_id uuid not null,
    device_id uuid not null,
    version bigint not null default 0,
    desired jsonb not null default '{}',
    reported jsonb not null default '{}',
    desired_metadata jsonb not null default '{}',
    reported_metadata jsonb not null default '{}',
    updated_at timestamptz not null,
    primary key (tenant_id, device_id),
    foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
) with (fillfactor = 70);
select secure_tenant_table('shadows');
