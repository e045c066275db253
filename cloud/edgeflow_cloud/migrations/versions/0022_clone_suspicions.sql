-- Devices whose key seems to be in two boxes: since when, how often they took over from each other, and from where.
create table clone_suspicions (
    tenant_id uuid not null,
    device_id uuid not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    takeovers integer not null,
    addresses text[] not null default '{}',
    primary key (tenant_id, device_id),
    foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
);
create index clone_suspicions_by_age on clone_suspicions (last_at);
select secure_tenant_table('clone_suspicions');
