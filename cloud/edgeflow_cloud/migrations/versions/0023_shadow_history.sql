-- One row for each accepted update of a shadow: what was said, by whom, and the way back to the version before.
-- `patch` is the change as it was accepted; `undo` holds merge patches that turn this version's halves and the times of
-- their leaves into those of the version before; `snapshot` is the whole state at this version, now and then, so that no
-- way back is long. Old rows go oldest first, so every version that has a row can be made from the newest.
create table shadow_history (
    tenant_id uuid not null,
    device_id uuid not null,
    version bigint not null,
    changed text not null check (changed in ('desired', 'reported', 'deleted')),
    at timestamptz not null,
    by_kind text not null,
    by_id text not null,
    patch jsonb not null,
    undo jsonb not null,
    snapshot jsonb,
    primary key (tenant_id, device_id, version),
    foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
);
create index shadow_history_by_age on shadow_history (at);
create index shadow_history_snapshots on shadow_history (tenant_id, device_id, version) where snapshot is not null;
create index shadow_history_of_people on shadow_history (tenant_id, device_id, version) where changed <> 'reported';
select secure_tenant_table('shadow_history');
