-- Keys that sign the flows of one organization. The private half lies sealed; a key that is retired keeps none.

create table flow_keys (
    tenant_id uuid not null,
    key_id text not null check (length(key_id) between 1 and 64),
    public_key bytea not null check (length(public_key) = 32),
    -- Null once it is retired: nobody signs with it any more.
    sealed bytea,
    -- The key before, which names this one as its successor; empty for the first, so that there is one first.
    endorsed_by text not null,
    endorsement bytea not null,
    created_by text not null,
    created_at timestamptz not null,
    -- From then on devices take nothing signed with it; null for the newest.
    retires_at timestamptz,
    primary key (tenant_id, key_id),
    -- A key has one successor: of two who rotate at once, or make the first key at once, one wins.
    unique (tenant_id, endorsed_by)
);
select secure_tenant_table('flow_keys');
