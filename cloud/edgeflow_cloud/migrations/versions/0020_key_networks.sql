-- API keys: the addresses from which each may be used.

-- Empty: from everywhere.
alter table api_keys add column networks cidr[] not null default '{}';

-- Whose good key this is, and whether it may be used from this address. A use that is refused is not noted.
create function use_api_key(wanted bytea, at timestamptz, origin inet) returns table (
    tenant_id uuid, key_id uuid, scopes text[], closed text, allowed boolean
)
language sql volatile security definer set search_path = pg_catalog, public
as $$
    with found as (
        select k.tenant_id, k.id, k.scopes, k.last_used_at,
            cardinality(k.networks) = 0 or coalesce(origin <<= any (k.networks), false) as allowed
        from api_keys k
        where k.hash = wanted and (k.expires_at is null or k.expires_at > at)
    ),
    noted as (
        update api_keys k set last_used_at = at
        from found f
        where k.tenant_id = f.tenant_id and k.id = f.id and f.allowed
            and (k.last_used_at is null or k.last_used_at < at - interval '1 minute')
    )
    select f.tenant_id, f.id, f.scopes,
        case when o.suspended_at is not null then 'suspended' when o.deleted_at is not null then 'deleted' end,
        f.allowed
    from found f join organizations o on o.tenant_id = f.tenant_id
$$;
select secure_lookup('use_api_key(bytea, timestamptz, inet)');

-- The release before asks without an address: to it, a key that is bound to addresses is no good key.
create or replace function use_api_key(wanted bytea, at timestamptz) returns table (
    tenant_id uuid, key_id uuid, scopes text[], closed text
)
language sql volatile security definer set search_path = pg_catalog, public
as $$
    select u.tenant_id, u.key_id, u.scopes, u.closed from use_api_key(wanted, at, null::inet) u where u.allowed
$$;
