-- Which hubs live. Each renews its row every few seconds; whoever looks counts those that did not (`missed`), and at
-- three the hub is lost. Counted looks and not a time since `seen_at`, so that a database that was away itself has not
-- killed every hub when it is back. A hub belongs to no organization, and only the platform's role may read of it.
create table hubs (
    id text primary key,
    started_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    missed integer not null default 0,
    looked_at timestamptz not null default now(),
    lost_at timestamptz
) with (fillfactor = 50);
grant select, insert, update, delete on hubs to edgeflow_system;

-- The fence. What a device sent over a connection counts only while that connection is the device's newest: this is
-- asked in the same round trip as the commit, so that no pause of the hub falls between the two.
create function require_connections(tenant_ids uuid[], device_ids uuid[], epochs bigint[]) returns void
language plpgsql stable
as $$
begin
    if exists (
        select from unnest(tenant_ids, device_ids, epochs) as asked (tenant_id, device_id, epoch)
        left join device_presence p
            on p.tenant_id = asked.tenant_id and p.device_id = asked.device_id and p.epoch = asked.epoch
        where p.device_id is null
    ) then
        raise exception using errcode = 'EF001', message = 'a newer connection of the device is in, or it was given up';
    end if;
end
$$;

-- Batches of samples are fenced too, and their role sees nothing of devices but this.
create policy ingest on device_presence for select to edgeflow_ingest using (true);
grant select (tenant_id, device_id, epoch) on device_presence to edgeflow_ingest;

-- Keys that end by themselves: hubs ask every few seconds for those that just did.
create index device_keys_ending on device_keys (expires_at) where expires_at is not null;
