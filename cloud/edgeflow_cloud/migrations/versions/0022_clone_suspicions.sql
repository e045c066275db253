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

-- A code may put its device into a fixed group, too.
alter table provisioning_codes add column group_id uuid;
alter table provisioning_codes add constraint provisioning_codes_group
    foreign key (tenant_id, group_id) references device_groups (tenant_id, id) on delete set null (group_id);
create index provisioning_codes_by_group on provisioning_codes (tenant_id, group_id) where group_id is not null;
