-- Where the server has TimescaleDB, the tables of telemetry that are cut by day become hypertables; elsewhere they stay
-- native partitions. This file alone knows the difference: rows, rights, policies and views are the same in both, and so
-- are the four functions that telemetry calls (they do nothing, or drop chunks, where TimescaleDB does the cutting).

-- Whether the table is cut into native partitions: no, once it is a hypertable.
create function is_partitioned(parent text) returns boolean
language sql stable set search_path = pg_catalog, public
return (select c.relkind = 'p' from pg_class c where c.oid = to_regclass('public.' || quote_ident(parent)));

-- Makes a hypertable of a partitioned table: with its rows, indexes, rights, policies and the views on it. TimescaleDB
-- takes no partitioned table, so a new one takes its name. For the owner; nobody writes meanwhile.
create function keep_in_hypertable(parent text) returns void
language plpgsql set search_path = pg_catalog, public
as $$
declare
    old regclass := to_regclass('public.' || quote_ident(parent));
    made text[];
    views text[];
    command text;
    secured boolean;
begin
    if not is_partitioned(parent) then
        return;
    end if;
    execute format('lock table public.%I in access exclusive mode', parent);
    select c.relrowsecurity into secured from pg_class c where c.oid = old;
    if secured then
        made := array[
            format('alter table public.%I enable row level security', parent),
            format('alter table public.%I force row level security', parent)];
    end if;
    made := made || array(
        select format('grant %s on public.%I to %s', a.privilege_type, parent, a.grantee::regrole)
        from pg_class c, aclexplode(c.relacl) a where c.oid = old and a.grantee <> c.relowner and a.grantee <> 0);
    made := made || array(
        select format('create policy %I on public.%I as %s for %s to %s', p.policyname, parent, p.permissive, p.cmd,
                (select string_agg(quote_ident(r), ', ') from unnest(p.roles) r))
            || coalesce(' using (' || p.qual || ')', '') || coalesce(' with check (' || p.with_check || ')', '')
        from pg_policies p where p.schemaname = 'public' and p.tablename = parent order by p.policyname);
    with seen as (
        select distinct v.oid, v.relname, v.relacl, v.relowner, v.reloptions
        from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class v on v.oid = r.ev_class
        where d.classid = 'pg_rewrite'::regclass and d.refobjid = old and v.relkind = 'v'
    )
    select array_agg(format('drop view public.%I', s.relname)),
        made || array_agg(format('create view public.%I %s as %s', s.relname,
            coalesce('with (' || array_to_string(s.reloptions, ', ') || ')', ''), pg_get_viewdef(s.oid)))
        into views, made
    from seen s;
    made := made || array(
        select format('grant %s on public.%I to %s', a.privilege_type, v.relname, a.grantee::regrole)
        from pg_class v, aclexplode(v.relacl) a
        where format('drop view public.%I', v.relname) = any (views) and v.relnamespace = 'public'::regnamespace
            and a.grantee <> v.relowner and a.grantee <> 0);

    foreach command in array coalesce(views, '{}') loop
        execute command;
    end loop;
    execute format('alter table public.%I rename to %I', parent, parent || '_old');
    execute format('create table public.%I (like public.%I including all)', parent, parent || '_old');
    execute format('select create_hypertable(%L::regclass, by_range(%L, interval %L), create_default_indexes => false)',
        'public.' || quote_ident(parent), 'time', '1 day');
    execute format('insert into public.%I select * from public.%I', parent, parent || '_old');
    execute format('drop table public.%I', parent || '_old');
    foreach command in array coalesce(made, '{}') loop
        execute command;
    end loop;
end
$$;

-- All of them. Answers whether the server has TimescaleDB; without it nothing changes. To be called once by the owner, in
-- a quiet hour, where the extension came later than the tables.
create function keep_telemetry_in_hypertables() returns boolean
language plpgsql set search_path = pg_catalog, public
as $$
declare
    parent text;
begin
    if not exists (select from pg_extension where extname = 'timescaledb') then
        return false;
    end if;
    foreach parent in array array['system_samples', 'custom_samples', 'device_events', 'device_logs', 'system_1m',
            'custom_1m'] loop
        perform keep_in_hypertable(parent);
    end loop;
    return true;
end
$$;
revoke execute on function is_partitioned(text) from public;
revoke execute on function keep_in_hypertable(text) from public;
revoke execute on function keep_telemetry_in_hypertables() from public;

create or replace function make_day_partition(parent text, day date) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
    name text := parent || '_' || to_char(day, 'YYYYMMDD');
begin
    if parent not in ('system_samples', 'custom_samples', 'device_events', 'device_logs', 'system_1m', 'custom_1m') then
        raise exception 'not a table of telemetry: %', parent;
    end if;
    if not is_partitioned(parent) or to_regclass('public.' || name) is not null then
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

-- Drops up to `most` days of `parent` that end at or before `before` (all such chunks of a hypertable); answers how many.
create or replace function drop_day_partitions(parent text, before timestamptz, most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
    part record;
    dropped integer := 0;
begin
    if parent not in ('system_samples', 'custom_samples', 'device_events', 'device_logs', 'system_1m', 'custom_1m') then
        raise exception 'not a table of telemetry: %', parent;
    end if;
    if not is_partitioned(parent) then
        execute format('select count(*) from drop_chunks(%L::regclass, older_than => %L::timestamptz)',
            'public.' || quote_ident(parent), before) into dropped;
        return dropped;
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

create or replace function make_sample_partition(day date) returns void
language sql security definer set search_path = pg_catalog, public
as $$ select make_day_partition('system_samples', day) $$;

create or replace function drop_sample_partitions(before timestamptz, most integer) returns integer
language sql security definer set search_path = pg_catalog, public
as $$ select drop_day_partitions('system_samples', before, most) $$;

select keep_telemetry_in_hypertables();
