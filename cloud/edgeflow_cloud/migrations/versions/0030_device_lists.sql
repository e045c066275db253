-- Lists of 100,000 devices.

-- A part of a name, in any case. A server without pg_trgm reads every name instead.
do $$
begin
    if exists (select from pg_available_extensions where name = 'pg_trgm') then
        create extension if not exists pg_trgm;
        create index devices_by_part_of_name on devices using gin (name gin_trgm_ops);
    end if;
end
$$;

-- What a count reads, a tenth as wide as the devices themselves.
create index devices_counted on devices (tenant_id, project_id);
create index devices_by_update on devices (tenant_id, updated_at, id);
create index devices_by_firmware_order on devices (tenant_id, coalesce(firmware_order, ''), id);

-- As before in other words: of an OR the planner thinks that it leaves one row in two hundred, and then looks up a
-- hundred thousand rows one by one.
alter policy in_projects on devices
using (case when (select current_projects()) is null then true else project_id = any(current_projects()) end)
with check (case when (select current_projects()) is null then true else project_id = any(current_projects()) end);
alter policy in_projects on device_presence
using (case when (select current_projects()) is null then true else device_id in (select devices_in_projects()) end)
with check (
    case when (select current_projects()) is null then true else device_id in (select devices_in_projects()) end
);
