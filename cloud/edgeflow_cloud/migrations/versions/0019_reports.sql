-- What devices tell of their work. Events and lines come many at once and are never changed: partitioned by day, without
-- row-level security, read through views. `id` rises with what was stored later, and pages of a list go by it.
create table device_events (
    tenant_id uuid not null,
    device_id uuid not null,
    id uuid not null,
    time timestamptz not null,
    received_at timestamptz not null,
    source text not null,
    code text not null,
    level text not null,
    message text not null,
    flow_id text,
    data jsonb not null
) partition by range (time);
create index device_events_by_device on device_events (tenant_id, device_id, time desc, id desc);
grant insert on device_events to edgeflow_ingest;
grant select, delete on device_events to edgeflow_system;
create view own_device_events with (security_barrier = true) as
    select * from device_events where tenant_id = current_tenant();
grant select on own_device_events to edgeflow_app;

create table device_logs (
    tenant_id uuid not null,
    device_id uuid not null,
    id uuid not null,
    time timestamptz not null,
    received_at timestamptz not null,
    level text not null,
    source text not null,
    message text not null,
    flow_id text,
    node_id text
) partition by range (time);
create index device_logs_by_device on device_logs (tenant_id, device_id, time desc, id desc);
grant insert on device_logs to edgeflow_ingest;
grant select, delete on device_logs to edgeflow_system;
create view own_device_logs with (security_barrier = true) as
    select * from device_logs where tenant_id = current_tenant();
grant select on own_device_logs to edgeflow_app;

-- An execution is told of when it begins and again when it has ended: one row, so it has a key and is not partitioned.
create table executions (
    tenant_id uuid not null,
    device_id uuid not null,
    execution_id text not null,
    flow_id text not null,
    flow_name text not null,
    status text not null check (status in ('running', 'succeeded', 'failed', 'cancelled')),
    trigger text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    error text not null,
    nodes jsonb not null,
    received_at timestamptz not null,
    primary key (tenant_id, device_id, execution_id),
    foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
);
create index executions_by_start on executions (tenant_id, device_id, started_at desc, execution_id desc);
create index executions_by_age on executions (received_at);
select secure_tenant_table('executions');
create policy ingest on executions to edgeflow_ingest using (true) with check (true);
grant select, insert, update on executions to edgeflow_ingest;
