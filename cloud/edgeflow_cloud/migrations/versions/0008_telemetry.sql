-- Samples come by COPY, many organizations in one batch, which row-level security does not allow: this table has none,
-- and no grant to the app's role. People read it through `device_samples`, which shows their own organization's rows.
--
-- `time` is what charts use: the device's clock where it is believable, else placed by `received_at`; then `device_time`
-- keeps what the device said. Disks and networks are parallel arrays: one position, one mount or interface.
create table system_samples (
    tenant_id uuid not null,
    device_id uuid not null,
    time timestamptz not null,
    received_at timestamptz not null,
    device_time timestamptz,
    cpu_percent double precision,
    memory_percent double precision,
    memory_total_bytes bigint,
    memory_used_bytes bigint,
    memory_available_bytes bigint,
    swap_total_bytes bigint,
    swap_used_bytes bigint,
    temperature_celsius double precision,
    uptime_seconds double precision,
    load_1 double precision,
    load_5 double precision,
    load_15 double precision,
    cpu_cores real[],
    disk_mounts text[],
    disk_total_bytes bigint[],
    disk_used_bytes bigint[],
    network_interfaces text[],
    network_rx_bytes bigint[],
    network_tx_bytes bigint[]
) partition by range (time);
create index system_samples_by_device on system_samples (tenant_id, device_id, time);
grant insert on system_samples to edgeflow_ingest;
grant select, delete on system_samples to edgeflow_system;

create view device_samples with (security_barrier = true) as
    select * from system_samples where tenant_id = current_tenant();
grant select on device_samples to edgeflow_app;

-- How far each run of each device's agent is stored. A unique key over samples would have to hold the partition's
-- column and could not tell twins apart; this row moves in the transaction of the insert.
create table telemetry_cursors (
    tenant_id uuid not null,
    device_id uuid not null,
    boot_id text not null,
    last_sequence bigint not null,
    moved_at timestamptz not null default now(),
    primary key (tenant_id, device_id, boot_id),
    foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
) with (fillfactor = 70);
create index telemetry_cursors_by_age on telemetry_cursors (moved_at);
select secure_tenant_table('telemetry_cursors');
revoke all on telemetry_cursors from edgeflow_app;
create policy ingest on telemetry_cursors to edgeflow_ingest using (true) with check (true);
grant select, insert, update on telemetry_cursors to edgeflow_ingest;

-- One partition a day (UTC). Made apart and attached, so that writers of other days do not wait. Roles that own no
-- table make and drop them through these two.
create function make_sample_partition(day date) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
    name text := 'system_samples_' || to_char(day, 'YYYYMMDD');
begin
    if to_regclass('public.' || name) is not null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtext('system_samples'));
    if to_regclass('public.' || name) is not null then
        return;
    end if;
    execute format('create table public.%I (like public.system_samples including defaults)', name);
    execute format('alter table public.system_samples attach partition public.%I for values from (%L) to (%L)',
        name, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
end
$$;

-- Drops up to `most` partitions that end at or before `before`; answers how many.
create function drop_sample_partitions(before timestamptz, most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
    part record;
    dropped integer := 0;
begin
    for part in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'public.system_samples'::regclass
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

revoke execute on function make_sample_partition(date) from public;
revoke execute on function drop_sample_partitions(timestamptz, integer) from public;
grant execute on function make_sample_partition(date) to edgeflow_ingest, edgeflow_system;
grant execute on function drop_sample_partitions(timestamptz, integer) to edgeflow_system;
