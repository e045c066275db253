-- Commands to devices. `status` moves only by conditional updates (commands/model.py has the machine).
-- `due_at` is when the sweep looks: a queued one expires then, a sent one is given up as unknown; null once final.
-- `keep`: a ttl was given, so that the command waits for a device that is away.
-- `epoch` is that of the connection it was sent on; null until a hub has noted it.
-- `waiter` is the bus channel of the process whose caller waits for the answer.
create table commands (
    tenant_id uuid not null,
    id uuid not null,
    device_id uuid not null,
    action text not null,
    payload jsonb not null default '{}',
    status text not null check (
        status in ('queued', 'sent', 'done', 'failed', 'expired', 'cancelled', 'unknown')
    ),
    result jsonb,
    error text,
    timeout double precision not null,
    keep boolean not null,
    created_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    sent_at timestamptz,
    finished_at timestamptz,
    due_at timestamptz,
    epoch bigint,
    waiter text,
    idempotency_key text,
    primary key (tenant_id, id),
    foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
);
create index commands_by_device on commands (tenant_id, device_id, id);
create index commands_active on commands (tenant_id, device_id, id) where status in ('queued', 'sent');
create index commands_due on commands (due_at) where due_at is not null;
create index commands_finished on commands (finished_at) where finished_at is not null;
create unique index commands_by_key on commands (tenant_id, created_by, idempotency_key)
where idempotency_key is not null;
alter table commands set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
select secure_tenant_table('commands');
