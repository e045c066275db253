-- A version as text that sorts as versions do: 1.4 = 1.4.0 < 1.4.1 < 1.10.0, and 1.4.0-rc.2 < 1.4.0-rc.10 < 1.4.0.
-- '!' (a pre-release follows) < '+' (end) < '.' (another number). Null for what does not begin like a version.
create function version_order(version text) returns text
language sql immutable parallel safe set search_path = pg_catalog, public
return (
    select case when said.parts is not null then
        regexp_replace(
            (
                select string_agg(lpad(number, greatest(20, length(number)), '0'), '.' order by place)
                from unnest(string_to_array(said.parts[1], '.')) with ordinality as numbers (number, place)
            ),
            '(\.0+)+$', ''
        )
        || case when said.parts[2] is null then '+' else '!' || (
            select string_agg(
                case when piece[1] ~ '^[0-9]' then lpad(piece[1], greatest(20, length(piece[1])), '0')
                else lower(piece[1]) end, '' order by place
            )
            from regexp_matches(said.parts[2], '[0-9]+|[^0-9]+', 'g') with ordinality as pieces (piece, place)
        ) end
    end
    from (
        select regexp_match(version, '^\s*[vV]?([0-9]+(?:\.[0-9]+)*)(?:[-_ ]([^+\s]+))?(?:\+.*)?\s*$') as parts
    ) as said
) collate "C";

alter table devices
add column firmware_order text collate "C" generated always as (version_order(firmware_version)) stored,
add column agent_order text collate "C" generated always as (version_order(agent_version)) stored;

create index devices_by_firmware on devices (tenant_id, firmware_version);
create index devices_by_hardware on devices using gin (hardware jsonb_path_ops);
create index devices_by_network on devices using gin (network jsonb_path_ops);
