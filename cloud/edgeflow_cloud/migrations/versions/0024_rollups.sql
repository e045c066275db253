-- Which stretch of time of a run has samples that no rollup knows. It moves in the same update as the position, so it costs
-- ingest nothing, and late samples are found like others.
alter table telemetry_cursors add column unrolled_from timestamptz, add column unrolled_to timestamptz;

-- What is to be computed: per device and step (seconds) one stretch, [start_at, end_at). A row goes in the transaction that
-- writes its rollups and adds the next larger step, so that a crash leaves it.
create table rollups_due (
    tenant_id uuid not null,
    device_id uuid not null,
    step integer not null check (step in (60, 3600, 86400)),
    start_at timestamptz not null,
    end_at timestamptz not null,
    primary key (tenant_id, device_id, step),
    foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
) with (fillfactor = 50);
select secure_tenant_table('rollups_due');
revoke insert, update, delete on rollups_due from edgeflow_app;
grant select (tenant_id, device_id, unrolled_from) on telemetry_cursors to edgeflow_app;

-- From when on a device's rollups are not up to date: before it they tell the same as the samples.
create view device_unrolled with (security_invoker = true) as
    select device_id, min(since) as since
    from (
        select device_id, unrolled_from as since from telemetry_cursors
        where tenant_id = current_tenant() and unrolled_from is not null
        union all
        select device_id, start_at from rollups_due where tenant_id = current_tenant()
    ) open
    group by device_id;
grant select on device_unrolled to edgeflow_app;

-- System metrics: arrays in the order of telemetry.model.METRICS, which only ever grows at its end. Own values: a row each.
-- A mean is sum / count, so larger steps come from smaller ones without error. Minutes are many: partitioned by day.
create table system_1m (
    tenant_id uuid not null,
    device_id uuid not null,
    time timestamptz not null,
    counts integer[] not null,
    sums double precision[] not null,
    lows double precision[] not null,
    highs double precision[] not null,
    primary key (tenant_id, device_id, time)
) partition by range (time);
create table custom_1m (
    tenant_id uuid not null,
    device_id uuid not null,
    name text not null,
    time timestamptz not null,
    counts integer not null,
    sums double precision not null,
    lows double precision not null,
    highs double precision not null,
    primary key (tenant_id, device_id, name, time)
) partition by range (time);
select secure_tenant_table('system_1m');
revoke insert, update, delete on system_1m from edgeflow_app;
select secure_tenant_table('custom_1m');
revoke insert, update, delete on custom_1m from edgeflow_app;

create table system_1h (
    tenant_id uuid not null,
    device_id uuid not null,
    time timestamptz not null,
    counts integer[] not null,
    sums double precision[] not null,
    lows double precision[] not null,
    highs double precision[] not null,
    primary key (tenant_id, device_id, time)
);
create table custom_1h (
    tenant_id uuid not null,
    device_id uuid not null,
    name text not null,
    time timestamptz not null,
    counts integer not null,
    sums double precision not null,
    lows double precision not null,
    highs double precision not null,
    primary key (tenant_id, device_id, name, time)
);
create index system_1h_by_age on system_1h (time);
create index custom_1h_by_age on custom_1h (time);
select secure_tenant_table('system_1h');
revoke insert, update, delete on system_1h from edgeflow_app;
select secure_tenant_table('custom_1h');
revoke insert, update, delete on custom_1h from edgeflow_app;

create table system_1d (
    tenant_id uuid not null,
    device_id uuid not null,
    time timestamptz not null,
    counts integer[] not null,
    sums double precision[] not null,
    lows double precision[] not null,
    highs double precision[] not null,
    primary key (tenant_id, device_id, time)
);
create table custom_1d (
    tenant_id uuid not null,
    device_id uuid not null,
    name text not null,
    time timestamptz not null,
    counts integer not null,
    sums double precision not null,
    lows double precision not null,
    highs double precision not null,
    primary key (tenant_id, device_id, name, time)
);
create index system_1d_by_age on system_1d (time);
create index custom_1d_by_age on custom_1d (time);
select secure_tenant_table('system_1d');
revoke insert, update, delete on system_1d from edgeflow_app;
select secure_tenant_table('custom_1d');
revoke insert, update, delete on custom_1d from edgeflow_app;

-- One partition a day (UTC) of a table of telemetry, made apart and attached, as 0018 has it; now of minutes, too.
create or replace function make_day_partition(parent text, day date) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
    name text := parent || '_' || to_char(day, 'YYYYMMDD');
begin
    if parent not in ('custom_samples', 'device_events', 'device_logs', 'system_1m', 'custom_1m') then
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
create or replace function drop_day_partitions(parent text, before timestamptz, most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
    part record;
    dropped integer := 0;
begin
    if parent not in ('custom_samples', 'device_events', 'device_logs', 'system_1m', 'custom_1m') then
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
