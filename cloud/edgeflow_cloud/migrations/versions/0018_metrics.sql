-- What flows a device has and what they did: wide, like the other numbers that every device knows.
alter table system_samples
    add column flows_total bigint,
    add column flows_running bigint,
    add column flows_stopped bigint,
    add column executions_total bigint,
    add column executions_failed bigint;
-- squawk-ignore ban-drop-view
drop view device_samples;
create view device_samples with (security_barrier = true) as
    select * from system_samples where tenant_id = current_tenant();
grant select on device_samples to edgeflow_app;

-- Values that devices name themselves: narrow, for nobody knows the names before. As system_samples: by COPY, without
-- row-level security, read through a view.
create table custom_samples (
    tenant_id uuid not null,
    device_id uuid not null,
    name text not null,
    time timestamptz not null,
    received_at timestamptz not null,
    value double precision not null
) partition by range (time);
create index custom_samples_by_name on custom_samples (tenant_id, device_id, name, time);
grant insert on custom_samples to edgeflow_ingest;
grant select, delete on custom_samples to edgeflow_system;
create view device_custom_samples with (security_barrier = true) as
    select * from custom_samples where tenant_id = current_tenant();
grant select on device_custom_samples to edgeflow_app;

-- The names that an organization's devices use. They are counted: a program that makes names up would fill everything.
create table custom_metrics (
    tenant_id uuid not null,
    name text not null,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    primary key (tenant_id, name)
);
create index custom_metrics_by_age on custom_metrics (last_seen_at);
select secure_tenant_table('custom_metrics');
create policy ingest on custom_metrics to edgeflow_ingest using (true) with check (true);
grant select, insert, update on custom_metrics to edgeflow_ingest;

-- The newest values of each device, a few seconds late: for search, dynamic groups and tables of many devices. No index
-- but the key, and room in the pages, so that an update stays where it is.
create table device_latest_metrics (
    tenant_id uuid not null,
    device_id uuid not null,
    time timestamptz not null,
    cpu_percent double precision,
    memory_percent double precision,
    temperature_celsius double precision,
    disk_percent double precision,
    load_1 double precision,
    uptime_seconds double precision,
    custom jsonb not null default '{}',
    primary key (tenant_id, device_id),
    foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
) with (fillfactor = 50);
select secure_tenant_table('device_latest_metrics');
create policy ingest on device_latest_metrics to edgeflow_ingest using (true) with check (true);
grant select, insert, update on device_latest_metrics to edgeflow_ingest;

-- One partition a day (UTC) of a table of telemetry, made apart and attached, as make_sample_partition does it.
create function make_day_partition(parent text, day date) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
    name text := parent || '_' || to_char(day, 'YYYYMMDD');
begin
    if parent not in ('custom_samples', 'device_events', 'device_logs') then
        raise exception 'not a table of telemetry: %', parent;
    end if;
    if to_regclass('public.' || name) is not null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtext(parent));
    if to_regclass('public.' || name) is not null then
        return;
    end if;
    execute format('create table public.%I (like public.%I including defaults)', name, parent);
    execute format('alter table public.%I attach partition public.%I for values from (%L) to (%L)',
        parent, name, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
end
$$;

-- Drops up to `most` partitions of `parent` that end at or before `before`; answers how many.
create function drop_day_partitions(parent text, before timestamptz, most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
    part record;
    dropped integer := 0;
begin
    if parent not in ('custom_samples', 'device_events', 'device_logs') then
        raise exception 'not a table of telemetry: %', parent;
    end if;
    for part in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = to_regclass('public.' || parent)
          and (to_date(right(c.relname, 8), 'YYYYMMDD') + 1)::timestamp at time zone 'UTC' <= before
        order by c.relname
        limit most
    loop
        execute format('drop table public.%I', part.relname);
        dropped := dropped + 1;
    end loop;
    return dropped;
end
$$;

revoke execute on function make_day_partition(text, date) from public;
revoke execute on function drop_day_partitions(text, timestamptz, integer) from public;
grant execute on function make_day_partition(text, date) to edgeflow_ingest, edgeflow_system;
grant execute on function drop_day_partitions(text, timestamptz, integer) to edgeflow_system;
